import test from 'ava';
import fc from 'fast-check';
import { instant, SequenceWindow } from '../../src/base/index.js';
import { MESSAGE_WINDOW } from '../../src/wire/index.js';
import { expandPacketNumber } from '../../src/session/packet-number.js';
import { RangeSet } from '../../src/session/range-set.js';
import { ReplayWindow } from '../../src/session/replay-window.js';
import { TimerTable } from '../../src/session/timer-table.js';

test('a range set holds what a plain set holds, in ascending ranges that do not touch', t => {
  const operation = fc.tuple(fc.boolean(), fc.nat({ max: 60 }), fc.nat({ max: 12 }));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), operations => {
      const ranges = new RangeSet();
      const model = new Set<number>();

      for (const [inserts, start, length] of operations) {
        let changed = 0;
        for (let i = start; i < start + length; i++) {
          if (inserts !== model.has(i)) changed++;
          if (inserts) model.add(i);
          else model.delete(i);
        }
        t.is(inserts ? ranges.insert(start, start + length) : ranges.remove(start, start + length), changed);
      }

      const members: number[] = [];
      for (let i = 0; i < ranges.ranges; i++) {
        t.true(ranges.start(i) < ranges.end(i));
        if (i > 0) t.true(ranges.start(i) > ranges.end(i - 1));
        for (let n = ranges.start(i); n < ranges.end(i); n++) members.push(n);
      }
      t.deepEqual(
        members,
        [...model].sort((x, y) => x - y),
      );
      for (let value = 0; value < 75; value++) {
        const range = ranges.rangeAt(value);
        t.true(range === ranges.ranges || ranges.end(range) > value);
        t.true(range === 0 || ranges.end(range - 1) <= value);
      }
      for (let start = 0; start < 70; start += 3) {
        t.is(
          ranges.covers(start, start + 4),
          [0, 1, 2, 3].every(i => model.has(start + i)),
        );
      }
    }),
  );
});

test('a replay window says what a list of everything seen would say', t => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 2_000 })), { maxLength: 200 }),
      numbers => {
        const window = new ReplayWindow(128);
        const seen = new Set<number>();
        let highest = -1;

        for (const number of numbers) {
          const expected = number <= highest - 128 ? 'tooOld' : seen.has(number) ? 'replayed' : 'fresh';
          t.is(window.verdict(number), expected);
          if (expected !== 'fresh') continue;
          window.mark(number);
          seen.add(number);
          highest = Math.max(highest, number);
        }
      },
    ),
  );
});

test('a replay window works around 2^32 and 2^48', t => {
  for (const base of [2 ** 32 - 3, 2 ** 48 - 9_000]) {
    const window = new ReplayWindow();
    for (let i = 0; i < 10; i += 2) window.mark(base + i);
    for (let i = 0; i < 10; i++) t.is(window.verdict(base + i), i % 2 === 0 ? 'replayed' : 'fresh');
    t.is(window.verdict(base + 8 - 8_192), 'tooOld');
    t.is(window.verdict(base + 9 - 8_192), 'fresh');
  }
});

test('a replay window forgets every number that it jumps over, the first one too', t => {
  const window = new ReplayWindow(128);
  for (let number = 0; number < 128; number++) window.mark(number);

  window.mark(131);

  t.deepEqual(
    [127, 128, 129, 130, 131].map(number => window.verdict(number)),
    ['replayed', 'fresh', 'fresh', 'fresh', 'replayed'],
  );
});

test('a number exactly half a span away is the one ahead, as in RFC 9000', t => {
  const half = 2 ** 31;

  for (const expected of [half, 2 ** 32 + 5, 2 ** 33 + half])
    t.is(expandPacketNumber((expected + half) % 2 ** 32, expected), expected + half);
});

test('a packet number is found again from its low half anywhere within 2^31', t => {
  fc.assert(
    fc.property(
      fc.nat({ max: 2 ** 48 }),
      fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 }),
      (expected, distance) => {
        const number = expected + distance;
        fc.pre(number >= 0);
        t.is(expandPacketNumber(number % 2 ** 32, expected), number);
      },
    ),
  );
});

test('a window of sequences says what a list of everything added would say', t => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 4_000 }), fc.nat({ max: MESSAGE_WINDOW - 1 })), { maxLength: 100 }),
      steps => {
        const window = new SequenceWindow(MESSAGE_WINDOW);
        const settled = new Set<number>();
        let floor = 0;

        for (const [sequence, aboveFloor] of steps) {
          floor = Math.max(floor, sequence - aboveFloor);
          window.raise(sequence - aboveFloor);
          t.is(window.has(sequence), sequence < floor || settled.has(sequence));
          for (const other of settled) if (other >= floor) t.true(window.has(other));
          t.false(window.exceeds(sequence));
          t.is(window.exceeds(floor + MESSAGE_WINDOW), true);
          window.add(sequence);
          settled.add(sequence);
        }
        t.is(window.floor, floor);
      },
    ),
  );
});

test('a window of sequences reaches 1,024 from its floor on, and a floor that rises changes none above it', t => {
  const window = new SequenceWindow(MESSAGE_WINDOW);
  const last = MESSAGE_WINDOW - 1;
  const held = (...sequences: readonly number[]): string =>
    sequences.map(each => (window.has(each) ? 'x' : '.')).join('');

  for (const sequence of [0, 5, 31, 40, last]) window.add(sequence);
  t.is(held(0, 1, 5, 31, 32, 40, last, last + 1, last + 41), 'x.xx.xx..');
  window.raise(5);
  t.is(held(4, 5, 6, 30, 31, 32, 40, last, last + 1, last + 5), 'xx..x.xx..');
  window.raise(40);
  t.is(held(40, 41, 71, last, last + 1), 'x..x.');
  window.raise(3 * MESSAGE_WINDOW + 5);

  t.is(held(3 * MESSAGE_WINDOW + 4, 3 * MESSAGE_WINDOW + 5), 'x.');
});

test('a timer table wakes up at the earliest reason and names it', t => {
  const timers = new TimerTable();
  t.is(timers.next, undefined);

  timers.set('idle', instant(50));
  timers.set('loss', instant(20));
  timers.set('pacing', undefined);

  t.is(timers.next, instant(20));
  t.is(timers.nextReason, 'loss');
  t.true(timers.expired('loss', instant(20)));
  t.false(timers.expired('idle', instant(20)));
  timers.clear();
  t.is(timers.next, undefined);
});
