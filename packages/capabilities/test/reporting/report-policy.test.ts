import test from 'ava';
import fc from 'fast-check';
import {
  defineCapability,
  initialReportState,
  nextDeadline,
  onReading,
  onSnapshot,
  onTime,
  reportRule,
  t as type,
} from '@coconet/capabilities';
import type {
  AttributeReport,
  AttributeSpec,
  ReportRule,
  ReportState,
  SubscriptionIntervals,
} from '@coconet/capabilities';

const EPOCH = Date.UTC(2026, 0, 31);

/** One attribute and one subscriber under virtual time; keeps what was sent and when. */
class Bench {
  readonly sent: { readonly at: number; readonly value: unknown; readonly realtime: boolean }[] = [];
  readonly rule: ReportRule;
  #state: ReportState;
  #now = 0;

  constructor(spec: Omit<AttributeSpec, 'id'>, wanted?: SubscriptionIntervals, stored?: unknown) {
    const capability = defineCapability({
      id: 'com.acme.bench',
      name: 'bench',
      title: 'Bench',
      revision: 1,
      tier: 'vendor',
      attributes: { value: { id: 1, ...spec } },
    });
    this.rule = reportRule(capability.attributes.value, wanted);
    this.#state =
      stored === undefined ? initialReportState() : initialReportState(stored, new Date(EPOCH - 1));
  }

  get now(): number {
    return this.#now;
  }

  get state(): ReportState {
    return this.#state;
  }

  read(value: unknown): void {
    const step = onReading(
      this.rule,
      this.#state,
      { value, lastUpdated: new Date(EPOCH + this.#now) },
      this.#now,
    );
    this.#state = step.state;
    this.#note(step.report);
  }

  join(): void {
    const step = onSnapshot(this.rule, this.#state, this.#now);
    this.#state = step.state;
    this.#note(step.report);
  }

  /** Jumps from deadline to deadline, as a driver does. */
  runUntil(end: number): void {
    for (;;) {
      const due = nextDeadline(this.rule, this.#state);
      if (due === undefined || due > end) break;
      this.#now = Math.max(this.#now, due);
      const step = onTime(this.rule, this.#state, this.#now);
      this.#state = step.state;
      this.#note(step.report);
    }
    this.#now = end;
  }

  #note(report: AttributeReport | undefined): void {
    if (report !== undefined)
      this.sent.push({ at: this.#now, value: report.value, realtime: report.realtime });
  }
}

test('without intervals every change is reported at once, and nothing else', t => {
  const bench = new Bench({ type: type.bool() });

  for (const value of [true, true, false, false, null, null]) bench.read(value);

  t.deepEqual(
    bench.sent.map(report => report.value),
    [true, false, null],
  );
  t.is(nextDeadline(bench.rule, bench.state), undefined);
});

test('changes inside the minimum interval are coalesced; the last one is sent when it ends', t => {
  const bench = new Bench({ type: type.uint8(), minReportInterval: 1_000 });

  bench.read(1);
  bench.runUntil(100);
  bench.read(2);
  bench.runUntil(200);
  bench.read(3);
  bench.runUntil(5_000);

  t.deepEqual(bench.sent, [
    { at: 0, value: 1, realtime: true },
    { at: 1_000, value: 3, realtime: true },
  ]);
});

test('after a quiet minimum interval a change goes out at once', t => {
  const bench = new Bench({ type: type.uint8(), minReportInterval: 1_000 });

  bench.read(1);
  bench.runUntil(1_000);
  bench.read(2);

  t.deepEqual(
    bench.sent.map(report => report.at),
    [0, 1_000],
  );
});

test('the maximum interval sends a heartbeat, counted from the last report', t => {
  const bench = new Bench({ type: type.uint8(), maxReportInterval: 1_000 });

  bench.read(1);
  bench.runUntil(1_500);
  bench.read(2);
  bench.runUntil(2_600);

  t.deepEqual(bench.sent, [
    { at: 0, value: 1, realtime: true },
    { at: 1_000, value: 1, realtime: true },
    { at: 1_500, value: 2, realtime: true },
    { at: 2_500, value: 2, realtime: true },
  ]);
});

test('a number is reported when it is far enough from the last report, and a heartbeat carries the newest', t => {
  const bench = new Bench({ type: type.float64(), reportableChange: 0.5, maxReportInterval: 10_000 });

  for (const value of [20, 20.3, 20.4, 20.5, 20.2, 20]) bench.read(value);
  bench.runUntil(10_000);

  t.deepEqual(
    bench.sent.map(report => report.value),
    [20, 20.5, 20, 20],
  );
});

test('small steps in one direction add up to a reportable change', t => {
  const bench = new Bench({ type: type.uint64(), reportableChange: 10 });

  for (let value = 0n; value < 25n; value += 3n) bench.read(value);

  t.deepEqual(
    bench.sent.map(report => report.value),
    [0n, 12n, 24n],
  );
});

test('to and from "not known" is always a change', t => {
  const bench = new Bench({ type: type.float64(), reportableChange: 5 });

  for (const value of [20, null, 20]) bench.read(value);

  t.deepEqual(
    bench.sent.map(report => report.value),
    [20, null, 20],
  );
});

test('equal json, dates, lists and bytes are no change', t => {
  const bench = new Bench({ type: type.timestamp() });
  for (const [first, second] of [
    [new Date(1), new Date(1)],
    [Uint8Array.of(1), Uint8Array.of(1)],
    [{ a: [1, { b: null }] }, { a: [1, { b: null }] }],
  ] as const) {
    bench.read(first);
    const before = bench.sent.length;

    bench.read(second);

    t.is(bench.sent.length, before);
  }
});

test('an alarm ignores the minimum interval but not equality', t => {
  const bench = new Bench({ type: type.bool(), alarm: true, minReportInterval: 60_000 });

  for (const value of [false, true, true, false]) bench.read(value);

  t.deepEqual(
    bench.sent.map(report => report.value),
    [false, true, false],
  );
});

test('an event is sent each time, is not kept and is not replayed', t => {
  const bench = new Bench(
    { type: type.string(), delivery: 'event', minReportInterval: 60_000 },
    { maxInterval: 1_000 },
  );

  bench.read('pressed');
  bench.read('pressed');
  bench.join();
  bench.runUntil(10_000);

  t.deepEqual(bench.sent, [
    { at: 0, value: 'pressed', realtime: true },
    { at: 0, value: 'pressed', realtime: true },
  ]);
});

test('who joins gets the value as stale, with the time of its reading', t => {
  const bench = new Bench({ type: type.uint8() }, {}, 7);

  bench.join();
  bench.read(8);
  bench.join();

  t.deepEqual(
    bench.sent.map(({ value, realtime }) => [value, realtime]),
    [
      [7, false],
      [8, true],
      [8, false],
    ],
  );
  t.deepEqual(bench.state.lastUpdated, new Date(EPOCH));
});

test('a heartbeat of a value that was only replayed is still stale', t => {
  const bench = new Bench({ type: type.uint8(), maxReportInterval: 1_000 }, {}, 7);

  bench.join();
  bench.runUntil(1_000);
  bench.read(7);
  bench.runUntil(2_000);

  t.deepEqual(
    bench.sent.map(({ realtime }) => realtime),
    [false, false, true],
  );
});

test('the larger minimum counts; the subscriber’s maximum takes the place of the attribute’s', t => {
  const spec = { type: type.uint8(), minReportInterval: 1_000, maxReportInterval: 60_000 };

  t.like(new Bench(spec).rule, { minInterval: 1_000, maxInterval: 60_000 });
  t.like(new Bench(spec, { minInterval: 500, maxInterval: 5_000 }).rule, {
    minInterval: 1_000,
    maxInterval: 5_000,
  });
  t.like(new Bench(spec, { minInterval: 2_000, maxInterval: 100 }).rule, {
    minInterval: 2_000,
    maxInterval: 2_000,
  });
  t.like(new Bench(spec, { maxInterval: 0 }).rule, { maxInterval: 0 });
});

test('calling early is harmless', t => {
  const bench = new Bench({ type: type.uint8(), minReportInterval: 1_000 });
  bench.read(1);
  bench.read(2);

  const early = onTime(bench.rule, bench.state, 999);

  t.deepEqual(early, { state: bench.state, report: undefined });
});

test('whatever is read whenever: reports keep their distance, and the last one is the last value', t => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 3 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 2_000 }), (readings, minReportInterval) => {
      const bench = new Bench({ type: type.uint8(), minReportInterval });

      for (const [wait, value] of readings) {
        bench.runUntil(bench.now + wait);
        bench.read(value);
      }
      bench.runUntil(bench.now + 10_000);

      const gaps = bench.sent.slice(1).map((report, index) => report.at - bench.sent[index]!.at);
      t.true(gaps.every(gap => gap >= minReportInterval));
      t.is(bench.sent.at(-1)?.value, readings.at(-1)?.[1]);
    }),
  );
});
