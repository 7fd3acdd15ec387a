import { after, earliest, instant, milliseconds, type Duration, type Instant } from '../base/index.js';
import type { FrameReader } from '../wire/index.js';
import type { PathTable } from './path-table.js';
import { GRANULARITY } from './rtt-estimator.js';
import type { SentFrame } from './sent-frame.js';
import { PacketState, SentPackets } from './sent-packets.js';
import type { SessionPath } from './session-path.js';

/** RFC 9002, section 6.1.1: a packet is lost when one sent three later on the same path was acknowledged. */
const PACKET_THRESHOLD = 3;

/** RFC 9002, section 6.1.2: or when it was sent so many round trips before one that was acknowledged. */
const TIME_THRESHOLD = 9 / 8;

/** RFC 9002, section 7.6.1. */
const PERSISTENT_CONGESTION_THRESHOLD = 3;

/** Packets whose contents a probe timeout sends again: RFC 9002, section 6.2.4 allows two. */
const PROBE_PACKETS = 2;

/** How long a late ack of a packet that counts as lost is still understood, in probe timeouts (RFC 9002, section 6.3 asks none). */
const KEEP_LOST_PROBE_TIMEOUTS = 3;

/** What one ack frame changed. One object, reused. */
export interface AckOutcome {
  /** Packets acknowledged for the first time. */
  packets: number;
  /** The largest number that the peer now knows we received, from acks of ours that it acknowledged; −1: none. */
  confirmed: number;
}

/**
 * Loss detection over all paths, after RFC 9002: one space of packet numbers, but round trip, window, packet threshold
 * and probe timeout are each path's own.
 */
export class Recovery {
  readonly packets: SentPackets = new SentPackets();
  readonly #paths: PathTable;
  readonly #maxAckDelay: Duration;
  readonly #outcome: AckOutcome = { packets: 0, confirmed: -1 };
  /** Packets that counted as lost. */
  lost = 0;
  /** Packets that counted as lost and were acknowledged after all. */
  spurious = 0;

  constructor(paths: PathTable, maxAckDelay: Duration) {
    this.#paths = paths;
    this.#maxAckDelay = maxAckDelay;
  }

  /** A packet that asks for an ack goes out with the next number. */
  sent(
    now: Instant,
    path: SessionPath,
    size: number,
    frames: SentFrame | undefined,
    acknowledges: number,
  ): void {
    this.#makeRoom(now);
    this.packets.add(now, size, path, frames, acknowledges);
    path.bytesInFlight += size;
    path.packetsInFlight++;
    path.elicitedAt = now;
  }

  /** A packet that nobody needs to acknowledge goes out with the next number. */
  sentUnanswered(now: Instant): void {
    this.#makeRoom(now);
    this.packets.skip();
  }

  /** An ack frame of the peer, none of whose numbers is unsent. Returns one reused object. */
  acknowledge(now: Instant, ack: FrameReader): AckOutcome {
    const { packets } = this;
    this.#outcome.packets = 0;
    this.#outcome.confirmed = -1;
    this.#sampleRtt(now, ack);
    for (let range = 0; range < ack.ackRanges; range++) {
      const first = Math.max(ack.ackFirst[range]!, packets.base);
      for (let number = Math.min(ack.ackLast[range]!, packets.next - 1); number >= first; number--) {
        this.#acknowledgeOne(packets.slot(number));
      }
    }
    if (this.#outcome.packets > 0) {
      for (let i = 0; i < this.#paths.size; i++) this.#detectLost(now, this.#paths.at(i));
      this.#trim(now);
    }
    return this.#outcome;
  }

  /** The earliest time at which a packet counts as lost by time. */
  lossTime(): Instant | undefined {
    let time: Instant | undefined;
    for (let i = 0; i < this.#paths.size; i++) time = earliest(time, this.#paths.at(i).lossTime);
    return time;
  }

  /** The earliest probe timeout of any path. */
  probeTime(): Instant | undefined {
    let time: Instant | undefined;
    for (let i = 0; i < this.#paths.size; i++) {
      time = earliest(time, this.#paths.at(i).probeTime(this.#maxAckDelay));
    }
    return time;
  }

  /** Declares lost what the time threshold says. */
  handleLossTimeout(now: Instant): void {
    for (let i = 0; i < this.#paths.size; i++) {
      const path = this.#paths.at(i);
      if (path.lossTime !== undefined && path.lossTime <= now) this.#detectLost(now, path);
    }
    this.#trim(now);
  }

  /**
   * No ack came for too long: queues the contents of the oldest packets again. They still count as in flight, for they may
   * yet be acknowledged. Returns how many probe packets to send.
   */
  probe(now: Instant, path: SessionPath): number {
    const { packets } = this;
    path.probeTimeouts++;
    // The next one counts from here even where nothing can be sent now.
    path.elicitedAt = now;
    let left = PROBE_PACKETS;
    for (let number = packets.base; number < packets.next && left > 0; number++) {
      const slot = packets.slot(number);
      const waits = packets.state[slot] === PacketState.inFlight && packets.path[slot] === path;
      if (!waits || packets.requeued[slot] === 1) continue;
      this.#requeue(slot);
      left--;
    }
    return PROBE_PACKETS;
  }

  /** Everything in flight on a path counts as lost at once, without blaming congestion: the path is left or gone. */
  abandon(now: Instant, path: SessionPath): void {
    const { packets } = this;
    for (let number = packets.base; number < packets.next && path.packetsInFlight > 0; number++) {
      const slot = packets.slot(number);
      if (packets.state[slot] === PacketState.inFlight && packets.path[slot] === path) {
        this.#lose(slot, path);
      }
    }
    path.lossTime = undefined;
    path.probeTimeouts = 0;
    this.#trim(now);
  }

  /**
   * Thousands of lone acks may follow a packet of ours that got lost: it then counts as lost early, for the peer must go
   * on hearing acks.
   */
  #makeRoom(now: Instant): void {
    if (!this.packets.full) return;
    const slot = this.packets.slot(this.packets.base);
    const path = this.packets.path[slot];
    if (this.packets.state[slot] === PacketState.inFlight && path !== undefined) this.#lose(slot, path);
    this.#trim(now);
  }

  #sampleRtt(now: Instant, ack: FrameReader): void {
    const { packets } = this;
    const largest = ack.ackLast[0]!;
    if (largest < packets.base || largest >= packets.next) return;
    const slot = packets.slot(largest);
    const state = packets.state[slot];
    const path = packets.path[slot];
    if ((state !== PacketState.inFlight && state !== PacketState.lost) || path === undefined) return;
    path.sampledAt ??= now;
    const latest = milliseconds(Math.max(0, now - packets.time[slot]!));
    path.rtt.sample(latest, milliseconds(Math.min(ack.ackDelay, this.#maxAckDelay)));
  }

  #acknowledgeOne(slot: number): void {
    const { packets } = this;
    const state = packets.state[slot];
    if (state !== PacketState.inFlight && state !== PacketState.lost) return;
    const path = packets.path[slot]!;
    if (state === PacketState.lost) {
      this.spurious++;
    } else {
      const size = packets.size[slot]!;
      path.bytesInFlight -= size;
      path.packetsInFlight--;
      path.congestion.acknowledged(size, instant(packets.time[slot]!), path.limited);
    }
    path.probeTimeouts = 0;
    path.heard = true;
    path.acknowledgedOrdinal = Math.max(path.acknowledgedOrdinal, packets.ordinal[slot]!);
    this.#outcome.packets++;
    this.#outcome.confirmed = Math.max(this.#outcome.confirmed, packets.acknowledges[slot]!);
    for (let frame = packets.frames[slot]; frame !== undefined; frame = frame.next) {
      frame.carrier.acknowledged(frame.offset, frame.length);
    }
    packets.settle(slot);
    packets.state[slot] = PacketState.acknowledged;
  }

  #detectLost(now: Instant, path: SessionPath): void {
    const { packets } = this;
    path.lossTime = undefined;
    if (path.acknowledgedOrdinal < 0 || path.packetsInFlight === 0) return;
    const delay = milliseconds(
      Math.max(TIME_THRESHOLD * Math.max(path.rtt.latest, path.rtt.smoothed), GRANULARITY),
    );
    // One run of losses without an acknowledged packet in between, for persistent congestion.
    let runStart = 0;
    let runOrdinal = -2;
    let longestRun = 0;
    let newest = -1;
    for (let number = packets.base; number < packets.next; number++) {
      const slot = packets.slot(number);
      if (packets.path[slot] !== path || packets.state[slot] !== PacketState.inFlight) continue;
      const ordinal = packets.ordinal[slot]!;
      if (ordinal > path.acknowledgedOrdinal) break;
      const sentAt = instant(packets.time[slot]!);
      if (path.acknowledgedOrdinal - ordinal < PACKET_THRESHOLD && after(sentAt, delay) > now) {
        path.lossTime = after(sentAt, delay);
        break;
      }
      this.#lose(slot, path);
      newest = sentAt;
      if (path.sampledAt === undefined || sentAt < path.sampledAt) continue;
      if (ordinal !== runOrdinal + 1) runStart = sentAt;
      runOrdinal = ordinal;
      longestRun = Math.max(longestRun, sentAt - runStart);
    }
    if (newest < 0) return;
    path.congestion.lost(now, instant(newest));
    const persistent = PERSISTENT_CONGESTION_THRESHOLD * path.rtt.probeTimeout(this.#maxAckDelay);
    if (longestRun > persistent) path.congestion.collapsed();
  }

  #lose(slot: number, path: SessionPath): void {
    const { packets } = this;
    packets.state[slot] = PacketState.lost;
    path.bytesInFlight -= packets.size[slot]!;
    path.packetsInFlight--;
    path.lost++;
    this.lost++;
    if (packets.requeued[slot] === 0) this.#requeue(slot);
  }

  #requeue(slot: number): void {
    this.packets.requeued[slot] = 1;
    for (let frame = this.packets.frames[slot]; frame !== undefined; frame = frame.next) {
      frame.carrier.lost(frame.offset, frame.length);
    }
  }

  #trim(now: Instant): void {
    let keep = 0;
    for (let i = 0; i < this.#paths.size; i++) {
      keep = Math.max(keep, this.#paths.at(i).rtt.probeTimeout(this.#maxAckDelay));
    }
    this.packets.trim(now, milliseconds(KEEP_LOST_PROBE_TIMEOUTS * keep));
  }
}
