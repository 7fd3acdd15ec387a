import { readFile } from 'node:fs/promises';
import test from 'ava';
import {
  decodeAnswer,
  decodeResponse,
  deviceInfo,
  diagnostics,
  encodeQuestion,
  onOff,
} from '@coconet/capabilities';
import { seconds } from '@coconet/cluster-protocol';
import { Home } from './support/home.js';
import type { Phone, Sent } from './support/phone.js';
import type { Device } from '../src/device.js';

interface PeerLine {
  readonly nodeId: number;
  readonly path: string;
  readonly rtt?: number;
  readonly loss: number;
  readonly txBytes: number;
  readonly rxBytes: number;
  readonly mtu: number;
}

async function open(seed: number): Promise<{ home: Home; device: Device; phone: Phone }> {
  const home = await Home.create(seed);
  const device = await home.device();
  device.addResource('system', [deviceInfo, diagnostics]);
  const phone = home.phone();
  phone.connect();
  await home.until(() => phone.connections() > 0);
  return { home, device, phone };
}

const peersOf = (device: Device): readonly PeerLine[] =>
  device.resource('system').capability('diagnostics').get('peers') as readonly PeerLine[];

async function end(home: Home, phone: Phone, sent: Sent): Promise<Readonly<Record<string, unknown>>> {
  await home.until(() => phone.ends(sent).length > 0, seconds(60));
  const [status] = phone.ends(sent);
  return { code: status!.code, field: status!.field, message: status!.message, response: status!.response };
}

/** The response of a command that succeeded, by name. */
async function answered(
  home: Home,
  phone: Phone,
  command: 'selfTest' | 'ping',
  params: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { code, message, response } = await end(
    home,
    phone,
    phone.call('system', diagnostics, command, params),
  );
  if (code !== 'success') throw new Error(`${command}: ${String(code)}, ${String(message)}`);
  const decoded = decodeResponse(diagnostics.commands[command], response as never);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.value;
}

async function ask(
  home: Home,
  phone: Phone,
  params: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly code: string; readonly report: unknown }> {
  phone.send({
    type: 'ask',
    requestId: 7,
    resourceId: 'system',
    capabilityId: diagnostics.id,
    infoRequestId: diagnostics.infoRequests.report.id,
    timeoutMs: 5_000,
    params: encodeQuestion(diagnostics, 'report', params),
  });
  await home.until(() => phone.last('answer') !== undefined);
  const { code, response } = phone.last('answer')!;
  const decoded = decodeAnswer(diagnostics.infoRequests.report, response ?? []);
  return { code, report: decoded.ok ? decoded.value.report : undefined };
}

test('the version of the SDK is that of its package', async t => {
  const { device } = await open(70);
  const manifest: unknown = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));

  t.like(manifest, { version: String(device.resource('system').capability('deviceInfo').get('sdkVersion')) });
});

test('a device tells its links to whoever asks, with what they carried', async t => {
  const { home, device, phone } = await open(71);
  await home.run(seconds(31));

  const [peer, ...others] = peersOf(device);

  t.deepEqual(others, []);
  t.like(peer, { nodeId: phone.node.nodeId, path: 'direct', loss: 0, mtu: 1_200 });
  t.true(peer!.txBytes > 0 && peer!.rxBytes > 0);
});

test('a link that has ended is told at once', async t => {
  const { home, device, phone } = await open(72);
  await home.run(seconds(1));
  t.is(peersOf(device).length, 1);

  phone.leave();
  await home.run(seconds(1));

  t.deepEqual(peersOf(device), []);
});

test('counters that were set back begin at nothing', async t => {
  const { home, device, phone } = await open(73);
  await home.run(seconds(31));
  const before = peersOf(device)[0]!;

  await end(home, phone, phone.call('system', diagnostics, 'resetCounters'));
  const after = peersOf(device)[0]!;

  t.true(after.txBytes < before.txBytes, `${after.txBytes} after ${before.txBytes}`);
});

test('the self test looks at store, sockets and NMN, and says what it found', async t => {
  const { home, phone } = await open(74);

  const all = (await answered(home, phone, 'selfTest')).results as readonly Record<string, unknown>[];
  const one = (await answered(home, phone, 'selfTest', { name: 'store' })).results;

  t.deepEqual(
    all.map(({ name }) => name),
    ['store', 'udp', 'nmn'],
  );
  t.like(all[0], { passed: true });
  t.like(all[1], { passed: true });
  t.like(all[2], { passed: false, message: 'this network has no NMN' });
  t.deepEqual(one, [all[0]]);
});

test('a self test that there is not is refused, with those that there are', async t => {
  const { home, phone } = await open(75);

  const refused = await end(home, phone, phone.call('system', diagnostics, 'selfTest', { name: 'disk' }));

  t.like(refused, { code: 'invalid', field: 'name' });
  t.regex(String(refused.message), /store, udp, nmn/);
});

test('a device pings another member, with what size was asked for', async t => {
  const { home, phone } = await open(76);

  for (const size of [undefined, 900]) {
    const { rtt, loss } = await answered(home, phone, 'ping', {
      nodeId: phone.node.nodeId,
      count: 2,
      ...(size !== undefined && { size }),
    });
    t.is((rtt as readonly number[]).length, 2);
    t.is(loss, 0);
  }
});

test('pings that nobody answers are lost, and a stranger is not pinged', async t => {
  const { home, phone, device } = await open(77);
  const absent = device.nodes().find(({ name }) => name === 'tablet')!.nodeId;

  const lost = await answered(home, phone, 'ping', { nodeId: absent, count: 1 });
  const stranger = await end(home, phone, phone.call('system', diagnostics, 'ping', { nodeId: 1 }));
  const self = await end(home, phone, phone.call('system', diagnostics, 'ping', { nodeId: device.nodeId }));

  t.deepEqual(lost, { rtt: [], loss: 100 });
  t.like(stranger, { code: 'notFound', field: 'nodeId' });
  t.like(self, { code: 'notFound', field: 'nodeId' });
});

test('the report has all sections, or those asked for, and no addresses for a guest', async t => {
  const { home, phone, device } = await open(78);

  const whole = await ask(home, phone);

  t.is(whole.code, 'success');
  t.like(whole.report, {
    device: { nodeId: device.nodeId, resources: 1 },
    network: { nmn: 'away', members: 5 },
    peers: { 0: { nodeId: phone.node.nodeId, path: 'direct' } },
    work: { commands: 1, subscriptions: 0 },
  });
  t.false(JSON.stringify(whole.report).includes(':6')); // No port of anybody.
  t.false(/\d+\.\d+\.\d+\.\d+/.test(JSON.stringify(whole.report).replace('0.1.0', '')));
});

test('a report of one section has that section alone', async t => {
  const { home, phone } = await open(79);

  const { report } = await ask(home, phone, { sections: ['work'] });

  t.deepEqual(report, { work: { commands: 1, subscriptions: 0 } });
});

test('a report of a section that there is not is refused', async t => {
  const { home, phone } = await open(80);

  const { code } = await ask(home, phone, { sections: ['secrets'] });

  t.is(code, 'invalid');
});

test("a handler of the program's own comes before that of the SDK", async t => {
  const home = await Home.create(81);
  const device = await home.device();
  const system = device.addResource('system', [diagnostics]);
  system.diagnostics.handle({
    selfTest: () => ({ results: [{ name: 'motor', passed: true }] }),
  });
  const phone = home.phone();

  const { results } = await answered(home, phone, 'selfTest');

  t.deepEqual(results, [{ name: 'motor', passed: true }]);
});

test('a device without these capabilities measures nothing', async t => {
  const home = await Home.create(82);
  const device = await home.device();

  device.addResource('lamp', [onOff]);
  device.addResource('system', [diagnostics]);
  device.removeResource('system');

  await t.notThrowsAsync(home.run(seconds(120)));
});
