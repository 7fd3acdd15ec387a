import test from 'ava';

import { encodeText, milliseconds, minutes, seconds } from '../../src/base/index.js';
import { MemoryStore } from '../../src/interface/memory-store.js';
import { AuthenticatingProvider } from '../../src/testing/authenticating-provider.js';
import { Recorder } from '../../src/testing/recorder.js';
import { SimulatedWorld } from '../../src/testing/simulated-world.js';
import { ProbeMachine } from './support/probe-machine.js';
import type { ProbeEvent } from './support/probe-machine.js';

const yieldTurn = (): Promise<void> => new Promise(setImmediate);

const newWorld = (seed = 1): SimulatedWorld =>
  new SimulatedWorld({
    seed,
    crypto: new AuthenticatingProvider(),
    yieldTurn,
    recorder: new Recorder({ keep: 100 }),
  });

const entry = (key: string, value: string): Map<string, Uint8Array> => new Map([[key, encodeText(value)]]);

test('promises that hang on an event run before the next event', async t => {
  const world = newWorld();
  const left = world.host({ name: 'left' });
  const right = world.host({ name: 'right' });
  const echo = new ProbeMachine();
  echo.echo = true;
  right.attach(echo, { port: 2 });
  const machine = new ProbeMachine();
  let wake: (event: ProbeEvent) => void = () => {};
  const running = await left.run(machine, { port: 1 }, event => wake(event));
  const times: number[] = [];

  const talk = async () => {
    for (let i = 0; i < 3; i++) {
      const answer = new Promise<ProbeEvent>(resolve => (wake = resolve));
      machine.send(right.address(2));
      running.turn();
      await answer;
      await Promise.resolve();
      times.push(Math.round(world.now));
    }
  };
  const talking = talk();
  await world.run(seconds(1));
  await talking;

  t.deepEqual(times, [20, 40, 60]);
});

test('a world with promises cannot be run without letting them settle', async t => {
  const world = newWorld();
  world.host({ name: 'host' }).schedule(seconds(1), () => {});
  const bare = new SimulatedWorld({ seed: 1, crypto: new AuthenticatingProvider() });

  t.throws(() => world.runNow(seconds(2)), { code: 'INVALID_STATE', message: /call run/ });
  await t.throwsAsync(bare.run(seconds(1)), { code: 'INVALID_STATE', message: /yieldTurn/ });
});

test('what does not come true in time says so, with the seed', async t => {
  const world = newWorld(77);

  await t.throwsAsync(
    world.until(() => false, seconds(3), 'a miracle'),
    { message: 'seed 77: a miracle did not come true within 3000 ms (now 3000 ms)' },
  );
  t.throws(() => world.untilNow(() => false, seconds(3)), { message: /^seed 77: / });
});

test('until stops at the event that made the condition true', async t => {
  const world = newWorld();
  const host = world.host({ name: 'host' });
  let done = false;
  host.schedule(milliseconds(12.5), () => (done = true));
  host.schedule(milliseconds(12.6), () => (done = false));

  await world.until(() => done, seconds(1));

  t.is(world.now, 12.5 as typeof world.now);
});

test('scheduled actions run in order, once, and not when called off', async t => {
  const world = newWorld();
  const host = world.host({ name: 'host' });
  const order: string[] = [];

  host.schedule(milliseconds(20), () => order.push('third'));
  host.schedule(milliseconds(10), () => order.push('first'));
  host.schedule(milliseconds(10), () => order.push('second'));
  host.schedule(milliseconds(15), () => order.push('never'))();
  await world.run(seconds(1));

  t.deepEqual(order, ['first', 'second', 'third']);
});

test('a crash ends machines and actions without a word, a restart begins a new life at the same address', async t => {
  const world = newWorld();
  const peer = world.host({ name: 'peer' });
  const peerMachine = new ProbeMachine();
  const peerRunning = peer.attach(peerMachine, { port: 2 });
  const first = world.host({ name: 'lamp' });
  const old = new ProbeMachine();
  old.due = first.now();
  old.every = milliseconds(100);
  old.beatTo = peer.address(2);
  const oldRunning = first.attach(old, { port: 1 });
  const acted: string[] = [];
  first.schedule(seconds(2), () => acted.push('old life'));
  await world.run(seconds(1));
  const beats = peerMachine.received.length;

  first.crash();
  old.send(peer.address(2));
  oldRunning.turn();
  peerMachine.send(first.address(1));
  peerRunning.turn();
  await world.run(seconds(5));

  t.true(beats >= 9);
  t.true(peerMachine.received.length <= beats + 1); // one may have been under way
  t.deepEqual(old.received, []);
  t.deepEqual(acted, []);
  const second = first.restart();
  const again = new ProbeMachine();
  second.attach(again, { port: 1 });
  peerMachine.send(second.address(1));
  peerRunning.turn();
  await world.run(seconds(1));
  t.deepEqual(again.sources, [peer.address(2).key]);
  t.deepEqual(old.received, []);
  t.deepEqual([first.alive, second.alive], [false, true]);
  t.not(second.now(), first.now());
  t.deepEqual(
    world.recorder.entries.flatMap(line => (line.kind === 'note' ? [line.text] : [])),
    ['crashes', 'restarts'],
  );
});

test('what was acknowledged survives a crash, what was not may survive in order', async t => {
  const survivors = new Set<string>();

  for (let seed = 0; seed < 40; seed++) {
    const world = newWorld(seed);
    const host = world.host({ name: 'host' });
    const store = host.openStore();
    const acknowledged: number[] = [];
    const write = (number: number) =>
      void store.write(entry('number', `${number}`)).then(() => acknowledged.push(number));

    write(1);
    await world.run(milliseconds(1));
    write(2);
    await world.run(milliseconds(1.5));
    write(3);
    t.deepEqual(acknowledged, [1]);
    const next = host.restart().openStore();
    await world.run(seconds(1));

    const found = new TextDecoder().decode(await next.read('number'));
    t.deepEqual(acknowledged, [1]);
    t.true(['1', '2', '3'].includes(found));
    survivors.add(found);
  }
  t.deepEqual([...survivors].sort(), ['1', '2', '3']);
});

test('for a crashed process no store call ever comes back', async t => {
  const world = newWorld();
  const host = world.host({ name: 'host' });
  const store = host.openStore();
  host.crash();
  let came = false;

  for (const call of [
    store.read('a'),
    store.list(''),
    store.write(entry('a', 'b')),
    host.run(new ProbeMachine(), {}, () => {}),
  ]) {
    void Promise.resolve(call).then(() => (came = true));
  }
  await world.run(minutes(1));

  t.false(came);
  t.throws(() => host.attach(new ProbeMachine()), { code: 'INVALID_STATE' });
});

test('an old copy of a disk comes back whole, a wiped one is empty, a full one refuses', async t => {
  const world = newWorld();
  const host = world.host({ name: 'host' });
  const store = host.openStore();
  const write = async (changes: ReadonlyMap<string, Uint8Array | undefined>) => {
    const done = store.write(changes);
    await world.run(milliseconds(5));
    await done;
  };
  await write(entry('a', 'old'));
  host.disk().keepCopy();
  await write(new Map([...entry('b', 'new'), ['a', undefined]]));
  t.deepEqual(await store.list(''), ['b']);

  host.disk().restoreOldCopy();
  t.deepEqual(await store.list(''), ['a']);
  host.disk().full = true;
  await t.throwsAsync(store.write(entry('c', 'x')), { code: 'STORE_UNUSABLE' });
  host.disk().wipe();

  t.deepEqual(await store.list(''), []);
  t.deepEqual(await host.openStore('another').list(''), []);
});

test('the civil clock of a host is wrong as it was told, jumps, and moves no timer', async t => {
  const world = newWorld();
  const good = world.host({ name: 'good' });
  const bad = world.host({ name: 'bad', wallClockError: minutes(-10) });
  let woken = false;
  bad.schedule(seconds(1), () => (woken = true));
  await world.run(milliseconds(500));

  t.is(bad.wallTime() - good.wallTime(), -600_000);
  bad.jumpWallClock(minutes(60));
  t.is(bad.wallTime() - good.wallTime(), 3_000_000);
  await world.run(milliseconds(400));
  t.false(woken);
  await world.run(milliseconds(200));
  t.true(woken);
});

test('a host that moves to another network tells its machines', t => {
  const world = newWorld();
  const home = world.network.lan({ name: 'home' });
  const host = world.host({ name: 'phone', on: home });
  const machine = new ProbeMachine();
  host.attach(machine, { port: 7 });
  const addresses = () => machine.links[0]?.addresses.filter(({ internal }) => !internal);
  t.deepEqual(addresses(), [
    { host: '192.168.1.1', prefixLength: 24, interfaceName: 'home', internal: false },
  ]);

  host.board.unplug();
  t.deepEqual(addresses(), []);
  host.board.plugIn(world.network.internet, 4);

  t.deepEqual(addresses(), [
    { host: '5.1.0.2', prefixLength: 32, interfaceName: 'internet', internal: false },
  ]);
  t.is(machine.links[0]?.port, 7);
});

test('ports are given as asked, and a taken one is refused or replaced', async t => {
  const host = newWorld().host({ name: 'host' });
  const first = host.attach(new ProbeMachine(), { port: 9 });

  t.throws(() => host.attach(new ProbeMachine(), { port: 9 }), { code: 'PORT_IN_USE' });
  const other = host.attach(new ProbeMachine(), { port: 9, whenTaken: 'any' });
  await first.close();
  const again = host.attach(new ProbeMachine(), { port: 9 });

  t.true(other.links[0]!.port >= 49_152);
  t.is(again.links[0]?.port, 9);
});

test('a machine that never comes to rest is found out', t => {
  const world = newWorld();
  const machine = new ProbeMachine();
  const host = world.host({ name: 'host' });
  host.attach(machine);
  machine.every = milliseconds(0);
  machine.due = host.now();
  host.updateLinks();

  t.throws(() => world.runNow(seconds(1)), { message: /comes to rest/ });
});

test('what a listener throws comes out of run', async t => {
  const world = newWorld();
  const host = world.host({ name: 'host' });
  const machine = new ProbeMachine();
  const running = await host.run(machine, {}, () => {
    throw new Error('a bug');
  });
  machine.due = host.now();
  running.turn();

  await t.throwsAsync(world.run(seconds(1)), { message: 'a bug' });
});

test('a store in memory forgets nothing but at the end', async t => {
  const store = new MemoryStore();

  await store.write(new Map([...entry('b/2', 'x'), ...entry('b/1', 'y'), ...entry('a', 'z')]));
  await store.write(new Map([['a', undefined]]));

  t.false(store.durable);
  t.deepEqual(await store.list('b/'), ['b/1', 'b/2']);
  t.is(await store.read('a'), undefined);
  t.deepEqual(await store.read('b/2'), encodeText('x'));
  await t.throwsAsync(store.write(entry('no key', 'x')), { code: 'INVALID_ARGUMENT' });
  await store.close();
  await t.throwsAsync(store.read('a'), { code: 'INVALID_STATE' });
});
