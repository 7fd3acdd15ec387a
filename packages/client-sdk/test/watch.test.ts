import test from 'ava';
import { electricalMeasurement, level, onOff } from '@coconet/capabilities';
import { milliseconds } from '@coconet/cluster-protocol';
import type { AttributeReport } from '../src/index.js';
import { House } from './support/house.js';

/** Reads a loop to its end, and keeps what came. */
function collect<T>(items: AsyncIterable<T>): { readonly items: T[]; readonly done: Promise<void> } {
  const kept: T[] = [];
  const read = async (): Promise<void> => {
    for await (const item of items) kept.push(item);
  };
  return { items: kept, done: read() };
}

test('a watcher gets the picture first, then each change, and nothing after it has left', async t => {
  const house = await House.create(31);
  const { lamp } = await house.lamp();
  const network = await house.app();
  const abort = new AbortController();
  const resource = await house.during(network.resource('Desk/lamp', [onOff, level]));

  const seen = collect(resource.onOff.watch({ signal: abort.signal }));
  await house.run(1_000);
  lamp.onOff.set({ on: true });
  await house.run(1_000);
  lamp.level.set({ level: 50 });
  await house.run(1_000);
  abort.abort();
  await house.during(seen.done);
  lamp.onOff.set({ on: false });
  await house.run(1_000);

  t.deepEqual(
    seen.items.map(({ on, fresh }) => ({ on, fresh })),
    [
      { on: false, fresh: false },
      { on: true, fresh: true },
    ],
  );
});

test('a watcher of a capability without any value still gets its picture', async t => {
  const house = await House.create(32);
  const device = await house.device();
  device.addResource('meter', [electricalMeasurement]);
  const network = await house.app();
  const resource = await house.during(network.resource('Desk/meter', [electricalMeasurement]));

  const seen = collect(resource.electricalMeasurement.watch());
  await house.run(1_000);

  t.is(seen.items.length, 1);
  t.is(seen.items[0]!.at, null);
});

test('a reader that is busy gets the newest values, and not more of them', async t => {
  const house = await House.create(33);
  const { lamp } = await house.lamp();
  const network = await house.app();
  const resource = await house.during(network.resource('Desk/lamp', [level]));
  const loop = resource.level.watch()[Symbol.asyncIterator]();
  await house.during(loop.next());

  for (let i = 1; i <= 20; i++) {
    lamp.level.set({ level: i });
    await house.run(200);
  }
  const next = await house.during(loop.next());

  t.is(next.done === true ? undefined : next.value.level, 20);
});

for (let group = 0; group < 10; group++) {
  test(`reconnect truth: cut, change five attributes, heal: final values, each once, within 2 s (seeds ${group * 10} to ${group * 10 + 9})`, async t => {
    for (let seed = group * 10; seed < group * 10 + 10; seed++) {
      const house = await House.create(1_000 + seed);
      const device = await house.device();
      const meter = device.addResource('meter', [electricalMeasurement, onOff]);
      meter.onOff.set({ on: false });
      const network = await house.app();
      const resource = await house.during(network.resource('Desk/meter'));
      const seen = collect(resource.watch());
      await house.run(2_000);
      const before = seen.items.length;

      house.cut('Desk');
      const { random } = house.world;
      await house.run(random.below(20_000));
      // Most runs change each attribute once; some again and again, and then what was on its way may be seen as well.
      const rounds = seed % 4 === 3 ? 3 : 1;
      for (let round = 1; round <= rounds; round++) {
        const base = round * 10;
        meter.electricalMeasurement.set({ voltage: 220 + base, current: 1 + base });
        await house.run(random.below(5_000));
        meter.electricalMeasurement.set({ activePower: 200 + base, frequency: 50 + round });
        meter.onOff.set({ on: true });
        await house.run(random.below(20_000));
      }
      house.heal('Desk');
      await house.run(2_000);

      const news: readonly AttributeReport[] = seen.items.slice(before).flat();
      const base = rounds * 10;
      const finals = {
        voltage: 220 + base,
        current: 1 + base,
        activePower: 200 + base,
        frequency: 50 + rounds,
        on: true,
      };
      for (const [name, value] of Object.entries(finals)) {
        const values = news.filter(({ attribute }) => attribute === name).map(report => report.value);
        t.is(values.at(-1), value, `seed ${seed}: ${name}`);
        t.is(new Set(values).size, values.length, `seed ${seed}: ${name} ${values.join()}`);
        if (rounds === 1) t.is(values.length, 1, `seed ${seed}: ${name}`);
      }
      if (rounds === 1) t.is(news.length, 5, `seed ${seed}`);
      await house.during(network.close());
    }
  });
}

test('a watcher goes on after the device was restarted, with what has changed', async t => {
  const house = await House.create(35);
  const { lamp } = await house.lamp();
  const network = await house.app();
  const resource = await house.during(network.resource('Desk/lamp', [onOff, level]));
  const seen = collect(resource.onOff.watch());
  await house.run(1_000);
  lamp.onOff.set({ on: true });
  await house.run(2_000);

  house.restart('Desk');
  const again = await house.lamp();
  await house.run(30_000);
  again.lamp.onOff.set({ on: true });
  await house.run(5_000);

  const values = seen.items.map(({ on }) => on);
  t.is(values.at(-1), true);
  t.deepEqual(values.slice(0, 2), [false, true]);
});

test('presence: an app sees devices come and go', async t => {
  const house = await House.create(36);
  await house.lamp();
  const network = await house.app();
  const abort = new AbortController();
  const seen = collect(network.watchNodes({ signal: abort.signal }));
  await house.run(3_000);
  const online = network.node('Desk').online;

  house.host('Desk').crash();
  await house.world.until(() => !network.node('Desk').online, milliseconds(120_000), 'Desk to be away');
  abort.abort();
  await house.during(seen.done);

  t.true(online);
  t.is(network.node('Desk').path, null);
  const desk = seen.items.filter(({ node }) => node.name === 'Desk');
  t.is(desk[0]!.change, 'added');
  t.false(desk.at(-1)!.node.online);
  t.true(seen.items.some(({ node }) => node.self && node.name === 'phone'));
});

test('the whole network is watched at once, devices that come later included', async t => {
  const house = await House.create(37);
  await house.lamp('Desk');
  const network = await house.app();
  const seen = collect(network.watch({ capabilities: ['onOff'] }));
  await house.run(3_000);
  const shelf = await house.lamp('Shelf');
  await house.run(60_000);
  shelf.lamp.onOff.set({ on: true });
  await house.run(2_000);

  const reports = seen.items.flat();
  t.deepEqual([...new Set(reports.map(({ capability }) => capability))], ['onOff']);
  t.true(reports.some(({ address, value }) => address === 'Desk/lamp' && value === false));
  t.true(reports.some(({ address, value, fresh }) => address === 'Shelf/lamp' && value === true && fresh));
});
