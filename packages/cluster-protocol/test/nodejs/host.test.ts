import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { after, ClusterError, milliseconds } from '../../src/base/index.js';
import { createNodeHost } from '../../src/nodejs/host.js';
import type { NodeHost } from '../../src/nodejs/host.js';
import { socketAddress } from '../../src/wire/index.js';
import type { SocketAddress } from '../../src/wire/index.js';
import { EventLog, ScriptedMachine } from './support/scripted-machine.js';
import type { ScriptedEvent } from './support/scripted-machine.js';

const received = (event: ScriptedEvent): boolean => event.kind === 'received';
const hasLoopback6 = Object.values(networkInterfaces()).some(list =>
  list?.some(({ address }) => address === '::1'),
);

async function start(host: NodeHost, options: { echo?: boolean; bind?: string[]; port?: number } = {}) {
  const machine = new ScriptedMachine({ echo: options.echo ?? false });
  const log = new EventLog<ScriptedEvent>();
  const { bind = ['127.0.0.1'], port = 0 } = options;
  const running = await host.run(machine, { bind, port }, log.listener);
  return { machine, log, running };
}

function loopback(port: number, host = '127.0.0.1'): SocketAddress {
  return socketAddress(host, port)!;
}

for (const address of hasLoopback6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
  test(`two machines talk over ${address}`, async t => {
    const host = await createNodeHost();
    const echo = await start(host, { echo: true, bind: [address] });
    const asker = await start(host, { bind: [address] });
    const port = echo.running.links[0]!.port;

    asker.machine.send(1, loopback(port, address), Uint8Array.of(1, 2, 3));
    asker.machine.send(1, loopback(port, address), Uint8Array.of(4, 5));
    asker.running.turn();
    await asker.log.count(2, received);

    t.deepEqual(
      asker.log.events.map(event => event.kind === 'received' && [event.remote, [...event.bytes]]),
      [
        [loopback(port, address), [1, 2, 3]],
        [loopback(port, address), [4, 5]],
      ],
    );
    await Promise.all([echo.running.close(), asker.running.close()]);
  });
}

test('a host without a wish opens one socket of each family it has, on one port', async t => {
  const host = await createNodeHost();
  const machine = new ScriptedMachine();

  const running = await host.run(machine, {}, () => {});

  t.is(machine.links, running.links);
  t.is(machine.links[0]?.family, 4);
  t.true(
    machine.links[0]!.addresses.some(
      ({ host, prefixLength, internal }) => host === '127.0.0.1' && prefixLength === 8 && internal,
    ),
  );
  t.true(
    machine.links.every(link =>
      link.addresses.every(({ host }) => host.includes(':') === (link.family === 6)),
    ),
  );
  if (hasLoopback6)
    t.deepEqual(
      machine.links.map(({ family }) => family),
      [4, 6],
    );
  await running.close();
});

test('the IPv6 socket does not hear IPv4', async t => {
  if (!hasLoopback6) return t.pass('this machine has no IPv6');
  const host = await createNodeHost();
  const everywhere = await start(host, { bind: ['0.0.0.0', '::'] });
  const asker = await start(host);
  const [four, six] = everywhere.running.links;

  asker.machine.send(1, loopback(four!.port), Uint8Array.of(1));
  asker.running.turn();
  const event = await everywhere.log.first(received);

  t.is(event.kind === 'received' && event.link, four!.id);
  t.not(four!.id, six!.id);
  await Promise.all([everywhere.running.close(), asker.running.close()]);
  return undefined;
});

test('all verbs of one turn are drained together', async t => {
  const host = await createNodeHost();
  const { machine, running } = await start(host);
  await new Promise(setImmediate);
  const before = machine.polls;

  running.turn();
  running.turn();
  running.turn();
  await Promise.resolve();

  t.is(machine.polls, before + 1);
  await running.close();
});

test('a burst larger than a batch is sent whole and leaves room to receive', async t => {
  const host = await createNodeHost();
  const echo = await start(host, { echo: true });
  const asker = await start(host);
  const remote = loopback(echo.running.links[0]!.port);

  for (let i = 0; i < 300; i++) asker.machine.send(1, remote, Uint8Array.of(i >> 8, i & 255));
  asker.running.turn();
  await asker.log.count(300, received);

  const numbers = asker.log.events.map(
    event => event.kind === 'received' && (event.bytes[0]! << 8) | event.bytes[1]!,
  );
  t.deepEqual(new Set(numbers).size, 300);
  await Promise.all([echo.running.close(), asker.running.close()]);
});

test('a datagram that is too long comes back as a send error that names its destination', async t => {
  const host = await createNodeHost();
  const { machine, log, running } = await start(host);
  const remote = loopback(9);

  machine.send(1, remote, new Uint8Array(65_530));
  machine.send(1, remote, new Uint8Array(70_000));
  running.turn();
  await log.count(2, event => event.kind === 'sendFailed');

  const failure = { kind: 'sendFailed', remote, error: 'messageTooLong' } as const;
  t.deepEqual(log.events, [failure, failure]);
  await running.close();
});

test('a machine is woken at its deadline, and not before', async t => {
  const host = await createNodeHost();
  const { machine, log, running } = await start(host);
  const due = after(host.now(), milliseconds(12.5));

  machine.due = after(due, milliseconds(60_000));
  running.turn();
  await Promise.resolve();
  machine.due = due; // An earlier deadline replaces a later one that is armed.
  running.turn();
  const event = await log.first(({ kind }) => kind === 'timeout');

  t.true(event.kind === 'timeout' && event.now >= due);
  await running.close();
});

test('scheduled actions run in the order of their delays, and not when called off', async t => {
  const host = await createNodeHost();
  const began = host.now();
  const order: string[] = [];

  await new Promise<void>(resolve => {
    host.schedule(milliseconds(15), () => {
      order.push('late');
      resolve();
    });
    const callOff = host.schedule(milliseconds(5), () => order.push('called off'));
    host.schedule(milliseconds(3), () => order.push('early'));
    callOff();
    callOff();
  });

  t.deepEqual(order, ['early', 'late']);
  t.true(host.now() >= after(began, milliseconds(15)));
});

test('nothing is delivered after close, and what a verb queued before it still leaves', async t => {
  const host = await createNodeHost();
  const peer = await start(host);
  const leaving = await start(host);

  leaving.machine.send(1, loopback(peer.running.links[0]!.port), Uint8Array.of(7));
  leaving.running.turn();
  peer.machine.send(1, loopback(leaving.running.links[0]!.port), Uint8Array.of(8));
  peer.running.turn();
  await Promise.all([leaving.running.close(), leaving.running.close()]);
  leaving.running.turn();
  const goodbye = await peer.log.first(received);

  t.deepEqual(goodbye.kind === 'received' && [...goodbye.bytes], [7]);
  t.deepEqual(leaving.log.events, []);
  await peer.running.close();
});

test('a listener may close its own machine', async t => {
  const host = await createNodeHost();
  const asker = await start(host);
  const heard: ScriptedEvent[] = [];
  const machine = new ScriptedMachine();
  const running = await host.run(machine, { bind: ['127.0.0.1'] }, event => {
    heard.push(event);
    void running.close().then(() => asker.running.turn());
  });

  for (let i = 0; i < 3; i++) asker.machine.send(1, loopback(running.links[0]!.port), Uint8Array.of(i));
  asker.running.turn();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  await running.close();

  t.is(heard.length, 1);
  await asker.running.close();
});

test('a taken port is named, and nothing stays open', async t => {
  const host = await createNodeHost();
  const holder = createSocket('udp4');
  await new Promise<void>(resolve => holder.bind(0, '127.0.0.2', resolve));
  const { port } = holder.address();

  const error = await t.throwsAsync(
    host.run(new ScriptedMachine(), { port, bind: ['127.0.0.1', '127.0.0.2'] }, () => {}),
    { instanceOf: ClusterError, code: 'PORT_IN_USE' },
  );

  t.regex(error.message, new RegExp(`UDP port ${port} `));
  const again = await start(host, { port });
  t.is(again.running.links[0]?.port, port);
  await again.running.close();
  holder.close();
});

test('a machine that throws at its start leaves no socket behind', async t => {
  const host = await createNodeHost();
  const { running } = await start(host);
  const { port } = running.links[0]!;
  await running.close();
  const broken = new ScriptedMachine();
  broken.handleLinks = () => {
    throw new ClusterError('HANDSHAKE_FAILED', 'no such key');
  };

  await t.throwsAsync(
    host.run(broken, { port, bind: ['127.0.0.1'] }, () => {}),
    { code: 'HANDSHAKE_FAILED' },
  );

  const again = await start(host, { port });
  t.is(again.running.links[0]?.port, port);
  await again.running.close();
});

test('another port is taken where the caller allows it', async t => {
  const host = await createNodeHost();
  const holder = createSocket('udp4');
  await new Promise<void>(resolve => holder.bind(0, '127.0.0.1', resolve));
  const { port } = holder.address();

  const running = await host.run(
    new ScriptedMachine(),
    { port, bind: ['127.0.0.1'], whenTaken: 'any' },
    () => {},
  );

  t.not(running.links[0]?.port, port);
  t.true(running.links[0]!.port > 0);
  await running.close();
  holder.close();
});

test('wrong options are refused with the reason', async t => {
  const host = await createNodeHost();
  const run = (options: object) => host.run(new ScriptedMachine(), options, () => {});

  await t.throwsAsync(run({ port: 65_536 }), { code: 'INVALID_ARGUMENT', message: /65536/ });
  await t.throwsAsync(run({ bind: ['localhost'] }), { code: 'INVALID_ARGUMENT', message: /localhost/ });
  await t.throwsAsync(run({ bind: ['192.0.2.1'] }), { code: 'SOCKET_FAILED', message: /no interface/ });
});

test('a process that closed everything ends by itself', async t => {
  const script = join(import.meta.dirname, 'support', 'open-and-close.ts');

  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import=tsx', '--conditions=coconet-source', script],
    { timeout: 20_000 },
  );

  t.is(stdout, 'closed\n');
});
