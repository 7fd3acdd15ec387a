import test from 'ava';
import fc from 'fast-check';
import { instant, milliseconds } from '../../src/base/index.js';
import { MAX_ACK_RANGES, MESSAGE_WINDOW, writeAck } from '../../src/wire/index.js';
import { AckTracker } from '../../src/session/ack-tracker.js';
import { MessageWindow } from '../../src/session/message-window.js';
import { NewReno } from '../../src/session/new-reno.js';
import { Pacer } from '../../src/session/pacer.js';
import { expandPacketNumber } from '../../src/session/packet-number.js';
import { RangeSet } from '../../src/session/range-set.js';
import { ReplayWindow } from '../../src/session/replay-window.js';
import { RttEstimator } from '../../src/session/rtt-estimator.js';
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

test('a message window says what a list of everything settled would say', t => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 4_000 }), fc.nat({ max: MESSAGE_WINDOW - 1 })), { maxLength: 100 }),
      steps => {
        const window = new MessageWindow();
        const settled = new Set<number>();
        let floor = 0;

        for (const [sequence, aboveFloor] of steps) {
          floor = Math.max(floor, sequence - aboveFloor);
          window.raise(sequence - aboveFloor);
          t.is(window.settled(sequence), sequence < floor || settled.has(sequence));
          if (window.settled(sequence)) continue;
          window.settle(sequence);
          settled.add(sequence);
        }
        t.is(window.floor, floor);
      },
    ),
  );
});

test('an ack tells exactly what came, newest first, in at most 32 ranges', t => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 200 }), { minLength: 1, maxLength: 150 }), numbers => {
      const tracker = new AckTracker(milliseconds(25));
      for (const number of numbers) tracker.receive(instant(0), number, true);

      const told: number[] = [];
      for (let i = 0; i < tracker.ranges; i++) {
        for (let n = tracker.last(i); n >= tracker.first(i); n--) told.push(n);
      }

      t.true(tracker.ranges <= MAX_ACK_RANGES);
      t.is(told[0], Math.max(...numbers));
      t.true(told.every(number => numbers.includes(number)));
      if (tracker.ranges < MAX_ACK_RANGES) t.is(told.length, numbers.length);
      t.true(writeAck(new Uint8Array(1_200), 0, 1_200, tracker, 0) > 0);
    }),
  );
});

test('an ack is due at the second packet, at a gap and at the end of the delay', t => {
  const tracker = new AckTracker(milliseconds(25));
  tracker.receive(instant(0), 0, true);
  t.is(tracker.dueAt, instant(0), 'the first packet of all is the first sample of the peer');
  tracker.sent();

  tracker.receive(instant(100), 1, true);
  t.is(tracker.dueAt, instant(125));
  tracker.receive(instant(110), 2, true);
  t.is(tracker.dueAt, instant(110));
  tracker.sent();
  tracker.receive(instant(200), 4, true);
  t.is(tracker.dueAt, instant(200));
  tracker.sent();
  tracker.receive(instant(300), 5, false);
  t.is(tracker.dueAt, undefined, 'a lone ack asks for none');
  t.false(tracker.pending);
});

test('what the peer knows to be acknowledged is not told again', t => {
  const tracker = new AckTracker(milliseconds(25));
  for (const number of [0, 1, 4, 5, 9]) tracker.receive(instant(0), number, true);

  tracker.confirm(5);

  t.is(tracker.ranges, 1);
  t.is(tracker.first(0), 9);
  tracker.confirm(9);
  t.is(tracker.last(0), 9, 'the newest number stays: an ack begins with it');
});

test('the round-trip estimate follows RFC 9002, section 5', t => {
  const rtt = new RttEstimator();
  t.is<number, number>(rtt.probeTimeout(milliseconds(25)), 333 + 4 * 166.5 + 25);

  rtt.sample(milliseconds(100), milliseconds(20));
  t.deepEqual([rtt.smoothed, rtt.variance, rtt.minimum], [100, 50, 100]);
  rtt.sample(milliseconds(130), milliseconds(20));
  t.is<number, number>(rtt.variance, 0.75 * 50 + 0.25 * 10);
  t.is<number, number>(rtt.smoothed, 0.875 * 100 + 0.125 * 110);
  rtt.sample(milliseconds(105), milliseconds(20));
  t.is<number, number>(rtt.minimum, 100);
  t.is<number, number>(rtt.latest, 105, 'the delay is not taken off below the minimum');
});

test('NewReno doubles, halves once a round trip, then grows by a packet a window', t => {
  const reno = new NewReno(1_000);
  t.is(reno.window, 10_000);

  for (let i = 0; i < 10; i++) reno.acknowledged(1_000, instant(0), true);
  t.is(reno.window, 20_000);
  reno.lost(instant(100), instant(50));
  reno.lost(instant(110), instant(90));
  t.is(reno.window, 10_000);
  reno.acknowledged(1_000, instant(95), true);
  t.is(reno.window, 10_000, 'what was sent before the loss does not grow it');
  for (let i = 0; i < 10; i++) reno.acknowledged(1_000, instant(120), true);
  t.is(reno.window, 11_000);
  for (let i = 0; i < 10; i++) reno.lost(instant(1_000 * (i + 1)), instant(1_000 * (i + 1) - 1));
  t.is(reno.window, 2_000);
});

test('a pacer lets a burst of ten go and then spreads packets over the round trip', t => {
  const pacer = new Pacer(1_000, instant(0));
  const ready = (now: number): number => pacer.readyAt(instant(now), 20_000, milliseconds(100), false);

  for (let i = 0; i < 10; i++) {
    t.is(ready(0), 0);
    pacer.spend(1_000);
  }

  t.is(ready(0), 4);
  t.is(ready(4), 4);
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
