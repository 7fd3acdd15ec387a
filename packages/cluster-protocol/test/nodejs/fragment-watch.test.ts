import test from 'ava';

import { type Instant, instant } from '../../src/base/index.js';
import { FragmentWatch, systemFragments } from '../../src/nodejs/fragment-watch.js';
import { type SocketAddress, socketAddress } from '../../src/wire/index.js';

const HERE = socketAddress('192.0.2.1', 1_000)!;
const THERE = socketAddress('192.0.2.2', 1_000)!;
const SIXTH = socketAddress('2001:db8::1', 1_000)!;

/** An operating system that cuts what is larger than it was told, and a program that sends. */
class System {
  readonly made: Record<4 | 6, number> = { 4: 0, 6: 0 };
  carries = 1_472;
  asked = 0;
  readonly watch = new FragmentWatch(family => {
    this.asked++;
    return this.made[family];
  });

  /** Sends a datagram; whether the watch saw that it was cut. */
  send(remote: SocketAddress, length: number): boolean {
    const isWatched = this.watch.sends(remote, length);
    if (length > this.carries) this.made[remote.family] += 2;
    return isWatched && this.watch.sent(remote, 1, length);
  }

  look(now: number): readonly string[] {
    return this.watch.look(instant(now) satisfies Instant).map(({ remote }) => remote.key);
  }
}

test('a datagram larger than any before is seen to be cut at once', t => {
  const system = new System();
  system.carries = 1_252;

  t.false(system.send(HERE, 1_200));
  t.true(system.send(HERE, 1_280));
});

test('what went whole once is not looked at each time', t => {
  const system = new System();
  system.send(HERE, 1_452);
  const { asked } = system;

  for (let i = 0; i < 100; i++) t.false(system.send(HERE, 1_452));

  t.is(system.asked, asked);
});

test('a path that becomes narrow is noticed with the next look, and the others of the family are suspected with it', t => {
  const system = new System();
  for (const remote of [HERE, THERE, SIXTH]) system.send(remote, 1_452);
  t.deepEqual(system.look(0), []);

  system.carries = 1_252;
  for (const remote of [HERE, SIXTH]) t.false(system.send(remote, 1_452));
  system.made[6] = 0;

  t.deepEqual(system.look(10), [], 'it is not time yet');
  t.deepEqual(system.look(60), [HERE.key]);
  t.true(system.send(HERE, 1_452), 'it is looked at by itself again');
});

test('small datagrams, and those to this machine, are not watched', t => {
  const system = new System();

  system.send(HERE, 1_200);
  system.send(socketAddress('127.0.0.1', 1_000)!, 60_000);
  system.look(1_000);

  t.is(system.asked, 0);
});

test('a system that does not count is asked once', t => {
  let asked = 0;
  const watch = new FragmentWatch(() => {
    asked++;
    return undefined;
  });

  for (let i = 0; i < 10; i++) t.false(watch.sends(HERE, 1_452));

  t.is(asked, 1);
});

test('Linux counts the fragments that it makes', t => {
  if (process.platform !== 'linux') {
    t.pass();
    return;
  }
  t.true(Number.isInteger(systemFragments(4)));
  t.true(Number.isInteger(systemFragments(6)));
});
