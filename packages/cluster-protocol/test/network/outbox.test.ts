import test from 'ava';
import { type Duration, instant, milliseconds, seconds } from '../../src/base/index.js';
import { Outbox, type SendOptions } from '../../src/network/index.js';
import { MAX_MESSAGE, MESSAGE_WINDOW } from '../../src/wire/index.js';

const START = instant(1_000);
const put = (outbox: Outbox, options: SendOptions = {}, length = 1): number =>
  outbox.push(START, 7, new Uint8Array(length), options).entry.sequence;
const expiring = (expiresIn: Duration): SendOptions => ({ expiresIn });

test('the floor is the oldest message that waits, or the next one', t => {
  const outbox = new Outbox();

  t.is(outbox.floor, outbox.next);
  const sequences = [put(outbox), put(outbox), put(outbox)];
  t.deepEqual(sequences, [1, 2, 3]);

  outbox.remove(2);
  t.is(outbox.floor, 1);
  outbox.remove(1);
  t.is(outbox.floor, 3);
  outbox.remove(3);
  t.is(outbox.floor, 4);
  t.is(outbox.next, 4);
});

test('no more messages wait than the receiver has a window for, counted from the oldest', t => {
  const outbox = new Outbox();
  for (let i = 0; i < MESSAGE_WINDOW; i++) put(outbox);

  t.throws(() => put(outbox), { code: 'QUEUE_FULL' });
  outbox.remove(2);
  t.throws(() => put(outbox), { code: 'QUEUE_FULL' });
  outbox.remove(1);
  t.is(put(outbox), MESSAGE_WINDOW + 1);
  t.is(put(outbox), MESSAGE_WINDOW + 2);
  t.throws(() => put(outbox), { code: 'QUEUE_FULL' });
});

test('two of the largest messages wait, and another one as soon as one of them has gone', t => {
  const outbox = new Outbox();
  const [first] = [put(outbox, {}, MAX_MESSAGE), put(outbox, {}, MAX_MESSAGE)];

  t.throws(() => put(outbox), { code: 'QUEUE_FULL' });
  t.throws(() => put(outbox, {}, MAX_MESSAGE + 1), { code: 'MESSAGE_TOO_LARGE' });
  outbox.remove(first);
  t.notThrows(() => put(outbox, {}, MAX_MESSAGE));
});

test('a newer value takes the place of the one with its key, and of no other', t => {
  const outbox = new Outbox();
  put(outbox, { supersedes: 'a' });
  put(outbox, { supersedes: 'b' });
  put(outbox);

  const { entry, superseded } = outbox.push(START, 7, new Uint8Array(1), { supersedes: 'a' });

  t.is(superseded?.sequence, 1);
  t.is(entry.sequence, 4);
  t.deepEqual(
    [...outbox.entries()].map(({ sequence }) => sequence),
    [2, 3, 4],
  );
});

test('messages expire at their moment, all that are due at once', t => {
  const outbox = new Outbox();
  put(outbox, expiring(seconds(2)));
  put(outbox);
  put(outbox, expiring(seconds(1)));
  put(outbox, expiring(seconds(1)));
  const expired = (now: number): number[] =>
    outbox.expire(instant(START + now)).map(({ sequence }) => sequence);

  t.is(outbox.nextExpiry, instant(START + 1_000));
  t.deepEqual(expired(999), []);
  t.deepEqual(expired(1_000), [3, 4]);
  t.is(outbox.nextExpiry, instant(START + 2_000));
  t.deepEqual(expired(2_000), [1]);
  t.is(outbox.nextExpiry, undefined);
  t.deepEqual([outbox.size, outbox.get(2)?.sequence], [1, 2]);
});

test('without a message that could expire there is no moment to wake up for', t => {
  const outbox = new Outbox();
  const [first, second] = [
    put(outbox, expiring(milliseconds(5))),
    put(outbox, expiring(milliseconds(5))),
    put(outbox),
  ];

  outbox.remove(first);
  t.is(outbox.nextExpiry, instant(START + 5));
  outbox.remove(second);
  t.is(outbox.nextExpiry, undefined);
});
