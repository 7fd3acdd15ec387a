import test from 'ava';

import { TelemetryRecorder, type Batch } from '../src/telemetry-recorder.js';

const CHANNELS = [
  { id: 'load', name: 'Load', unit: '%', type: 'float32' },
  { id: 'sent', name: 'Sent', unit: 'B/s', type: 'uint64' },
];

/** Records so many samples, one every 1,000 ms from `from` on, whose load is their number. */
function record(recorder: TelemetryRecorder, samples: number, from = 0): readonly Batch[] {
  return Array.from({ length: samples }, (_, index) =>
    recorder.record(from + index * 1_000, { load: from / 1_000 + index, sent: null }),
  ).flat();
}

test('without a subscription samples are kept and none is sent', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);

  t.deepEqual(record(recorder, 5), []);

  t.is(recorder.buffered, 10);
  t.is(recorder.channels[0]?.rate, 1);
});

test('a subscriber gets every sample of its channels', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);

  recorder.subscribe({ channels: ['load'] });

  t.deepEqual(record(recorder, 2), [
    { channelId: 'load', start: 0, interval: 1_000, values: [0] },
    { channelId: 'load', start: 1_000, interval: 1_000, values: [1] },
  ]);
});

test('samples wait for a whole batch', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);

  recorder.subscribe({ channels: ['load'], batch: 3_000 });

  t.deepEqual(record(recorder, 5), [{ channelId: 'load', start: 0, interval: 1_000, values: [0, 1, 2] }]);
});

test('a lower rate leaves samples out', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);

  recorder.subscribe({ channels: ['load'], maxRate: 0.5, batch: 4_000 });

  t.deepEqual(record(recorder, 4), [{ channelId: 'load', start: 0, interval: 2_000, values: [0, 2] }]);
});

test('a gap is null', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);

  recorder.subscribe({ channels: ['sent'] });

  t.deepEqual(record(recorder, 1), [{ channelId: 'sent', start: 0, interval: 1_000, values: [null] }]);
});

test('a subscription ends at its time, or when told', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);
  recorder.subscribe({ channels: ['load'], until: new Date(1_000) });
  const second = recorder.subscribe({ channels: ['load'] });

  t.is(record(recorder, 3).length, 5);
  t.true(recorder.unsubscribe(second));
  t.false(recorder.unsubscribe(second));

  t.deepEqual(record(recorder, 1, 3_000), []);
});

test('the oldest subscription goes when there are too many', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);

  for (let count = 0; count < 17; count++) recorder.subscribe({ channels: ['load'] });

  t.is(record(recorder, 1).length, 16);
});

test('a channel that is not there is named with those that are', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);

  t.throws(() => recorder.subscribe({ channels: ['lode'] }), {
    instanceOf: RangeError,
    message: /'lode'.*load, sent/,
  });
});

test('the past is told as it was', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);
  record(recorder, 10);

  t.deepEqual(recorder.history({ channelId: 'load', from: new Date(2_000), to: new Date(4_000) }), [
    { time: 2_000, value: 2 },
    { time: 3_000, value: 3 },
    { time: 4_000, value: 4 },
  ]);
});

test('the past is summed up to the points wanted', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 1_000);
  record(recorder, 6);
  const whole = { channelId: 'load', from: new Date(0), to: new Date(9_000), maxPoints: 2 };
  const values = (aggregate: 'none' | 'mean' | 'min' | 'max' | 'sum') =>
    recorder.history({ ...whole, aggregate }).map(({ value }) => value);

  t.deepEqual(values('none'), [0, 3]);
  t.deepEqual(values('mean'), [1, 4]);
  t.deepEqual(values('min'), [0, 3]);
  t.deepEqual(values('max'), [2, 5]);
  t.deepEqual(values('sum'), [3, 12]);
});

test('an hour is kept and no more', t => {
  const recorder = new TelemetryRecorder(CHANNELS, 2_000);

  record(recorder, 2_000);

  t.is(recorder.buffered, 2 * 1_800);
  t.is(recorder.history({ channelId: 'load', from: new Date(0), to: new Date(9e12) }).length, 600);
});
