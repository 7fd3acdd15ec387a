import test from 'ava';
import fc from 'fast-check';
import { instant, milliseconds } from '../../src/base/index.js';
import { LossEvent } from '../../src/session/loss-event.js';
import { PersistentCongestion } from '../../src/session/persistent-congestion.js';
import { Reordering } from '../../src/session/reordering.js';
import { RttEstimator } from '../../src/session/rtt-estimator.js';
import { PacketState, SentPackets } from '../../src/session/sent-packets.js';
import { SessionPath } from '../../src/session/session-path.js';

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
  t.is<number, number>(rtt.latest, 105);
  t.is<number, number>(
    rtt.smoothed,
    0.875 * 101.25 + 0.125 * 105,
    'the delay is not taken off below the minimum',
  );
});

test('a new route may be longer: the minimum is forgotten with persistent congestion', t => {
  const rtt = new RttEstimator();
  rtt.sample(milliseconds(20), milliseconds(0));
  rtt.sample(milliseconds(90), milliseconds(0));

  rtt.forgetMinimum();

  t.is<number, number>(rtt.minimum, 90);
});

test('losses in a row are one run, however many acks it took to tell', t => {
  const congestion = new PersistentCongestion();

  for (const place of [4, 5, 6]) congestion.lost(place, instant(place * 100));
  t.is<number, number>(congestion.duration, 200);
  congestion.lost(8, instant(900));
  t.is<number, number>(congestion.duration, 0, 'the packet between them was acknowledged');
  congestion.lost(9, instant(1_500));
  t.is<number, number>(congestion.duration, 600);
  congestion.late(8);

  t.is<number, number>(congestion.duration, 0, 'it was only late');
});

test('an event is none when the last of its losses has come', t => {
  const event = new LossEvent();
  t.false(event.late(3), 'without an event nothing can be undone');

  event.begin(10, 2);
  event.extend(1);

  t.false(event.late(4), 'a packet of an earlier event proves nothing');
  t.deepEqual(
    [10, 11, 14].map(place => event.late(place)),
    [false, false, true],
  );
  t.false(event.late(14));
});

test('an event whose losses were not all late stands, and so does one of a path that was left', t => {
  const event = new LossEvent();
  event.begin(10, 2);
  t.false(event.late(10));
  event.begin(20, 1);
  event.forget();

  t.false(event.late(20));
});

test('late packets widen the thresholds, and sixteen quiet events bring them back', t => {
  const reordering = new Reordering();
  const rtt = new RttEstimator();
  rtt.sample(milliseconds(80), milliseconds(0));
  t.is(reordering.packets, 3);
  t.is<number, number>(reordering.delay(rtt), 90);

  reordering.late(instant(0), 7, rtt);
  reordering.late(instant(10), 5, rtt);
  t.is(reordering.packets, 8);
  t.is<number, number>(reordering.delay(rtt), 110, 'a quarter of a round trip more, once in a round trip');
  for (let i = 1; i < 20; i++) reordering.late(instant(i * 100), 1_000, rtt);
  t.is(reordering.packets, 64);
  t.is<number, number>(reordering.delay(rtt), 160);

  for (let i = 0; i < 15; i++) reordering.event();
  t.is(reordering.packets, 64);
  reordering.event();

  t.is(reordering.packets, 3);
  t.is<number, number>(reordering.delay(rtt), 90);
});

test('the table of sent packets holds what a plain list would hold', t => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('add' as const, 'skip' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom('settle' as const, 'lose' as const), at: fc.nat() }),
    },
    fc.record({ kind: fc.constant('trim' as const) }),
  );
  const path = new SessionPath(0, 1_195, true, instant(0), 'cubic');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat({ max: 60 }), (steps, keepLost) => {
      const packets = new SentPackets();
      const model = new Map<number, { readonly at: number; lost: boolean }>();
      steps.forEach((each, now) => {
        const waiting = [...model.keys()];
        switch (each.kind) {
          case 'add':
            model.set(packets.next, { at: now, lost: false });
            packets.add(instant(now), 1_000 + (packets.next % 100), path, undefined, -1, false);
            break;
          case 'skip':
            packets.skip();
            break;
          case 'settle':
          case 'lose': {
            const number = waiting[each.at % Math.max(1, waiting.length)];
            if (number === undefined) break;
            if (each.kind === 'settle') {
              packets.settle(number);
              model.delete(number);
            } else {
              packets.columns.state[packets.slot(number)] = PacketState.lost;
              model.get(number)!.lost = true;
            }
            break;
          }
          case 'trim':
            packets.trim(instant(now), milliseconds(keepLost));
            for (const [number, { at, lost }] of model) {
              if (!lost || at + keepLost > now) break;
              model.delete(number);
            }
            t.is(packets.base, [...model.keys()][0] ?? packets.next);
        }
        const listed: number[] = [];
        for (let n = packets.oldest; n >= 0; n = packets.newerThan(n)) {
          listed.push(n);
          t.is(packets.columns.size[packets.slot(n)], 1_000 + (n % 100));
        }
        t.deepEqual(listed, [...model.keys()]);
      });
    }),
  );
});

test('places in the table are found anywhere below 2^48', t => {
  const packets = new SentPackets();
  packets.add(instant(0), 1_000, new SessionPath(0, 1_195, true, instant(0), 'cubic'), undefined, -1, false);

  for (const number of [0, 31, 2 ** 31 + 5, 2 ** 32 - 1, 2 ** 32, 2 ** 47 + 7]) {
    t.is(packets.slot(number), number % 32);
  }
});

test('a table that a transfer has made large is small again after it', t => {
  const path = new SessionPath(0, 1_195, true, instant(0), 'cubic');
  const packets = new SentPackets();
  const exchange = (count: number): void => {
    const from = packets.next;
    for (let i = 0; i < count; i++) packets.add(instant(0), 1_000, path, undefined, -1, false);
    for (let number = from; number < from + count; number++) packets.settle(number);
    packets.trim(instant(0), milliseconds(0));
  };

  for (let i = 0; i < 100; i++) exchange(i % 20 === 0 ? 500 : 1);
  t.is(packets.capacity, 512, 'as long as it is needed now and then');
  for (let i = 0; i < 40; i++) exchange(2);

  t.is(packets.capacity, 0);
  exchange(50);
  t.is(packets.base, packets.next);
});

test('a clock that leaps while a packet is under way does not make probes wait as long', t => {
  const rtt = new RttEstimator();
  rtt.sample(milliseconds(20), milliseconds(0));
  const before = rtt.probeTimeout(milliseconds(25));

  rtt.sample(milliseconds(40_000), milliseconds(0));

  t.is(rtt.probeTimeout(milliseconds(25)), before);
});
