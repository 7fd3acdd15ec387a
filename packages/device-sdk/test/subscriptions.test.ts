import { defineCapability, level, onOff, t as type, telemetry } from '@coconet/capabilities';
import { milliseconds, seconds } from '@coconet/cluster-protocol';
import test from 'ava';
import { Home } from './support/home.js';
import type { Phone } from './support/phone.js';

const LEVEL = 1;

const noisy = defineCapability({
  id: 'org.coconet.test.noisy',
  name: 'noisy',
  title: 'Attributes with reporting rules',
  revision: 1,
  tier: 'vendor',
  attributes: {
    slow: { id: 1, type: type.uint32(), minReportInterval: 1_000 },
    coarse: { id: 2, type: type.float32(), reportableChange: 5 },
    beat: { id: 3, type: type.uint32(), maxReportInterval: 2_000 },
    happened: { id: 4, type: type.string(), delivery: 'event' },
  },
});

/** What a client holds that applies reports by their versions, as the specification says. */
function held(phone: Phone): Map<string, unknown> {
  const values = new Map<string, unknown>();
  const versions = new Map<string, number>();
  for (const { snapshot, entries, removed = [] } of phone.all('report')) {
    if (snapshot) values.clear();
    for (const id of removed)
      for (const key of [...values.keys()]) if (key.startsWith(`${id} `)) values.delete(key);
    for (const { resourceId, attributeId, value, version } of entries) {
      const key = `${resourceId} ${attributeId}`;
      if (!snapshot && version < (versions.get(key) ?? 0)) continue;
      versions.set(key, version);
      values.set(key, value);
    }
  }
  return values;
}

const setLinks = (home: Home, phone: Phone, down: boolean): void => {
  for (const host of [home.host, phone.host])
    for (const attachment of host.board.attachments) attachment.set({ down });
};

test('after a cut the watcher holds the final values, each told once, and no snapshot was needed', async t => {
  const home = await Home.create(41);
  const device = await home.device();
  const lamps = Array.from({ length: 5 }, (_, i) => device.addResource(`lamp ${i}`, [level]));
  const phone = home.phone();
  phone.subscribe();
  phone.connect();
  await home.until(() => phone.all('report').length === 1);
  const { stateIncarnation, version } = phone.last('report')!;

  setLinks(home, phone, true);
  await home.run(seconds(60));
  for (const value of [10, 20, 30]) {
    lamps.forEach((lamp, i) => lamp.level.set({ level: value + i }));
    await home.run(seconds(1));
  }
  setLinks(home, phone, false);
  const before = phone.connections();
  await home.until(() => phone.connections() > before, seconds(60), 'the new session');
  phone.subscribe(1, { stateIncarnation, version });
  await home.until(() => phone.all('report').length > 1, seconds(2), 'the report after the cut');
  await home.run(seconds(5));

  lamps.forEach((_, i) => t.deepEqual(phone.valuesOf(`lamp ${i}`, LEVEL), [null, 30 + i]));
  t.is(phone.all('report').filter(({ snapshot }) => snapshot).length, 1);
  t.is(phone.all('report')[1]!.fromVersion, version);
});

test('a cut that the session survives leaves the watcher with the final values, each once, within 2 s', async t => {
  for (let seed = 100; seed < 110; seed++) {
    const home = await Home.create(seed);
    const device = await home.device();
    const lamps = Array.from({ length: 5 }, (_, i) => device.addResource(`lamp ${i}`, [level]));
    const phone = home.phone();
    phone.subscribe();
    phone.connect();
    await home.until(() => phone.all('report').length === 1);

    setLinks(home, phone, true);
    for (const lamp of lamps) {
      lamp.level.set({ level: 1 });
      await home.run(milliseconds(home.world.random.below(400)));
      lamp.level.set({ level: 2 });
    }
    setLinks(home, phone, false);
    await home.until(
      () => lamps.every((_, i) => phone.valuesOf(`lamp ${i}`, LEVEL).at(-1) === 2),
      seconds(2),
    );
    await home.run(seconds(3));

    lamps.forEach((_, i) => {
      const told = phone.valuesOf(`lamp ${i}`, LEVEL);
      t.is(told.filter(value => value === 2).length, 1, `seed ${seed}: ${told.map(String).join()}`);
    });
    t.is(phone.connections(), 1);
  }
});

test('while a subscriber reads slowly it gets the newest values and no queue grows', async t => {
  const home = await Home.create(42);
  const device = await home.device();
  const lamp = device.addResource('lamp', [level, noisy]);
  const phone = home.phone();
  phone.subscribe();
  await home.until(() => phone.all('report').length === 1);

  setLinks(home, phone, true);
  for (let i = 0; i < 1_000; i++) {
    lamp.level.set({ level: i / 10 });
    lamp.noisy.publish({ happened: `event ${i}` });
    await home.run(milliseconds(1));
  }
  setLinks(home, phone, false);
  const waiting = device.explain('phone').waitingMessages;
  await home.until(() => phone.valuesOf('lamp', LEVEL).at(-1) === 99.9000015258789, seconds(20));
  await home.run(seconds(2));

  t.true(waiting <= 2, `${waiting} messages wait`);
  t.true(phone.valuesOf('lamp', LEVEL).length <= 5, phone.valuesOf('lamp', LEVEL).map(String).join());
  const events = phone.valuesOf('lamp', 4);
  t.is(events.at(-1), 'event 999');
  t.true(events.length <= 300, `${events.length} events`);
});

test('the minimum interval coalesces, the reportable change holds back, the maximum interval beats', async t => {
  const home = await Home.create(43);
  const device = await home.device();
  const { noisy: sensor } = device.addResource('sensor', [noisy]);
  const phone = home.phone();
  phone.subscribe();
  await home.until(() => phone.all('report').length === 1);

  for (let i = 1; i <= 30; i++) {
    sensor.set({ slow: i, coarse: i });
    await home.run(milliseconds(100));
  }
  sensor.set({ beat: 1 });
  await home.run(seconds(7));

  const slow = phone.valuesOf('sensor', 1).map(Number);
  t.true(slow.length >= 4 && slow.length <= 6, slow.join());
  t.is(slow.at(-1), 30);
  const coarse = phone.valuesOf('sensor', 2).slice(2).map(Number);
  coarse.reduce((last, value) => {
    t.true(value - last >= 5);
    return value;
  });
  t.true(phone.valuesOf('sensor', 3).length >= 4);
});

test('what the minimum interval holds back is not lost by a resume', async t => {
  const home = await Home.create(44);
  const device = await home.device();
  const { noisy: sensor } = device.addResource('sensor', [noisy]);
  const phone = home.phone();
  phone.subscribe();
  phone.connect();
  await home.until(() => phone.all('report').length === 1);
  sensor.set({ slow: 1 });
  await home.run(milliseconds(100));
  sensor.set({ slow: 2, beat: 5 });
  await home.until(() => phone.valuesOf('sensor', 3).includes(5));
  const { stateIncarnation, version } = phone.last('report')!;

  phone.send({ type: 'unsubscribe', subscriptionId: 1 });
  await home.run(seconds(2));
  t.false(phone.valuesOf('sensor', 1).includes(2));
  phone.subscribe(2, { stateIncarnation, version });
  await home.run(seconds(1));

  t.true(phone.valuesOf('sensor', 1).includes(2));
});

test('a restarted device gives a full snapshot, marked so, to whoever resumes', async t => {
  const home = await Home.create(45);
  const first = await home.device();
  first.addResource('lamp', [onOff]).onOff.set({ on: true });
  const phone = home.phone();
  phone.subscribe();
  phone.connect();
  await home.until(() => phone.all('report').length === 1);
  const { stateIncarnation, version } = phone.last('report')!;
  await home.during(first.close());

  home.restart();
  const second = await home.device();
  second.addResource('lamp', [onOff]);
  const before = phone.connections();
  await home.until(() => phone.connections() > before, seconds(60), 'the new session');
  phone.subscribe(1, { stateIncarnation, version });
  await home.until(() => phone.all('report').length === 2);

  const report = phone.last('report')!;
  t.true(report.snapshot);
  t.notDeepEqual(report.stateIncarnation, stateIncarnation);
  const on = report.entries.find(({ attributeId }) => attributeId === 1)!;
  t.is(on.value, true);
  t.false(on.realtime);
  t.truthy(on.lastUpdated);
});

test('a device whose store was put back takes no version of another life for its own', async t => {
  const home = await Home.create(47);
  home.host.disk().keepCopy();
  const first = await home.device();
  const lamp = first.addResource('lamp', [level]);
  const phone = home.phone();
  phone.subscribe();
  phone.connect();
  await home.until(() => phone.all('report').length === 1);
  lamp.level.set({ level: 10 });
  await home.until(() => phone.all('report').length === 2);
  const { stateIncarnation, version } = phone.last('report')!;
  await home.during(first.close());

  home.restart();
  home.host.disk().restoreOldCopy();
  const second = await home.device();
  const again = second.addResource('lamp', [level]);
  for (let value = 20; value < 40; value++) again.level.set({ level: value });
  const before = phone.connections();
  await home.until(() => phone.connections() > before, seconds(60), 'the new session');
  phone.subscribe(1, { stateIncarnation, version });
  await home.until(() => phone.all('report').length === 3);

  const report = phone.last('report')!;
  t.true(report.snapshot);
  t.true(phone.valuesOf('lamp', 1).includes(39));
});

test('resources that come and go are told, also to whoever was away meanwhile', async t => {
  const home = await Home.create(46);
  const device = await home.device();
  device.addResource('a', [level]);
  device.addResource('b', [level]);
  const phone = home.phone();
  phone.send({ type: 'describe', requestId: 5 });
  phone.subscribe();
  await home.until(() => phone.all('report').length === 1 && phone.all('description').length === 1);
  const { stateIncarnation, version } = phone.last('report')!;
  phone.send({ type: 'unsubscribe', subscriptionId: 1 });
  await home.run(seconds(1));

  device.removeResource('a');
  device.addResource('c', [level]).level.set({ level: 3 });
  phone.subscribe(2, { stateIncarnation, version });
  await home.until(() => phone.all('description').length >= 2 && phone.all('report').length >= 2);
  device.removeResource('b');
  await home.run(seconds(1));

  t.deepEqual([...held(phone).keys()].filter(key => key.endsWith(' 1')).sort(), ['c 1']);
  t.is(phone.all('description')[0]!.requestId, 5);
  const later = phone.all('description').slice(1);
  t.true(later.every(({ full, requestId }) => !full && requestId === undefined));
  t.deepEqual(
    later.flatMap(({ resources }) => resources.map(({ resourceId }) => resourceId)),
    ['c'],
  );
  t.deepEqual(
    later.flatMap(({ removed }) => removed),
    ['a', 'b'],
  );
});

test('a snapshot of many resources comes in parts, the last one last', async t => {
  const home = await Home.create(47);
  const device = await home.device();
  for (let i = 0; i < 600; i++)
    device.addResource(`a resource with quite a long name ${i}`, [level, telemetry], {
      metadata: 'x'.repeat(200),
    });
  const phone = home.phone();
  for (const attachment of phone.host.board.attachments) attachment.set({ loss: 0.1, reorder: 0.3 });

  phone.subscribe();
  phone.send({ type: 'describe', requestId: 1 });
  await home.until(
    () => phone.last('report')?.last === true && phone.last('description')?.last === true,
    seconds(60),
  );

  const reports = phone.all('report');
  t.true(reports.length > 1);
  t.true(reports.slice(0, -1).every(({ last }) => !last));
  t.is(
    reports.reduce((sum, { entries }) => sum + entries.length, 0),
    600 * 7,
  );
  const descriptions = phone.all('description');
  t.true(descriptions.length > 1);
  t.deepEqual(
    descriptions.map(({ full }) => full),
    descriptions.map((_, i) => i === 0),
  );
  t.is(
    descriptions.reduce((sum, { resources }) => sum + resources.length, 0),
    600,
  );
});

test('reads give the values as they are, and name what is not there by their status', async t => {
  const home = await Home.create(48);
  const device = await home.device();
  const lamp = device.addResource('lamp', [level]);
  lamp.level.set({ level: 12 });
  const phone = home.phone();
  const read = (requestId: number, resourceId: string, attributes?: readonly number[]): number =>
    phone.send({
      type: 'read',
      requestId,
      resourceId,
      capabilityId: level.id,
      ...(attributes !== undefined && { attributes }),
    });

  read(1, 'lamp');
  read(2, 'lamp', [1]);
  read(3, 'lamp', [99]);
  read(4, 'nowhere');
  await home.until(() => phone.all('values').length === 4);

  const values = phone.all('values').sort((a, b) => a.requestId - b.requestId);
  t.deepEqual(
    values.map(({ code, entries }) => [code, entries.length]),
    [
      ['success', 5],
      ['success', 1],
      ['invalid', 0],
      ['notFound', 0],
    ],
  );
  t.is(values[1]!.entries[0]!.value, 12);
  t.true(values[1]!.entries[0]!.realtime);
  t.true(values[0]!.entries.slice(1).every(({ realtime }) => !realtime));
});

test('a peer has at most 64 subscriptions', async t => {
  const home = await Home.create(49);
  const device = await home.device();
  device.addResource('lamp', [onOff]);
  const phone = home.phone();

  for (let id = 1; id <= 70; id++) phone.subscribe(id);
  await home.run(seconds(3));

  t.is(new Set(phone.all('report').map(({ subscriptionId }) => subscriptionId)).size, 64);
  t.is(phone.all('refused').filter(({ code }) => code === 'limitReached').length, 6);
});
