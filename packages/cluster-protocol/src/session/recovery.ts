import { after, instant, milliseconds, type Duration, type Instant } from '../base/index.js';
import { type FrameReader, RELAY_HEADER } from '../wire/index.js';
import type { PathTable } from './path-table.js';
import type { SentFrame } from './sent-frame.js';
import { PacketState, SentPackets } from './sent-packets.js';
import type { SessionPath } from './session-path.js';
import type { LossTrigger, SessionTrace } from './session-trace.js';

/** RFC 9002, section 7.6.1: probe timeouts between the first and the last of the packets lost in a row. */
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
 * Loss detection over all paths, after RFC 9002: one space of packet numbers, but round trip, window, thresholds, probe
 * timeout and persistent congestion are each path's own.
 */
export class Recovery {
  readonly packets: SentPackets = new SentPackets();
  /** Hears of packets and their fate; `undefined`: nobody listens. */
  readonly trace: SessionTrace | undefined;
  readonly #paths: PathTable;
  readonly #maxAckDelay: Duration;
  readonly #outcome: AckOutcome = { packets: 0, confirmed: -1 };
  /** Packets that counted as lost. */
  lost = 0;
  /** Packets that counted as lost and were acknowledged after all. */
  spurious = 0;

  constructor(paths: PathTable, maxAckDelay: Duration, trace?: SessionTrace) {
    this.trace = trace;
    this.#paths = paths;
    this.#maxAckDelay = maxAckDelay;
  }

  /**
   * A packet that asks for an ack goes out with the next number. `covered`: another packet carries the same frames and
   * answers for them.
   */
  sent(
    now: Instant,
    path: SessionPath,
    size: number,
    frames: SentFrame | undefined,
    acknowledges: number,
    sizing: boolean,
    covered: boolean = false,
  ): void {
    this.#makeRoom(now);
    this.packets.add(now, size, path, frames, acknowledges, sizing, covered);
    if (path.packetsInFlight === 0) path.waitingSince = now;
    path.bytesInFlight += size;
    path.packetsInFlight++;
    path.peak = Math.max(path.peak, path.packetsInFlight);
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
    // Both lists are walked once, upwards: what was settled before costs nothing.
    let number = packets.oldest;
    for (let range = ack.ackRanges - 1; range >= 0 && number >= 0; range--) {
      const first = ack.ackFirst[range]!;
      const last = ack.ackLast[range]!;
      while (number >= 0 && number < first) number = packets.newerThan(number);
      while (number >= 0 && number <= last) {
        const newer = packets.newerThan(number);
        this.#acknowledgeOne(now, number);
        number = newer;
      }
    }
    if (this.#outcome.packets > 0) {
      for (let i = 0; i < this.#paths.size; i++) {
        const path = this.#paths.at(i);
        if (!path.touched) continue;
        path.touched = false;
        this.#detectLost(now, path);
        this.trace?.metrics(path);
      }
      this.#trim(now);
    }
    return this.#outcome;
  }

  /** The earliest time at which a packet counts as lost by time; `Infinity`: none is in doubt. */
  lossTime(): Instant {
    let time = Infinity;
    for (let i = 0; i < this.#paths.size; i++) time = Math.min(time, this.#paths.at(i).lossTime);
    return instant(time);
  }

  /** The earliest probe timeout of any path; `Infinity`: nothing waits for an ack. */
  probeTime(): Instant {
    let time = Infinity;
    for (let i = 0; i < this.#paths.size; i++) {
      time = Math.min(time, this.#paths.at(i).probeTime(this.#maxAckDelay));
    }
    return instant(time);
  }

  /** Declares lost what the time threshold says. */
  handleLossTimeout(now: Instant): void {
    for (let i = 0; i < this.#paths.size; i++) {
      const path = this.#paths.at(i);
      if (path.lossTime > now) continue;
      this.trace?.timer('ack', path);
      this.#detectLost(now, path);
      this.trace?.metrics(path);
    }
    this.#trim(now);
  }

  /**
   * No ack came for too long: queues the contents of the oldest packets again. They still count as in flight, for they may
   * yet be acknowledged. Returns how many probe packets to send.
   */
  probe(now: Instant, path: SessionPath): number {
    path.probeTimeouts++;
    // The next one counts from here even where nothing can be sent now.
    path.waitingSince = now;
    this.#requeueOldest(path, PROBE_PACKETS, Infinity, () => true);
    if (path.probeTimeouts > 1) path.silent(now);
    this.trace?.metrics(path);
    return PROBE_PACKETS;
  }

  /**
   * Queues what is in flight on a path again, up to so many bytes: packets with small messages first, then the oldest. They
   * still count as in flight.
   */
  resend(path: SessionPath, bytes: number): void {
    const { columns } = this.packets;
    const left = this.#requeueOldest(path, Infinity, bytes, slot => holdsSmall(columns.frames[slot]));
    this.#requeueOldest(path, Infinity, left, () => true);
  }

  /** Everything in flight on a path counts as lost at once, without blaming congestion: the path is left or gone. */
  abandon(now: Instant, path: SessionPath): void {
    const { packets } = this;
    const { columns } = packets;
    for (let number = packets.oldest; number >= 0; number = packets.newerThan(number)) {
      const slot = packets.slot(number);
      if (columns.state[slot] === PacketState.inFlight && columns.path[slot] === path) {
        this.#lose(number, path, 'path_abandoned');
      }
    }
    path.lossEvent.forget();
    path.persistentCongestion.clear();
    path.lossTime = Infinity;
    path.probeTimeouts = 0;
    this.trace?.metrics(path);
    this.#trim(now);
  }

  /**
   * Thousands of lone acks may follow a packet of ours that got lost: it then counts as lost early, for the peer must go
   * on hearing acks.
   */
  #makeRoom(now: Instant): void {
    if (!this.packets.full) return;
    const { columns } = this.packets;
    const slot = this.packets.slot(this.packets.oldest);
    const path = columns.path[slot];
    if (columns.state[slot] === PacketState.inFlight && path !== undefined) {
      this.#lose(this.packets.oldest, path, 'table_full');
      path.lossEvent.forget();
    }
    this.#trim(now);
  }

  /** RFC 9002, section 5.1: only an ack whose largest number is news, and asked for an ack, is a sample. */
  #sampleRtt(now: Instant, ack: FrameReader): void {
    const { packets } = this;
    const { columns } = packets;
    const largest = ack.ackLast[0]!;
    if (largest < packets.base || largest >= packets.next) return;
    const slot = packets.slot(largest);
    const path = columns.path[slot];
    if (columns.state[slot] === PacketState.settled || path === undefined) return;
    if (path.sampledAt === Infinity) path.sampledAt = now;
    const latest = milliseconds(Math.max(0, now - columns.time[slot]!));
    path.rtt.sample(latest, milliseconds(Math.min(ack.ackDelay, this.#maxAckDelay)));
    path.congestion.sampled(latest);
  }

  #acknowledgeOne(now: Instant, number: number): void {
    const { packets } = this;
    const { columns } = packets;
    const slot = packets.slot(number);
    const path = columns.path[slot]!;
    const ordinal = columns.ordinal[slot]!;
    if (columns.state[slot] === PacketState.lost) {
      this.#late(now, path, ordinal);
    } else {
      const size = columns.size[slot]!;
      path.bytesInFlight -= size;
      path.packetsInFlight--;
      path.congestion.acknowledged(now, size, instant(columns.time[slot]!), path.limited);
      path.mtu.acknowledged(now, size + RELAY_HEADER);
    }
    path.touched = true;
    path.probeTimeouts = 0;
    path.waitingSince = now;
    path.heard = true;
    path.acknowledgedOrdinal = Math.max(path.acknowledgedOrdinal, ordinal);
    this.#outcome.packets++;
    this.#outcome.confirmed = Math.max(this.#outcome.confirmed, columns.acknowledges[slot]!);
    for (let frame = columns.frames[slot]; frame !== undefined; frame = frame.next) {
      frame.carrier.acknowledged(frame.offset, frame.length);
    }
    packets.settle(number);
  }

  /** A packet that counted as lost was only late. */
  #late(now: Instant, path: SessionPath, ordinal: number): void {
    this.spurious++;
    path.persistentCongestion.late(ordinal);
    path.reordering.late(now, path.acknowledgedOrdinal - ordinal, path.rtt);
    if (path.lossEvent.late(ordinal)) path.congestion.undo();
  }

  #detectLost(now: Instant, path: SessionPath): void {
    const { packets } = this;
    const { columns } = packets;
    path.lossTime = Infinity;
    if (path.acknowledgedOrdinal < 0 || path.packetsInFlight === 0) return;
    let delay: Duration | undefined;
    let count = 0;
    let first = 0;
    let newest = 0;
    let smallest = Infinity;
    for (let number = packets.oldest; number >= 0; number = packets.newerThan(number)) {
      const slot = packets.slot(number);
      if (columns.path[slot] !== path || columns.state[slot] !== PacketState.inFlight) continue;
      const ordinal = columns.ordinal[slot]!;
      if (ordinal > path.acknowledgedOrdinal) break;
      const sentAt = instant(columns.time[slot]!);
      delay ??= path.reordering.delay(path.rtt);
      const due = after(sentAt, delay);
      const overtaken = path.acknowledgedOrdinal - ordinal >= path.reordering.packets;
      if (!overtaken && due > now) {
        path.lossTime = due;
        break;
      }
      this.#lose(number, path, overtaken ? 'reordering_threshold' : 'time_threshold');
      if (columns.sizing[slot] === 1) continue;
      if (count++ === 0) first = ordinal;
      smallest = Math.min(smallest, columns.size[slot]!);
      newest = sentAt;
      // RFC 9002, section 7.6.2: losses before the first sample prove nothing.
      if (sentAt >= path.sampledAt) path.persistentCongestion.lost(ordinal, sentAt);
    }
    if (count === 0) return;
    this.#blame(now, path, first, count, instant(newest));
    path.lostTogether(now, smallest + RELAY_HEADER);
  }

  /** Packets of a path were lost by congestion, as far as anybody can tell. */
  #blame(now: Instant, path: SessionPath, first: number, count: number, newestSentAt: Instant): void {
    const { congestion, lossEvent, persistentCongestion, reordering, rtt } = path;
    if (congestion.lost(now, newestSentAt)) {
      lossEvent.begin(first, count);
      reordering.event();
      this.trace?.congested(path);
    } else {
      lossEvent.extend(count);
    }
    const longest = PERSISTENT_CONGESTION_THRESHOLD * rtt.probeTimeout(this.#maxAckDelay);
    if (persistentCongestion.duration <= longest) return;
    congestion.collapsed();
    this.trace?.collapsed(path);
    rtt.forgetMinimum();
    persistentCongestion.clear();
  }

  #lose(number: number, path: SessionPath, trigger: LossTrigger): void {
    const { packets } = this;
    const { columns } = packets;
    const slot = packets.slot(number);
    this.trace?.lost(path, number, columns.sizing[slot] === 1, trigger);
    columns.state[slot] = PacketState.lost;
    path.bytesInFlight -= columns.size[slot]!;
    path.packetsInFlight--;
    if (columns.sizing[slot] === 0) {
      path.lost++;
      this.lost++;
    }
    if (columns.requeued[slot] === 0) this.#requeue(slot);
  }

  /** Up to so many packets and bytes; returns the bytes that are left. */
  #requeueOldest(path: SessionPath, count: number, bytes: number, of: (slot: number) => boolean): number {
    const { packets } = this;
    const { columns } = packets;
    let [packetsLeft, bytesLeft] = [count, bytes];
    for (let number = packets.oldest; number >= 0 && packetsLeft > 0; number = packets.newerThan(number)) {
      const slot = packets.slot(number);
      const waits = columns.state[slot] === PacketState.inFlight && columns.path[slot] === path;
      if (!waits || columns.requeued[slot] === 1 || columns.sizing[slot] === 1 || !of(slot)) continue;
      bytesLeft -= columns.size[slot]!;
      if (bytesLeft < 0) return 0;
      this.#requeue(slot);
      packetsLeft--;
    }
    return bytesLeft;
  }

  #requeue(slot: number): void {
    this.packets.columns.requeued[slot] = 1;
    for (let frame = this.packets.columns.frames[slot]; frame !== undefined; frame = frame.next) {
      frame.carrier.lost(frame.offset, frame.length);
    }
  }

  #trim(now: Instant): void {
    let keep = 0;
    for (let i = 0; i < this.#paths.size && this.packets.lingering; i++) {
      keep = Math.max(keep, this.#paths.at(i).rtt.probeTimeout(this.#maxAckDelay));
    }
    this.packets.trim(now, milliseconds(KEEP_LOST_PROBE_TIMEOUTS * keep));
  }
}

function holdsSmall(frames: SentFrame | undefined): boolean {
  for (let frame = frames; frame !== undefined; frame = frame.next)
    if (frame.carrier.small === true) return true;
  return false;
}
