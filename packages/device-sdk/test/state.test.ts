import {
  defineCapability,
  electricalMeasurement,
  level,
  onOff,
  t as type,
  telemetry,
} from '@coconet/capabilities';
import { MemoryStore, milliseconds, seconds } from '@coconet/cluster-protocol';
import { memberOf, storeOf } from '@coconet/cluster-protocol/testing';
import test from 'ava';
import { Home } from './support/home.js';

const meter = defineCapability({
  id: 'org.coconet.test.meter',
  name: 'meter',
  title: 'Keeps what it has counted',
  revision: 1,
  tier: 'vendor',
  attributes: {
    total: { id: 1, type: type.uint64(), persist: true },
    since: { id: 2, type: type.timestamp(), persist: true },
    raw: { id: 3, type: type.bytes(), persist: true },
    rate: { id: 4, type: type.float64() },
    mode: { id: 5, type: type.enum(['eco', 'full']), persist: true, default: 'eco' },
  },
});

test('persisted attributes come back after a power failure, others do not', async t => {
  const home = await Home.create(81);
  const first = await home.device();
  const { meter: before } = first.addResource('Zählwerk / Keller #1', [meter]);
  before.set({
    total: 2n ** 60n,
    since: new Date(1_000),
    raw: new Uint8Array([1, 2]),
    rate: 1.5,
    mode: 'full',
  });
  await home.run(seconds(1));

  home.restart();
  const second = await home.device();
  const { meter: after } = second.addResource('Zählwerk / Keller #1', [meter]);

  t.deepEqual(after.values, {
    total: 2n ** 60n,
    since: new Date(1_000),
    raw: new Uint8Array([1, 2]),
    rate: null,
    mode: 'full',
  });
});

test('writes to the store are coalesced, and closing writes what is left', async t => {
  const home = await Home.create(82);
  const device = await home.device();
  const { meter: counter } = device.addResource('m', [meter]);
  const store = home.host.disk();
  let writes = 0;
  const write = store.write.bind(store);
  store.write = (changes, done) => {
    if ([...changes.keys()].some(key => key.startsWith('device/values/'))) writes++;
    write(changes, done);
  };

  for (let i = 0; i < 200; i++) {
    counter.set({ total: BigInt(i) });
    await home.run(milliseconds(10));
  }
  counter.set({ total: 999n });
  await home.during(device.close());

  t.true(writes <= 10, `${writes} writes in 2 s`);
  home.restart();
  const again = await home.device();
  t.is(again.addResource('m', [meter]).meter.get('total'), 999n);
});

test('a value that is read again unchanged wears no flash', async t => {
  const home = await Home.create(83);
  const device = await home.device();
  const { meter: counter } = device.addResource('m', [meter]);
  counter.set({ total: 5n });
  await home.run(seconds(1));
  const store = home.host.disk();
  let writes = 0;
  const write = store.write.bind(store);
  store.write = (changes, done) => {
    writes++;
    write(changes, done);
  };

  for (let i = 0; i < 100; i++) {
    counter.set({ total: 5n });
    await home.run(milliseconds(100));
  }

  t.is(writes, 0);
});

test('a removed resource leaves nothing behind in the store', async t => {
  const home = await Home.create(84);
  const device = await home.device();
  device.addResource('m', [meter]).meter.set({ total: 5n });
  await home.run(seconds(1));

  device.removeResource('m');
  await home.run(seconds(1));

  t.deepEqual(
    [...home.host.disk().entries.keys()].filter(key => key.startsWith('device/values/')),
    [],
  );
  t.is(device.addResource('m', [meter]).meter.get('total'), null);
});

test('a store that outlives nothing is not written to, and the state begins anew', async t => {
  const home = await Home.create(85);
  const store = new MemoryStore();
  await store.write(storeOf(home.network, 'Desk'));

  const device = await home.device({}, store);
  device.addResource('lamp', [onOff]).onOff.set({ on: true });
  await home.run(seconds(1));

  t.deepEqual(await store.list('device/'), []);
});

test('a value out of range, of the wrong type or under a wrong name is refused at once and whole', async t => {
  const home = await Home.create(86);
  const device = await home.device();
  const lamp = device.addResource('lamp', [level, telemetry]);
  lamp.level.set({ level: 10, minLevel: 1 });
  lamp.level.limit({ level: { min: 5, max: 80 } });
  const generic = device.resource('lamp').capability('level');

  const cases: readonly (readonly [() => void, string, RegExp])[] = [
    [
      () => lamp.level.set({ minLevel: 2, level: 81 }),
      'VALUE_OUT_OF_RANGE',
      /level.level is 81, allowed is 5…80 %/,
    ],
    [() => generic.set({ level: 'high' }), 'VALUE_WRONG_TYPE', /level.level/],
    [() => generic.set({ levle: 1 }), 'UNKNOWN_ATTRIBUTE', /did you mean level\?/],
    [() => generic.handle({ setLevle: () => undefined }), 'UNKNOWN_COMMAND', /did you mean setLevel\?/],
    [() => lamp.level.publish({ level: 20 }), 'NOT_PUBLISHABLE', /change it with set/],
    [() => lamp.telemetry.set({ batch: null }), 'NOT_PUBLISHABLE', /send it with publish/],
    [() => device.addResource('lamp', [onOff]), 'DUPLICATE_RESOURCE', /already/],
    [() => device.addResource('two', [onOff, onOff]), 'INVALID_RESOURCE', /twice/],
    [() => device.addResource('', [onOff]), 'INVALID_RESOURCE', /1 to 128 bytes/],
    [() => device.resource('lamb'), 'UNKNOWN_RESOURCE', /did you mean lamp\?/],
    [() => lamp.capability('onOff'), 'UNKNOWN_RESOURCE', /has no capability 'onOff'/],
    [() => device.explain('phne'), 'PEER_UNKNOWN', /did you mean phone\?/],
  ];
  for (const [act, code, message] of cases) t.like(t.throws(act, { message }), { code });

  t.is(lamp.level.get('minLevel'), 1);
  t.is(lamp.level.get('level'), 10);
});

test('a removed resource and a closed device say so when they are used', async t => {
  const home = await Home.create(87);
  const device = await home.device();
  const lamp = device.addResource('lamp', [onOff]);
  const shelf = device.addResource('shelf', [onOff]);
  device.removeResource('lamp');

  t.like(
    t.throws(() => lamp.onOff.set({ on: true })),
    { code: 'RESOURCE_REMOVED' },
  );
  await home.during(device.close());
  await home.during(device.close());
  t.like(
    t.throws(() => shelf.onOff.set({ on: true })),
    { code: 'DEVICE_CLOSED' },
  );
  t.like(
    t.throws(() => device.addResource('x', [onOff])),
    { code: 'DEVICE_CLOSED' },
  );
});

test('several equal capabilities of one resource are told apart by their labels', async t => {
  const home = await Home.create(88);
  const device = await home.device();
  const { electricalMeasurement: phases } = device.addResource('grid', [electricalMeasurement], {
    instances: { electricalMeasurement: ['L1', 'L2'] },
  });
  phases.instance('L1').set({ voltage: 230 });
  phases.instance('L2').set({ voltage: 231 });
  const phone = home.phone();

  phone.subscribe();
  await home.until(() => phone.all('report').length === 1);

  const voltages = phone.last('report')!.entries.filter(({ attributeId }) => attributeId === 1);
  t.deepEqual(
    voltages.map(({ instance, value }) => [instance, value]),
    [
      ['L1', 230],
      ['L2', 231],
    ],
  );
  t.like(
    t.throws(() => phases.set({ voltage: 1 })),
    { code: 'UNKNOWN_INSTANCE' },
  );
  t.like(
    t.throws(() => phases.instance('L3'), { message: /did you mean L1\?/ }),
    { code: 'UNKNOWN_INSTANCE' },
  );
});

test('a device knows who it is, who is there and why the path is what it is', async t => {
  const home = await Home.create(89);
  const device = await home.device();
  const heard: string[] = [];
  device.on('connected', ({ name }) => heard.push(`${name} came`));
  const stop = device.on('disconnected', ({ name, reason }) => heard.push(`${name} ${reason}`));
  const phone = home.phone();
  phone.connect();
  await home.until(() => heard.length === 1);

  t.is(device.name, 'Desk');
  t.is(device.nodeId, memberOf(home.network, 'Desk').nodeId);
  t.regex(device.network.id, /^[\w-]{22}$/);
  t.true(device.nodes().find(({ name }) => name === 'phone')!.online);
  t.is(device.explain('phone').path, 'direct');
  stop();
  t.deepEqual(heard, ['phone came']);
});

test('what a program changes in an object after set does not change the attribute', async t => {
  const home = await Home.create(90);
  const device = await home.device();
  const { telemetry: series } = device.addResource('series', [telemetry]);
  const channel = { id: 'a', name: 'A', unit: 'V', type: 'float', rate: 1 };
  const channels = [channel];

  series.set({ channels });
  channel.rate = 2;

  t.deepEqual(series.get('channels'), [{ ...channel, rate: 1 }]);
});
