import test from 'ava';

import { CommitQueue } from '../src/commit-queue.js';
import { at } from './support/surroundings.js';

const HOME = 'home';

test('what concerns a busy network waits, in order, and other networks do not', t => {
  const queue = new CommitQueue();
  const done: string[] = [];
  const act = (name: string) => (): void => void done.push(name);

  queue.begin([HOME], [], act('kept'));
  queue.whenSettled(at(0), HOME, act('first'));
  queue.whenSettled(at(0), HOME, act('second'));
  queue.whenSettled(at(0), 'office', act('office'));
  const { id } = queue.poll()!;
  for (const key of queue.settle(at(1), id, true)) queue.resume(at(1), key);

  t.deepEqual(done, ['office', 'kept', 'first', 'second']);
  t.is(queue.size, 0);
});

test('an action that changes something makes those behind it wait again', t => {
  const queue = new CommitQueue();
  const done: string[] = [];
  const change = (name: string) => (): void => queue.begin([HOME], [], () => void done.push(`${name} kept`));
  const settleNext = (): void => {
    const { id } = queue.poll()!;
    for (const key of queue.settle(at(1), id, true)) queue.resume(at(1), key);
  };

  queue.whenSettled(at(0), HOME, change('a'));
  queue.whenSettled(at(0), HOME, change('b'));
  queue.whenSettled(at(0), HOME, () => void done.push('read'));
  settleNext();
  t.deepEqual(done, ['a kept']);
  settleNext();

  t.deepEqual(done, ['a kept', 'b kept', 'read']);
});

test('what an action asks to be done later is not forgotten', t => {
  const queue = new CommitQueue();
  const done: string[] = [];
  queue.begin([HOME], [], () => undefined);
  queue.whenSettled(at(0), HOME, now => {
    queue.whenSettled(now, HOME, () => void done.push('inner'));
    done.push('outer');
  });

  const { id } = queue.poll()!;
  for (const key of queue.settle(at(1), id, true)) queue.resume(at(1), key);

  t.deepEqual(done, ['outer', 'inner']);
});

test('a network that is held lets nothing through until it is released', t => {
  const queue = new CommitQueue();
  const done: string[] = [];
  queue.hold(HOME);
  queue.whenSettled(at(0), HOME, () => void done.push('now'));

  queue.resume(at(0), HOME);
  t.deepEqual(done, []);
  queue.release(HOME);
  queue.resume(at(0), HOME);

  t.deepEqual(done, ['now']);
});

test('only so much waits', t => {
  const queue = new CommitQueue();
  queue.begin([HOME], [], () => undefined);

  const taken = Array.from({ length: 5_000 }, () => queue.whenSettled(at(0), HOME, () => undefined));

  t.is(taken.filter(Boolean).length, 4_096);
});
