import test from 'ava';
import fc from 'fast-check';
import { instant, milliseconds } from '../../src/base/index.js';
import {
  MAX_WINDOW,
  MINIMUM_WINDOW_PACKETS,
  type CongestionController,
} from '../../src/session/congestion.js';
import { Cubic } from '../../src/session/cubic.js';
import { HyStart } from '../../src/session/hystart.js';
import { NewReno } from '../../src/session/new-reno.js';
import { RttEstimator } from '../../src/session/rtt-estimator.js';

const PACKET = 1_000;

function cubicWith(rtt: number): Cubic {
  const estimator = new RttEstimator();
  estimator.sample(milliseconds(rtt), milliseconds(0));
  return new Cubic(PACKET, estimator);
}

/** A sender that always fills the window, acknowledged packet by packet, evenly over each round trip. */
class AckClock {
  now = 1_000;
  readonly #controller: CongestionController;
  readonly #rtt: number;

  constructor(controller: CongestionController, rtt: number) {
    this.#controller = controller;
    this.#rtt = rtt;
  }

  /** One round trip: all of the window is acknowledged. */
  round(limited: boolean = true): void {
    const packets = Math.floor(this.#controller.window / PACKET);
    const start = this.now;
    for (let i = 1; i <= packets; i++) {
      this.now = start + (i * this.#rtt) / packets;
      this.#controller.acknowledged(
        instant(this.now),
        PACKET,
        instant(this.now - this.#rtt + 0.001),
        limited,
      );
    }
  }

  /** Slow start up to a window of so many packets. */
  reach(packets: number): void {
    while (this.#controller.window < packets * PACKET) {
      this.#controller.acknowledged(instant(this.now), PACKET, instant(this.now), true);
    }
  }

  lose(): boolean {
    this.now += 0.001;
    return this.#controller.lost(instant(this.now), instant(this.now));
  }

  /** A loss, and the acks of what was under way then, which prove nothing. */
  recover(): void {
    this.lose();
    this.round();
  }

  get packets(): number {
    return this.#controller.window / PACKET;
  }
}

/** RFC 9438, sections 4.2 and 4.3, in packets and seconds, for a loss at `maximum` without fast convergence. */
function cubicReference(maximum: number, rtt: number, time: number): number {
  const start = 0.7 * maximum;
  const plateau = Math.cbrt((maximum - start) / 0.4);
  const curve = 0.4 * (time - plateau) ** 3 + maximum;
  const toPrior = ((maximum - start) / 0.5294) * rtt;
  const reno = time < toPrior ? start + (0.5294 * time) / rtt : maximum + (time - toPrior) / rtt;
  return Math.max(curve, reno);
}

test('CUBIC follows the curve of RFC 9438 from a loss to beyond the old maximum', t => {
  for (const { maximum, rtt } of [
    { maximum: 200, rtt: 100 },
    { maximum: 500, rtt: 60 },
    { maximum: 60, rtt: 300 },
  ]) {
    const cubic = cubicWith(rtt);
    const clock = new AckClock(cubic, rtt);
    clock.reach(maximum);
    clock.recover();
    const start = clock.now;

    while (clock.now - start < 15_000) {
      clock.round();
      const expected = cubicReference(maximum, rtt / 1_000, (clock.now - start) / 1_000);
      t.true(Math.abs(clock.packets / expected - 1) < 0.03, `${clock.packets} for ${expected}`);
    }
  }
});

test('CUBIC is as quick as Reno where Reno is quicker: short round trips and small windows', t => {
  const maximum = 20;
  const cubic = cubicWith(10);
  const clock = new AckClock(cubic, 10);
  clock.reach(maximum);
  clock.recover();
  const start = clock.now;

  for (let round = 0; round < 60; round++) {
    clock.round();
    const expected = cubicReference(maximum, 0.01, (clock.now - start) / 1_000);
    t.true(Math.abs(clock.packets / expected - 1) < 0.05, `${clock.packets} for ${expected}`);
  }
});

test('CUBIC that loses before its old maximum aims lower, to leave room for others', t => {
  const once = cubicWith(100);
  const clock = new AckClock(once, 100);
  clock.reach(100);
  clock.lose();
  clock.recover();
  const start = clock.now;
  let steepest = Infinity;
  let flattest = 0;
  let before = clock.packets;

  while (clock.now - start < 6_000) {
    clock.round();
    const growth = clock.packets - before;
    if (growth < steepest) {
      steepest = growth;
      flattest = clock.packets;
    }
    before = clock.packets;
  }

  t.true(Math.abs(flattest - 0.7 * 100 * 0.85) < 2, `the plateau lies at ${flattest} packets`);
});

test('time in which the application did not fill the window is no time for the curve', t => {
  const windows = [0, 20_000].map(pause => {
    const cubic = cubicWith(100);
    const clock = new AckClock(cubic, 100);
    clock.reach(100);
    clock.lose();
    for (let i = 0; i < 10; i++) clock.round();
    const before = cubic.window;
    for (let waited = 0; waited < pause; waited += 100) clock.round(false);
    t.is(cubic.window, before);
    clock.now += pause;
    for (let i = 0; i < 10; i++) clock.round();
    return cubic.window;
  });

  t.true(Math.abs(windows[1]! / windows[0]! - 1) < 0.02, windows.join(' and '));
});

test('NewReno doubles in slow start, halves once a round trip, then grows by a packet a round trip', t => {
  const reno = new NewReno(PACKET);
  const clock = new AckClock(reno, 50);

  for (let round = 0; round < 4; round++) {
    t.is(clock.packets, 10 * 2 ** round);
    clock.round();
  }
  t.true(clock.lose());
  t.false(reno.lost(instant(clock.now + 10), instant(clock.now - 5)), 'the same congestion');
  t.is(clock.packets, 80);
  reno.acknowledged(instant(clock.now), PACKET, instant(clock.now - 5), true);
  t.is(clock.packets, 80, 'what was sent before the loss does not grow it');
  clock.now += 50;
  for (let round = 1; round <= 30; round++) {
    clock.round();
    t.true(Math.abs(clock.packets - (80 + round)) <= 1, `round ${round}: ${clock.packets}`);
  }
});

for (const name of ['newReno', 'cubic'] as const) {
  const create = (): CongestionController => (name === 'cubic' ? cubicWith(50) : new NewReno(PACKET));

  test(`${name}: an event that was none leaves no trace`, t => {
    const [undone, calm] = [create(), create()];
    for (const controller of [undone, calm]) new AckClock(controller, 50).reach(300);
    const [a, b] = [new AckClock(undone, 50), new AckClock(calm, 50)];
    for (const clock of [a, b]) {
      clock.lose();
      for (let round = 0; round < 20; round++) clock.round();
    }

    a.lose();
    t.true(undone.window < calm.window);
    undone.undo();

    for (let round = 0; round < 20; round++) {
      t.true(Math.abs(undone.window / calm.window - 1) < 1e-4);
      a.round();
      b.round();
    }
  });

  test(`${name}: what grew since an event that was none is kept, and it is undone but once`, t => {
    const controller = create();
    const clock = new AckClock(controller, 50);
    clock.reach(100);
    clock.lose();
    controller.undo();
    t.is(clock.packets, 100);
    clock.reach(200);
    const { window } = controller;

    controller.undo();

    t.is(controller.window, window);
  });

  test(`${name}: after a collapse it starts slowly, up to where the losses before began to count`, t => {
    const controller = create();
    const clock = new AckClock(controller, 50);
    clock.reach(200);
    clock.lose();
    const threshold = controller.window;
    controller.collapsed();
    t.is(clock.packets, MINIMUM_WINDOW_PACKETS);

    let rounds = 0;
    for (; controller.slowStart; rounds++) clock.round();

    t.true(rounds <= 8, `${rounds} rounds`);
    t.true(controller.window >= threshold && controller.window <= threshold + PACKET);
    for (let round = 0; round < 5; round++) clock.round();
    t.true(clock.packets < 1.3 * (threshold / PACKET), 'and carefully from there');
  });

  test(`${name}: the window stays within its bounds and grows only for who fills it`, t => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('ack' as const), limited: fc.boolean() }) },
      fc.record({ kind: fc.constantFrom('lost' as const, 'collapsed' as const, 'undo' as const) }),
      fc.record({
        kind: fc.constant('wait' as const),
        duration: fc.double({ min: 0, max: 1e6, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const controller = create();
        let now = 0;
        for (const each of steps) {
          const before = controller.window;
          now += 1;
          if (each.kind === 'wait') now += each.duration;
          else if (each.kind === 'lost') controller.lost(instant(now), instant(now - 0.5));
          else if (each.kind === 'ack') {
            for (let i = 0; i < 50; i++) {
              controller.sampled(milliseconds(50));
              controller.acknowledged(instant(now), 65_000, instant(now - 0.5), each.limited);
            }
            if (!each.limited) t.is(controller.window, before);
            t.true(controller.window >= before);
          } else controller[each.kind]();
          if (each.kind === 'lost' || each.kind === 'collapsed') t.true(controller.window <= before);
          t.true(controller.window >= MINIMUM_WINDOW_PACKETS * PACKET && controller.window <= MAX_WINDOW);
        }
      }),
    );
  });
}

test('HyStart++ ends slow start when the round trip grows, after five careful rounds', t => {
  const hystart = new HyStart();
  let now = 0;
  /** One round of sixteen samples. */
  const round = (rtt: number): number => {
    const start = now;
    now += rtt;
    let growth = hystart.acknowledged(instant(now), PACKET, instant(start + 0.001));
    for (let i = 0; i < 16; i++) hystart.sampled(milliseconds(rtt + (i % 3)));
    growth = hystart.acknowledged(instant(now), PACKET, instant(start + 0.001 - rtt));
    return growth;
  };

  t.is(round(40), PACKET);
  t.is(round(42), PACKET, 'an eighth of the round trip is noise');
  t.is(round(50), PACKET / 4, 'more is a queue');
  for (let i = 0; i < 4; i++) {
    t.is(round(52), PACKET / 4);
    t.false(hystart.finished);
  }
  round(52);
  t.true(hystart.finished);
});

test('HyStart++ goes on when the round trip was longer by chance', t => {
  const cubic = new Cubic(PACKET, new RttEstimator());
  let now = 0;
  const round = (rtt: number): void => {
    const start = now;
    now += rtt;
    cubic.acknowledged(instant(now), PACKET, instant(start + 0.001), true);
    for (let i = 0; i < 16; i++) cubic.sampled(milliseconds(rtt));
  };

  for (const rtt of [40, 40, 60, 60, 40, 40, 40, 40, 40, 40, 40, 40]) round(rtt);

  t.true(cubic.slowStart);
});
