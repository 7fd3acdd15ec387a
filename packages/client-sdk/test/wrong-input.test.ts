import test from 'ava';
import { level, onOff, powerLevel, temperatureMeasurement } from '@coconet/capabilities';
import { MemoryStore } from '@coconet/cluster-protocol';
import { connect, createNetwork } from '../src/index.js';
import { openNetwork } from '../src/open-network.js';
import { caught, House, platformOf } from './support/house.js';

const URI =
  'coconet://127.0.0.1:9/#v=1&net=AAAAAAAAAAAAAAAAAAAAAA&key=BcdeBcdeBcdeBcdeBcdeBcdeBcdeBcdeBcdeBcdeBcc&claim=AAAAAAAAAAAAAAAAAAAAAA';

test('a join URI that is cut off is named before anything is opened', async t => {
  const error = await caught(connect({ join: URI.slice(0, 90), store: '/nowhere/at/all' }));

  t.is(error.code, 'JOIN_URI_INVALID');
});

test('keys that would be too old are refused with the range, before anything is opened', async t => {
  const error = await caught(connect({ store: '/nowhere/at/all', transport: { rekeyAfter: 7_200_000 } }));

  t.is(error.code, 'INVALID_OPTION');
  t.regex(error.message, /^transport: rekeyAfter is 7200000 ms; give 10000 to 3600000$/);
});

test('a join URI of another network than the store is refused', async t => {
  const house = await House.create(51);

  const error = await house.failure(
    house.app('phone', { join: URI }).catch((cause: unknown) => Promise.reject(cause as Error)),
  );

  t.is(error.code, 'WRONG_NETWORK');
});

test('a store without a membership and without a URI says what to do', async t => {
  const house = await House.create(52);

  const error = await house.failure(
    openNetwork(platformOf(house.host('phone')), { store: new MemoryStore() }),
  );

  t.is(error.code, 'NOT_A_MEMBER');
  t.regex(error.message, /coconet invite/);
});

test('connecting to an NMN that is away says so once, and can be called off', async t => {
  const house = await House.create(53);
  const abort = new AbortController();
  const notices: string[] = [];
  const outcome = caught(
    openNetwork(platformOf(house.host('phone')), {
      store: new MemoryStore(),
      join: URI,
      signal: abort.signal,
      onNotice: text => notices.push(text),
    }),
  );
  await house.run(120_000);

  abort.abort();
  const error = await house.during(outcome);

  t.is(error.code, 'CANCELLED');
  t.is(notices.length, 1);
});

test('what an app gets wrong has a stable code and names what would be right', async t => {
  const house = await House.create(54);
  await house.lamp();
  const network = await house.app();
  const lamp = await house.during(network.resource('Desk/lamp'));
  const timeout = 1_000;
  const failures = await house.during(
    Promise.all([
      caught(network.resource('Desk', { timeout })),
      caught(network.resource('Dsek/lamp', { timeout })),
      caught(network.resource('Desk/lmap', { timeout })),
      caught(network.resource('phone/lamp', { timeout })),
      caught(network.resource('tablet/lamp', { timeout })),
      caught(network.resource('Shelf/lamp', { timeout })),
      caught(network.resource('Desk/lamp', [powerLevel], { timeout })),
      caught(network.resource('Desk/lamp', { timeout: 0 })),
      caught(lamp.capability('onOff').call('trunOn')),
      caught(lamp.capability('level').call('setLevel', {})),
      caught(lamp.capability('level').call('setLevel', { level: 'much' })),
      caught(lamp.capability('level').call('setLevel', { level: 140 })),
      caught(lamp.capability('level').call('setLevel', { level: 1, speed: 2 })),
      caught(lamp.capability('level').write({ level: 3 })),
      caught(lamp.capability('onOff').write({ color: 3 })),
      caught(lamp.capability('onOff').ask('nothing')),
    ]),
  );

  t.deepEqual(
    failures.map(({ code }) => code),
    [
      'ADDRESS_INVALID',
      'UNKNOWN_NODE',
      'UNKNOWN_RESOURCE',
      'UNKNOWN_NODE',
      'UNKNOWN_NODE',
      'DEVICE_UNREACHABLE',
      'CAPABILITY_MISSING',
      'INVALID_OPTION',
      'UNKNOWN_COMMAND',
      'MISSING_PARAMETER',
      'VALUE_WRONG_TYPE',
      'VALUE_OUT_OF_RANGE',
      'UNKNOWN_PARAMETER',
      'NOT_WRITABLE',
      'UNKNOWN_ATTRIBUTE',
      'UNKNOWN_INFO_REQUEST',
    ].map((code, index) => (code === 'UNKNOWN_NODE' && index > 2 ? 'UNKNOWN_RESOURCE' : code)),
  );
  t.regex(failures[1].message, /did you mean Desk\?/);
  t.regex(failures[2].message, /Desk has no resource 'lmap'; did you mean lamp\?/);
  t.regex(failures[3].message, /is a client and has no resources/);
  t.regex(failures[6].message, /has no capability powerLevel; .*it has onOff, level, temperatureMeasurement/);
  t.regex(t.throws(() => lamp.capability('onoff')).message, /did you mean onOff\?/);
});

test('an ambiguous name lists both devices', async t => {
  const house = await House.create(55);
  await house.lamp();
  const network = await house.app();
  await house.during(network.resource('Desk/lamp', [onOff, level, temperatureMeasurement]));
  const shelf = network.node('Shelf');
  network.view.setNode({ ...shelf, name: 'Desk' });

  const error = await house.failure(network.resource('Desk/lamp'));
  const lamp = await house.during(network.resource(`#${house.nodeId('Desk')}/lamp`));

  t.is(error.code, 'AMBIGUOUS_NAME');
  t.true(
    error.message.includes(`#${shelf.nodeId}/lamp`) &&
      error.message.includes(`#${house.nodeId('Desk')}/lamp`),
  );
  t.is(lamp.info.address, `#${house.nodeId('Desk')}/lamp`);
});

test('after close every call says so, and closing again is harmless', async t => {
  const house = await House.create(56);
  await house.lamp();
  const network = await house.app();
  const lamp = await house.during(network.resource('Desk/lamp', [onOff]));
  const waiting = caught(network.resource('Desk/nothing'));

  await house.during(network.close());
  await house.during(network.close());

  t.is((await waiting).code, 'NETWORK_CLOSED');
  t.is((await caught(network.resource('Desk/lamp'))).code, 'NETWORK_CLOSED');
  t.is((await caught(lamp.onOff.turnOn())).code, 'CANCELLED');
});

test('who may not invite, or has no NMN, is told', async t => {
  const house = await House.create(57);
  const network = await house.app();

  const away = await house.failure(network.admin.createInvitation({ kind: 'device' }));
  const name = await house.failure(network.admin.createInvitation({ kind: 'device', name: 'a/b' }));
  const role = await house.failure(network.admin.createInvitation({ kind: 'device', role: 'admin' }));

  t.is(away.code, 'NMN_UNREACHABLE');
  t.is(name.code, 'INVALID_OPTION');
  t.is(role.code, 'INVALID_OPTION');
});

test('a network is not made from a wrong URI, without a name, or from both ways', async t => {
  const base = { name: 'Home', user: 'me', store: '/nowhere', rootFile: '/nowhere/root' };

  t.is((await caught(createNetwork(base))).code, 'INVALID_OPTION');
  t.is((await caught(createNetwork({ ...base, operator: 'x', localSocket: 'y' }))).code, 'INVALID_OPTION');
  t.is((await caught(createNetwork({ ...base, operator: URI }))).code, 'JOIN_URI_INVALID');
  t.is((await caught(createNetwork({ ...base, name: 'a/b', operator: 'x' }))).code, 'INVALID_OPTION');
  t.is((await caught(createNetwork({ ...base, localSocket: '/nowhere/nmn.sock' }))).code, 'NMN_UNREACHABLE');
});
