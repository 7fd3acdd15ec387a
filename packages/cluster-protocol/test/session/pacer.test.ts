import test from 'ava';
import fc from 'fast-check';
import { instant, milliseconds } from '../../src/base/index.js';
import { Pacer } from '../../src/session/pacer.js';
import { SessionPair, sendAll } from './pair.js';

const PACKET = 1_000;

/** Bytes that a sender with endless data sends until `end`, waking up `late` milliseconds after it asked to. */
function sentBy(pacer: Pacer, end: number, window: number, rtt: number, late: number): number {
  let sent = 0;
  for (let now = 0; now <= end;) {
    const ready = pacer.readyAt(instant(now), window, milliseconds(rtt), false);
    if (ready > now) {
      now = ready + late;
      continue;
    }
    pacer.spend(PACKET);
    sent += PACKET;
  }
  return sent;
}

test('a burst of ten goes at once, and then packets are spread over the round trip', t => {
  const pacer = new Pacer(PACKET, instant(0));
  const ready = (now: number): number => pacer.readyAt(instant(now), 20_000, milliseconds(100), false);

  for (let i = 0; i < 10; i++) {
    t.is(ready(0), 0);
    pacer.spend(PACKET);
  }

  t.is(ready(0), 4, 'a packet in 4 ms: 20 in a round trip, and a quarter more');
  t.is(ready(4), 4);
});

test('the rate is a quarter above the window per round trip, however late the timers wake us', t => {
  for (const late of [0, 0.3, 1.9]) {
    for (const [window, rtt] of [
      [20_000, 100],
      [250_000, 20],
      [1_000_000, 50],
    ] as const) {
      const pacer = new Pacer(PACKET, instant(0));

      const sent = sentBy(pacer, 10_000, window, rtt, late);

      const expected = (1.25 * window * 10_000) / rtt;
      t.true(Math.abs(sent / expected - 1) < 0.03, `${sent} of ${expected} at ${late} ms`);
    }
  }
});

test('at a high rate one wake-up sends two milliseconds of it', t => {
  const pacer = new Pacer(PACKET, instant(0));
  sentBy(pacer, 0, 1_000_000, 20, 0);

  t.is<number, number>(pacer.readyAt(instant(0), 1_000_000, milliseconds(20), false), 2);
});

test('a round trip below two milliseconds is not paced at all', t => {
  const pacer = new Pacer(PACKET, instant(0));

  for (let i = 0; i < 10_000; i++) {
    t.is<number, number>(pacer.readyAt(instant(0), 20_000, milliseconds(1.9), false), 0);
    pacer.spend(PACKET);
  }
});

test('a packet after a pause never waits', t => {
  fc.assert(
    fc.property(
      fc.double({ min: 2_000, max: 8e6, noNaN: true }),
      fc.double({ min: 0.01, max: 2_000, noNaN: true }),
      fc.nat({ max: 100 }),
      (window, rtt, packets) => {
        const pacer = new Pacer(PACKET, instant(0));
        for (let i = 0; i < packets; i++) {
          pacer.readyAt(instant(0), window, milliseconds(rtt), true);
          pacer.spend(PACKET);
        }
        // Ten packets of the deepest debt and ten more of a full bucket, at the slowest rate.
        const rested = (20 * PACKET * rtt) / window + 1;
        t.is<number, number>(pacer.readyAt(instant(rested), window, milliseconds(rtt), false), rested);
      },
    ),
  );
});

test('what leaves in any span of time is the rate, a burst and no more', t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 5_000, max: 1_000_000 }),
      fc.integer({ min: 2, max: 800 }),
      fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 20 }),
      (window, rtt, pauses) => {
        const pacer = new Pacer(PACKET, instant(0));
        const rate = (1.25 * window) / rtt;
        let now = 0;
        let sent = 0;
        for (const pause of pauses) {
          now += pause;
          while (pacer.readyAt(instant(now), window, milliseconds(rtt), false) <= now) {
            pacer.spend(PACKET);
            sent += PACKET;
          }
          t.true(sent <= rate * now + Math.max(10 * PACKET, 4 * rate) + 1);
        }
      },
    ),
  );
});

test('after a pause of any length one burst goes at once, and no more', t => {
  const pacer = new Pacer(PACKET, instant(0));
  const window = 100 * PACKET;
  const rtt = milliseconds(1_000);
  const atOnce = (now: number): number => {
    let count = 0;
    for (; count < 1_000 && pacer.readyAt(instant(now), window, rtt, false) <= now; count++)
      pacer.spend(PACKET);
    return count;
  };

  t.is(atOnce(0), 10);
  t.is(atOnce(3_600_000), 10);
});

test('when the acks of a window come together, what they let out is spread', t => {
  const pair = new SessionPair({ link: { delay: 100 }, config: { ackDelay: milliseconds(25) } });
  const times = new Map<number, number>();
  pair.drop = ({ from }) => {
    if (from === 'a') times.set(pair.now, (times.get(pair.now) ?? 0) + 1);
    return false;
  };

  sendAll(pair, 'a', new Array<number>(10).fill(65_536));
  pair.run(() => pair.count('a', 'messageAcknowledged') === 10);

  const most = Math.max(...times.values());
  t.true(most <= 12, `${most} packets at one moment`);
});

test('on a way of no length the pacer never holds a transfer back', t => {
  const pair = new SessionPair({ link: { delay: 0.1 } });

  sendAll(pair, 'a', new Array<number>(60).fill(65_536));
  const start = pair.now;
  t.true(pair.run(() => pair.count('a', 'messageAcknowledged') === 60));

  t.true(pair.now - start < 20, `${pair.now - start} ms for 4 MB`);
});
