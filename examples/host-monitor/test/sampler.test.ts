import test from 'ava';

import { Sampler, type Source, type Trouble } from '../src/sampler.js';
import { settled, VirtualTime } from './virtual-time.js';

function start(sources: (time: VirtualTime) => readonly Source[]) {
  const time = new VirtualTime();
  const troubles: (readonly Trouble[])[] = [];
  const sampler = new Sampler(sources(time), {
    now: () => time.now,
    schedule: time.schedule,
    onTrouble: trouble => troubles.push(trouble),
  });
  return { time, troubles, sampler, started: sampler.start() };
}

test('each source is read at once, and then at its interval', async t => {
  const read: string[] = [];
  const source = (name: string, every: number, time: VirtualTime): Source => ({
    name,
    every,
    read: async () => void read.push(`${name}@${time.now}`),
  });

  const { time, started } = start(clock => [source('cpu', 2_000, clock), source('disk', 5_000, clock)]);
  await started;
  await time.pass(6_000);

  t.deepEqual(read, ['cpu@0', 'disk@0', 'cpu@2000', 'cpu@4000', 'disk@5000', 'cpu@6000']);
});

test('never are two readings under way at once', async t => {
  let underWay = 0;
  let most = 0;
  const source = (name: string, time: VirtualTime): Source => ({
    name,
    every: 100,
    read: async () => {
      most = Math.max(most, ++underWay);
      await new Promise<void>(resolve => void time.schedule(70, resolve));
      underWay--;
    },
  });

  const { time, sampler } = start(clock => ['a', 'b', 'c'].map(name => source(name, clock)));
  await time.pass(500);
  void sampler.readNow(['a', 'b']);
  void sampler.readNow(['a']);
  await time.pass(2_000);

  t.is(most, 1);
});

test('a slow neighbour does not make the intervals longer', async t => {
  const read: number[] = [];
  const { time, started } = start(clock => [
    { name: 'fast', every: 1_000, read: async () => void read.push(clock.now) },
    { name: 'slow', every: 1_000, read: () => new Promise(resolve => void clock.schedule(300, resolve)) },
  ]);

  await time.pass(300);
  await started;
  await time.pass(4_000);

  t.deepEqual(read, [0, 1_000, 2_000, 3_000, 4_000]);
});

test('a source that fails is named, asked again later, and forgotten when it works', async t => {
  const calls: number[] = [];
  const { time, troubles, started } = start(clock => [
    {
      name: 'sensor',
      every: 1_000,
      read: async () => {
        calls.push(clock.now);
        if (calls.length < 3) throw new Error('no such device');
      },
    },
  ]);

  await started;
  await time.pass(61_000);

  t.deepEqual(calls, [0, 30_000, 60_000, 61_000]);
  t.deepEqual(troubles, [[{ source: 'sensor', code: 'readingFailed', text: 'no such device' }], []]);
});

test('a source that throws at once is like one that fails', async t => {
  const { troubles, started } = start(() => [
    {
      name: 'broken',
      every: 1_000,
      read: () => {
        throw new TypeError('no function');
      },
    },
  ]);

  await started;

  t.like(troubles, [[{ source: 'broken', code: 'readingFailed' }]]);
});

test('a source that hangs is left behind, never called twice, and welcome when it answers at last', async t => {
  let answer: () => void = () => {};
  let hung = 0;
  let other = 0;
  const { time, troubles, started } = start(() => [
    {
      name: 'mount',
      every: 1_000,
      read: () => {
        hung++;
        return new Promise<void>(resolve => {
          answer = resolve;
        });
      },
    },
    {
      name: 'cpu',
      every: 1_000,
      read: async () => {
        other++;
      },
    },
  ]);
  await time.pass(10_000);
  await started;
  await time.pass(10_000);

  t.is(hung, 1);
  t.is(other, 11);
  t.like(troubles, [[{ source: 'mount', code: 'readingHangs' }]]);

  answer();
  await time.pass(1_000);

  t.is(hung, 2);
  t.deepEqual(troubles[1], []);
});

test('a source is read at once when somebody asks', async t => {
  const read: number[] = [];
  const { time, sampler, started } = start(clock => [
    { name: 'temperature', every: 5_000, read: async () => void read.push(clock.now) },
  ]);
  await started;
  await time.pass(1_000);

  await sampler.readNow(['temperature']);

  t.deepEqual(read, [0, 1_000]);
});

test('after the stop nothing is read, nothing is told and no timer is left', async t => {
  let calls = 0;
  let fail: (error: Error) => void = () => {};
  const { time, troubles, sampler } = start(() => [
    {
      name: 'sensor',
      every: 1_000,
      read: () => {
        calls++;
        return new Promise<void>((_, reject) => {
          fail = reject;
        });
      },
    },
  ]);
  await settled();

  sampler.stop();
  fail(new Error('the device is closed'));
  await time.pass(60_000);

  t.is(calls, 1);
  t.deepEqual(troubles, []);
  t.is(time.waiting, 0);
});
