import test from 'ava';
import { instant, milliseconds } from '../../src/base/index.js';
import { PathTable } from '../../src/session/path-table.js';
import { Recovery } from '../../src/session/recovery.js';
import type { FrameCarrier } from '../../src/session/sent-frame.js';
import { SessionPath } from '../../src/session/session-path.js';
import { encodeFrames, FrameReader } from '../../src/wire/index.js';

const MAX_ACK_DELAY = milliseconds(25);
const SIZE = 1_000;

/** Counts what becomes of a frame. */
class Frame implements FrameCarrier {
  arrived = 0;
  repeated = 0;

  acknowledged(): void {
    this.arrived++;
  }

  lost(): void {
    this.repeated++;
  }
}

/** Recovery on one path, and packets that each carry one frame. */
class Bench {
  readonly path: SessionPath = new SessionPath(1, 1_200, true, instant(0), 'cubic');
  readonly recovery: Recovery;

  constructor() {
    const paths = new PathTable();
    paths.add(this.path);
    this.recovery = new Recovery(paths, MAX_ACK_DELAY);
  }

  /** Sends packets with the next numbers, one at each of the moments. */
  send(...moments: readonly number[]): Frame[] {
    return moments.map(now => {
      const frame = new Frame();
      const sent = this.recovery.packets.pool.take(frame, 0, 1, undefined);
      this.recovery.sent(instant(now), this.path, SIZE, sent, -1, false);
      return frame;
    });
  }

  /** An ack of the numbers from `first` to `last`. */
  ack(now: number, first: number, last: number = first, delay = 0): void {
    const bytes = encodeFrames([{ type: 'ack', delay, ranges: [{ first, last }] }]);
    const reader = new FrameReader();
    reader.reset(bytes, 0, bytes.length);
    reader.next();
    this.recovery.acknowledge(instant(now), reader);
  }
}

test('of the delay that a peer names no more is believed than it may wait', t => {
  const bench = new Bench();
  bench.send(0, 100);

  bench.ack(50, 0);
  bench.ack(300, 1, 1, 150);

  t.is<number, number>(bench.path.rtt.smoothed, 0.875 * 50 + 0.125 * (200 - MAX_ACK_DELAY));
});

test('an ack ends the back-off of the probes', t => {
  const bench = new Bench();
  const { path, recovery } = bench;
  bench.send(0, 0);
  bench.ack(10, 0);
  const patient = path.probeInterval(MAX_ACK_DELAY);

  for (let i = 1; i <= 3; i++) recovery.probe(instant(100 * i), path);
  t.true(path.probeInterval(MAX_ACK_DELAY) > patient);
  bench.ack(400, 1);

  t.is(path.probeTimeouts, 0);
});

test('what a probe has sent again is not sent once more when it counts as lost', t => {
  const bench = new Bench();
  const [probed, , , other] = bench.send(0, 1, 2, 3, 4, 5, 6, 7);

  bench.recovery.probe(instant(1_000), bench.path);
  t.is(probed?.repeated, 1);
  bench.ack(1_100, 4, 7);

  t.is(bench.recovery.lost, 4);
  t.deepEqual([probed?.repeated, other?.repeated], [1, 1]);
});

test('nothing that is settled stays in flight, whether it arrived or was lost', t => {
  const bench = new Bench();
  const { path } = bench;
  bench.send(0, 0, 0, 0, 0);
  t.deepEqual([path.bytesInFlight, path.packetsInFlight], [5 * SIZE, 5]);

  bench.ack(100, 3, 4);

  t.is(bench.recovery.lost, 2);
  t.deepEqual([path.bytesInFlight, path.packetsInFlight], [SIZE, 1]);
});

/** The window after losses over `span` ms, between two packets that came; `sampled` when a round trip was known before. */
function windowAfter(span: number, sampled: boolean): number {
  const bench = new Bench();
  const { path } = bench;
  if (sampled) {
    bench.send(0);
    bench.ack(100, 0);
  }
  const first = bench.recovery.packets.next;
  bench.send(200, 200 + span, 201 + span, 202 + span, 203 + span);
  bench.ack(300 + span, first + 4);
  return path.congestion.window / path.packet;
}

test('losses over more than three probe timeouts bring the window down to its least', t => {
  // The last ack makes the round trip 99.625 ± 38.25 ms, hence a probe timeout of 277.625 with the delay of acks.
  t.true(windowAfter(832, true) > 2);
  t.is(windowAfter(833, true), 2);
});

test('losses before the first round trip was measured are no persistent congestion', t => {
  t.true(windowAfter(10_000, false) > 2);
});

test('a size probe that got lost is no congestion', t => {
  const bench = new Bench();
  const { path, recovery } = bench;
  const { window } = path.congestion;

  recovery.sent(instant(0), path, 1_300, undefined, -1, true);
  bench.send(1, 2, 3);
  bench.ack(100, 1, 3);

  t.is(recovery.lost, 0);
  t.deepEqual([path.bytesInFlight, path.packetsInFlight], [0, 0]);
  t.true(path.congestion.window >= window);
});
