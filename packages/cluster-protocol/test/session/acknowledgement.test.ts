import test from 'ava';
import fc from 'fast-check';
import { instant, milliseconds } from '../../src/base/index.js';
import { AckFrequency } from '../../src/session/ack-frequency.js';
import { AckTracker } from '../../src/session/ack-tracker.js';
import { FrameCounts } from '../../src/session/frame-counts.js';
import { PacketContents } from '../../src/session/packet-contents.js';
import { SentFramePool } from '../../src/session/sent-frame.js';
import { SessionPath } from '../../src/session/session-path.js';
import { MAX_ACK_RANGES, readFrames, writeAck, type Frame } from '../../src/wire/index.js';
import { SessionPair, sendAll } from './pair.js';

const LONGEST = milliseconds(25);

/** A tracker that has acknowledged all packets below `next`. */
function trackerAt(next: number): AckTracker {
  const tracker = new AckTracker(LONGEST);
  for (let number = 0; number < next; number++) tracker.receive(instant(0), number, true, 0);
  tracker.sent();
  return tracker;
}

test('an ack tells exactly what came, newest first, in at most 32 ranges', t => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 200 }), { minLength: 1, maxLength: 150 }), numbers => {
      const tracker = new AckTracker(LONGEST);
      for (const number of numbers) tracker.receive(instant(0), number, true, 0);

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

test('however many gaps there are, the newest 32 ranges are remembered and no more', t => {
  const tracker = new AckTracker(LONGEST);

  for (let number = 0; number < 2_000; number += 2) tracker.receive(instant(0), number, true, 0);

  t.is(tracker.ranges, MAX_ACK_RANGES);
  t.is(tracker.last(0), 1_998);
  t.is(tracker.first(MAX_ACK_RANGES - 1), 1_998 - 2 * (MAX_ACK_RANGES - 1));
});

test('what the peer knows to be acknowledged is not told again', t => {
  const tracker = new AckTracker(LONGEST);
  for (const number of [0, 1, 4, 5, 9]) tracker.receive(instant(0), number, true, 0);

  tracker.confirm(5);

  t.is(tracker.ranges, 1);
  t.is(tracker.first(0), 9);
  tracker.confirm(9);
  t.is(tracker.last(0), 9, 'the newest number stays: an ack begins with it');
});

test('an ack is due for the first packet, for every second one, and at the end of the delay', t => {
  const tracker = new AckTracker(LONGEST);
  tracker.receive(instant(0), 0, true, 0);
  t.is(tracker.dueAt, instant(0), 'the first packet of all is the first sample of the peer');
  tracker.sent();

  tracker.receive(instant(100), 1, true, 0);
  t.is(tracker.dueAt, instant(125));
  tracker.receive(instant(110), 2, true, 0);
  t.is(tracker.dueAt, instant(110));
  tracker.sent();
  tracker.receive(instant(300), 3, false, 0);
  t.is(tracker.dueAt, undefined, 'a lone ack asks for none');
  t.false(tracker.pending);
});

test('a gap is told at once, and twice more, so that three later packets are known', t => {
  const tracker = trackerAt(10);
  tracker.request(instant(0), 1, 16, LONGEST);
  const dueAtOnce = (number: number): boolean => {
    tracker.receive(instant(number), number, true, 0);
    const atOnce = tracker.dueAt === instant(number);
    if (atOnce) tracker.sent();
    return atOnce;
  };

  t.false(dueAtOnce(10));
  t.deepEqual([12, 13, 14, 15].map(dueAtOnce), [true, true, true, false]);
  t.true(dueAtOnce(11), 'one out of order as well');
});

test('the first packet from another path is acknowledged at once', t => {
  const tracker = trackerAt(10);
  tracker.request(instant(0), 1, 16, LONGEST);

  tracker.receive(instant(50), 10, true, 7);

  t.is(tracker.dueAt, instant(50));
  tracker.sent();
  tracker.receive(instant(60), 11, true, 7);
  t.is(tracker.dueAt, instant(85));
});

test('the newest request counts, whatever order requests come in, and is answered at once', t => {
  const tracker = trackerAt(10);
  tracker.receive(instant(100), 10, true, 0);

  tracker.request(instant(100), 2, 4, milliseconds(5));
  tracker.request(instant(100), 1, 100, milliseconds(1));

  t.is(tracker.dueAt, instant(100));
  tracker.sent();
  for (const number of [11, 12, 13]) {
    tracker.receive(instant(200), number, true, 0);
    t.is(tracker.dueAt, instant(205));
  }
  tracker.receive(instant(201), 14, true, 0);
  t.is(tracker.dueAt, instant(201));
});

test('a peer cannot ask for a delay beyond ours, nor for one that no timer can keep', t => {
  for (const [asked, granted] of [
    [10_000, 25],
    [0, 1],
  ] as const) {
    const tracker = trackerAt(10);
    tracker.request(instant(0), 1, 255, milliseconds(asked));
    tracker.receive(instant(100), 10, true, 0);
    t.is(tracker.dueAt, instant(100 + granted));
  }
});

test('what is received is acknowledged within the delay, whatever was asked for', t => {
  const step = fc.record({
    gap: fc.nat({ max: 3 }),
    wait: fc.nat({ max: 30 }),
    eliciting: fc.boolean(),
    path: fc.nat({ max: 1 }),
    every: fc.option(fc.integer({ min: 1, max: 255 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const tracker = new AckTracker(LONGEST);
      let now = 0;
      let number = 0;
      for (const { gap, wait, eliciting, path, every } of steps) {
        now += wait;
        if (tracker.dueAt !== undefined && tracker.dueAt <= now) tracker.sent();
        number += 1 + gap;
        tracker.receive(instant(now), number, eliciting, path);
        if (every !== null) tracker.request(instant(now), number, every, milliseconds(wait));
        if (tracker.pending) t.true(tracker.dueAt !== undefined && tracker.dueAt <= now + LONGEST);
        else t.is(tracker.dueAt, undefined);
      }
    }),
  );
});

/** Acknowledges a round trip with so many packets in flight; returns what the peer is asked for after it. */
function roundOf(frequency: AckFrequency, path: SessionPath, packets: number): Frame | undefined {
  path.ordinals += packets;
  path.peak = packets;
  path.acknowledgedOrdinal = path.ordinals - 1;
  path.roundEnd = path.acknowledgedOrdinal;
  frequency.update(path);
  const into = new Uint8Array(100);
  const contents = new PacketContents(new SentFramePool(), new FrameCounts());
  const end = frequency.write(into, 0, into.length, contents);
  if (end === 0) return undefined;
  const frames = readFrames(into.subarray(0, end));
  return frames.ok ? frames.value[0] : undefined;
}

test('the more is in flight, the fewer acks are asked for, and the other way round', t => {
  const frequency = new AckFrequency(LONGEST);
  const path = new SessionPath(0, 1_195, true, instant(0), 'cubic');
  path.rtt.sample(milliseconds(40), milliseconds(0));

  t.is(roundOf(frequency, path, 10), undefined);
  t.like(roundOf(frequency, path, 100), { type: 'ackFrequency', request: 1, every: 4 });
  t.like(roundOf(frequency, path, 200), { every: 8 });
  t.is(roundOf(frequency, path, 100), undefined, 'a window that breathes changes nothing');
  for (let i = 0; i < 5; i++) roundOf(frequency, path, 4_000);
  t.is(frequency.every, 32, 'and never more than so many');
  t.like(roundOf(frequency, path, 100), { every: 8 });
  t.like(roundOf(frequency, path, 1), { every: 2 });
  t.is(frequency.every, 2);
});

test('only the newest request is repeated when it is lost', t => {
  const frequency = new AckFrequency(LONGEST);
  const path = new SessionPath(0, 1_195, true, instant(0), 'cubic');
  path.rtt.sample(milliseconds(40), milliseconds(0));
  roundOf(frequency, path, 100);
  roundOf(frequency, path, 200);

  frequency.lost(1);
  t.is(roundOf(frequency, path, 200), undefined);
  frequency.lost(2);

  t.like(roundOf(frequency, path, 200), { request: 2, every: 8 });
});

test('bulk over a long way needs one ack for many packets', t => {
  const pair = new SessionPair({ link: { delay: 20 } });

  sendAll(pair, 'a', new Array<number>(30).fill(65_536));
  t.true(pair.run(() => pair.count('a', 'messageAcknowledged') === 30));

  t.true(pair.sent.b <= 0.15 * pair.sent.a, `${pair.sent.b} for ${pair.sent.a}`);
  t.true(pair.a.statistics().sentFrames.ackFrequency > 0);
  t.is(pair.a.statistics().lostPackets, 0);
});

test('a single message after bulk is acknowledged as soon as ever', t => {
  const pair = new SessionPair({ link: { delay: 20 } });
  sendAll(pair, 'a', new Array<number>(30).fill(65_536));
  pair.run(() => pair.count('a', 'messageAcknowledged') === 30);
  pair.run(() => false, 1_000);
  const start = pair.now;

  sendAll(pair, 'a', [100], 30);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 31);

  t.true(pair.now - start <= 40 + 25, `${pair.now - start} ms`);
});

test('a probe is acknowledged at once', t => {
  const pair = new SessionPair({ link: { delay: 20 } });
  sendAll(pair, 'a', [10]);
  pair.run(() => false, 1_000);
  const lost = pair.sent.a;
  pair.drop = flight => flight.from === 'a' && flight.number === lost;

  sendAll(pair, 'a', [10], 1);
  pair.run(() => pair.sent.a > lost + 1);
  const probed = pair.now;
  pair.run(() => pair.count('a', 'messageAcknowledged') === 2);

  t.is(pair.now - probed, 40);
  t.true(pair.a.statistics().sentFrames.immediateAck > 0);
});
