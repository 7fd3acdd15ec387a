import test from 'ava';
import fc from 'fast-check';

import { elapsed, instant, milliseconds, seconds } from '../../src/base/index.js';
import type { Duration } from '../../src/base/index.js';
import { AuthenticatingProvider } from '../../src/testing/authenticating-provider.js';
import type { LinkConditions } from '../../src/testing/link-conditions.js';
import { Recorder } from '../../src/testing/recorder.js';
import { SimulatedWorld } from '../../src/testing/simulated-world.js';
import { ProbeMachine } from './support/probe-machine.js';

const crypto = new AuthenticatingProvider();

/** Two hosts on the internet; `left` sends, what comes out at `right` is looked at. */
function line(conditions: Partial<LinkConditions>, seed = 1, recorder = new Recorder({ keep: 100 })) {
  const world = new SimulatedWorld({ seed, crypto, recorder });
  const leftHost = world.host({ name: 'left' });
  const rightHost = world.host({ name: 'right' });
  const left = new ProbeMachine();
  const right = new ProbeMachine();
  const running = leftHost.attach(left, { port: 1 });
  rightHost.attach(right, { port: 2 });
  leftHost.board.setConditions(conditions);
  const remote = rightHost.address(2);
  const send = (count: number, size = 100) => {
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8Array(size);
      new DataView(bytes.buffer).setUint32(0, i);
      left.send(remote, bytes);
    }
    running.turn();
    world.runNow(seconds(60));
  };
  const numbers = () => right.received.map(({ bytes }) => new DataView(bytes.buffer).getUint32(0));
  return { world, leftHost, rightHost, left, right, running, remote, send, numbers };
}

test('a good link delivers all, in order, after its delay', t => {
  const { world, send, numbers, right, rightHost } = line({
    delay: milliseconds(30),
    jitter: milliseconds(20),
  });
  const began = rightHost.now();

  send(50);

  t.deepEqual(
    numbers(),
    Array.from({ length: 50 }, (_, i) => i),
  );
  for (const { at } of right.received) {
    const took = elapsed(began, at);
    t.true(took >= 35 - 1e-6 && took <= 55 + 1e-6, `${took} ms`);
  }
  t.is(world.recorder.fates.get('delivered'), 50);
});

test('loss, bursts, duplication, corruption and truncation happen about as often as asked', t => {
  const COUNT = 5_000;
  const outcome = (conditions: Partial<LinkConditions>) => {
    const l = line(conditions);
    l.send(COUNT);
    return l;
  };
  const near = (actual: number, wanted: number) => Math.abs(actual - wanted) < COUNT * 0.03;

  t.true(near(outcome({ loss: 0.1 }).right.received.length, COUNT * 0.9));
  t.true(near(outcome({ duplicate: 0.1 }).right.received.length, COUNT * 1.1));
  const corrupted = outcome({ corrupt: 0.1 }).right.received.filter(({ bytes }) =>
    bytes.subarray(4).some(byte => byte !== 0),
  );
  t.true(near(corrupted.length, COUNT * 0.1 * 0.96));
  const truncated = outcome({ truncate: 0.1 }).right.received.filter(({ bytes }) => bytes.length < 100);
  t.true(near(truncated.length, COUNT * 0.1));
  const burst = outcome({ burst: { enter: 0.01, leave: 0.2, loss: 1 } });
  const arrived = burst.numbers();
  const gaps = arrived.filter((number, i) => i > 0 && number !== arrived[i - 1]! + 1).length;
  const lost = COUNT - arrived.length;
  t.true(lost / gaps > 3, `${lost} packets lost in ${gaps} bursts`);
});

test('reordering lets later packets overtake, and loses none', t => {
  const { send, numbers } = line({ reorder: 0.2, reorderBy: milliseconds(5), bandwidth: 200_000 });

  send(200);

  t.notDeepEqual(
    numbers(),
    [...numbers()].sort((a, b) => a - b),
  );
  t.is(new Set(numbers()).size, 200);
});

test('bandwidth spaces packets out, and a full queue loses the tail', t => {
  const { send, numbers, right, world } = line({ bandwidth: 10_000, queue: 1_280 });

  send(20); // 128 bytes each with headers

  t.deepEqual(
    numbers(),
    Array.from({ length: 10 }, (_, i) => i),
  );
  const gaps = right.received.slice(1).map(({ at }, i) => elapsed(right.received[i]!.at, at));
  t.true(gaps.every(gap => Math.abs(gap - 12.8) < 1e-6));
  t.is(world.recorder.fates.get('queueFull'), 10);
});

test('a black hole swallows what is larger than its MTU, without a word', t => {
  const { left, send, right } = line({ mtu: 1_280 });

  send(1, 1_252);
  send(1, 1_253);

  t.deepEqual(
    right.received.map(({ bytes }) => bytes.length),
    [1_252],
  );
  t.deepEqual(left.failures, []);
});

test('what the own machine cannot send comes back as an error', t => {
  const { leftHost, left, send, right } = line({});

  leftHost.board.interfaceMtu = 1_400;
  send(1, 1_373);
  leftHost.board.sendError = 'other';
  send(1);
  leftHost.board.sendError = undefined;
  leftHost.board.unplug();
  send(1);

  t.deepEqual(left.failures, ['messageTooLong', 'other', 'unreachable']);
  t.deepEqual(right.received, []);
});

test('a cut host is silent until it is healed', t => {
  const { world, send, right } = line({});

  world.network.partition(['left'], ['right']);
  send(1);
  t.deepEqual(right.received, []);
  t.is(world.recorder.fates.get('partitioned'), 1);

  world.network.heal('left', 'right');
  send(1);
  t.is(right.received.length, 1);
});

test('hosts of one LAN reach each other without the internet', t => {
  const world = new SimulatedWorld({ seed: 3, crypto });
  const home = world.network.lan({ line: { down: true } });
  const lamp = new ProbeMachine();
  const phone = new ProbeMachine();
  const lampHost = world.host({ name: 'lamp', on: home });
  const phoneRunning = world.host({ name: 'phone', on: home }).attach(phone, { port: 5 });
  lampHost.attach(lamp, { port: 4 });
  const server = world.host({ name: 'server' });
  server.attach(new ProbeMachine(), { port: 6 });

  phone.send(lampHost.address(4));
  phone.send(server.address(6));
  phoneRunning.turn();
  world.runNow(seconds(1));

  t.deepEqual(lamp.sources, ['192.168.1.2:5']);
  t.is(world.recorder.fates.get('down'), 1);
});

test('IPv4 and IPv6 are two links of one host', t => {
  const world = new SimulatedWorld({ seed: 3, crypto });
  const one = world.host({ name: 'one', ipv6: true });
  const two = world.host({ name: 'two', ipv6: true });
  const machine = new ProbeMachine();
  const echo = new ProbeMachine();
  echo.echo = true;
  const running = one.attach(machine, { port: 9 });
  two.attach(echo, { port: 8 });

  machine.send(two.address(8, 4));
  machine.send(two.address(8, 6));
  running.turn();
  world.runNow(seconds(1));

  t.deepEqual(
    running.links.map(({ id, family, port }) => [id, family, port]),
    [
      [1, 4, 9],
      [2, 6, 9],
    ],
  );
  t.deepEqual(machine.sources, ['5.1.0.2:8', '[2a00::2]:8']);
  t.deepEqual(echo.sources, ['5.1.0.1:9', '[2a00::1]:9']);
});

test('two programs of one machine talk over its loopback', t => {
  const world = new SimulatedWorld({ seed: 3, crypto });
  const host = world.host({ name: 'box' });
  const client = new ProbeMachine();
  const server = new ProbeMachine();
  const running = host.attach(client, { port: 1, bind: ['127.0.0.1'] });
  host.attach(server, { port: 2 });

  client.send({ family: 4, host: '127.0.0.1', port: 2, key: '127.0.0.1:2' });
  running.turn();
  world.runNow(milliseconds(1));

  t.deepEqual(server.sources, ['127.0.0.1:1']);
  t.deepEqual(
    running.links[0]?.addresses.map(({ host }) => host),
    ['127.0.0.1'],
  );
});

/** A busy little world, everything in it left to chance. */
function busyWorld(seed: number, keep = 0): SimulatedWorld {
  const world = new SimulatedWorld({ seed, crypto, recorder: new Recorder({ keep }) });
  const rough: Partial<LinkConditions> = {
    loss: 0.05,
    jitter: milliseconds(10),
    reorder: 0.1,
    duplicate: 0.05,
    corrupt: 0.02,
    truncate: 0.02,
  };
  const server = world.host({ name: 'server' });
  const echo = new ProbeMachine();
  echo.echo = true;
  server.attach(echo, { port: 1000 });
  for (const kind of ['portRestricted', 'symmetric', 'fullCone'] as const) {
    const host = world.host({ name: kind, on: world.network.lan({ nat: kind, line: rough }) });
    const machine = new ProbeMachine();
    machine.every = milliseconds(20);
    machine.beatTo = server.address(1000);
    machine.due = host.now();
    host.attach(machine).turn();
  }
  world.runNow(seconds(20));
  return world;
}

test('the same seed gives the same run, and another seed another', t => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), seed => {
      const hash = busyWorld(seed).recorder.hash;

      return hash === busyWorld(seed).recorder.hash && hash !== busyWorld(seed ^ 1).recorder.hash;
    }),
    { numRuns: 8 },
  );
  t.pass();
});

test('a run leaves a sequence chart', t => {
  const chart = busyWorld(1, 40).recorder.mermaid();

  t.regex(chart, /^sequenceDiagram\n {2}participant h0 as /);
  t.regex(chart, /->>h\d+: \d+\.\d ms foreign first=0x\w\w \d+ B\n/);
});

test('virtual time is much faster than real time', t => {
  const began = process.hrtime.bigint();

  const world = busyWorld(5);

  const took = Number(process.hrtime.bigint() - began) / 1e6;
  t.true(world.recorder.datagrams > 5_000);
  // Far from what it does; a yield per event would miss it by far all the same.
  t.true(world.now / took > 10, `${world.now} ms of it took ${took} ms`);
});

test('a machine is woken at its deadline, whatever the rate of its clock', t => {
  for (const clockRate of [1, 1.0001, 0.9997]) {
    const world = new SimulatedWorld({ seed: 9, crypto });
    const host = world.host({ name: 'host', clockRate });
    const machine = new ProbeMachine();
    const running = host.attach(machine);
    const delays = [0.1, 0.7, 33.3, 1_000 / 3, 10_000].map(milliseconds);

    for (const delay of delays) {
      machine.due = instant(host.now() + delay);
      const { due } = machine;
      running.turn();
      world.runNow((delay * 1.01) as Duration);

      t.true(machine.wakes.at(-1)! >= due && machine.wakes.at(-1)! < due + 1e-3);
    }
    t.is(machine.wakes.length, delays.length);
  }
});
