import type { Duration, Instant } from '../base/index.js';
import type { FrameTally } from './frame-counts.js';
import type { SessionPath } from './session-path.js';

/** What is known of one path. */
export interface PathStatistics {
  /** Smoothed round-trip time; a guess of 333 ms before the first sample. */
  readonly rtt: Duration;
  readonly rttVariance: Duration;
  /** The smallest sample; 0 before the first. */
  readonly minRtt: Duration;
  /** Bytes that may be in flight. */
  readonly congestionWindow: number;
  readonly bytesInFlight: number;
  /** Whether the peer proved to be there. */
  readonly validated: boolean;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Packets lost on this path. */
  readonly lost: number;
  readonly lastReceived: Instant | undefined;
}

/** Totals of a session over all its paths. */
export interface SessionStatistics {
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  /** Packets that counted as lost, those included that were only late. */
  readonly lostPackets: number;
  /** Packets that counted as lost and were acknowledged after all. */
  readonly spuriousLosses: number;
  /** Fragments and control frames that were queued again. */
  readonly retransmissions: number;
  /** Sends that the operating system refused. */
  readonly sendErrors: number;
  /** How often the keys were changed. */
  readonly rekeys: number;
  /** Streams that have not ended both ways. */
  readonly streams: number;
  readonly sentFrames: FrameTally;
  readonly receivedFrames: FrameTally;
}

/** A snapshot of a path. */
export const statisticsOf = (path: SessionPath): PathStatistics => ({
  rtt: path.rtt.smoothed,
  rttVariance: path.rtt.variance,
  minRtt: path.rtt.minimum,
  congestionWindow: path.congestion.window,
  bytesInFlight: path.bytesInFlight,
  validated: path.validated,
  sentBytes: path.sentBytes,
  receivedBytes: path.receivedBytes,
  lost: path.lost,
  lastReceived: path.lastReceived,
});
