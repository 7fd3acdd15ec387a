import type { Duration, Instant } from '../base/index.js';
import type { FrameCounts, FrameTally } from './frame-counts.js';
import type { PacketSources } from './packet-sources.js';
import type { PacketWriter } from './packet-writer.js';
import type { Reassembler } from './reassembler.js';
import type { Recovery } from './recovery.js';
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
  /** Bytes of UDP payload that datagrams may have here: 1200 until a search found more, or less. */
  readonly mtu: number;
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
  /** Bytes of messages that were queued again. */
  readonly retransmittedBytes: number;
  /** Messages of the peer's of which a part is here. */
  readonly partialMessages: number;
  /** Bytes that they take, with what was granted and has not come. */
  readonly reservedBytes: number;
  /** Sends that the operating system refused. */
  readonly sendErrors: number;
  /** Datagrams that were queued and did not fit the path when their turn came. */
  readonly droppedDatagrams: number;
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
  mtu: path.mtu.size,
  validated: path.validated,
  sentBytes: path.sentBytes,
  receivedBytes: path.receivedBytes,
  lost: path.lost,
  lastReceived: path.lastReceived,
});

/** Who counts what in a session. */
export interface Counted {
  readonly sources: PacketSources;
  readonly writer: PacketWriter;
  readonly recovery: Recovery;
  readonly reassembler: Reassembler;
  readonly sent: FrameCounts;
  readonly received: FrameCounts;
  /** Packets that passed and their bytes, and what the operating system did not send. */
  readonly receipts: { readonly packets: number; readonly bytes: number; readonly sendErrors: number };
}

/** A snapshot of a session. */
export function sessionStatistics(counted: Counted): SessionStatistics {
  const { sources, writer, recovery, reassembler, sent, received, receipts } = counted;
  const { messages, control, datagrams, rekey, streams } = sources;
  return {
    sentPackets: writer.sentPackets,
    sentBytes: writer.sentBytes,
    receivedPackets: receipts.packets,
    receivedBytes: receipts.bytes,
    lostPackets: recovery.lost,
    spuriousLosses: recovery.spurious,
    retransmissions: messages.retransmissions + control.retransmissions,
    retransmittedBytes: messages.retransmittedBytes,
    partialMessages: reassembler.size,
    reservedBytes: reassembler.reserved,
    sendErrors: receipts.sendErrors,
    droppedDatagrams: datagrams.dropped,
    rekeys: rekey?.generation ?? 0,
    streams: streams?.size ?? 0,
    sentFrames: sent.tally(),
    receivedFrames: received.tally(),
  };
}
