import { instant, milliseconds, seconds, type Duration, type Instant } from '../base/index.js';
import { RELAY_HEADER } from '../wire/index.js';
import type { CongestionControl, CongestionController } from './congestion.js';
import { Cubic } from './cubic.js';
import { LossEvent } from './loss-event.js';
import { MtuSearch } from './mtu-search.js';
import { NewReno } from './new-reno.js';
import { Pacer } from './pacer.js';
import { PathValidation } from './path-validation.js';
import { PersistentCongestion } from './persistent-congestion.js';
import { Reordering } from './reordering.js';
import { RttEstimator } from './rtt-estimator.js';
import type { FrameCarrier } from './sent-frame.js';
import type { PathId } from './session-event.js';
import type { SizeFailure } from './size-failure.js';

/** Bytes to an address that did not prove itself, for each byte from it (RFC 9000, section 8.1). */
const AMPLIFICATION_LIMIT = 3;

/**
 * The longest wait between two probes. RFC 9002 doubles without an end; a link that was cut for ten seconds must carry
 * messages again within two, and one small packet a second harms nobody.
 */
const MAX_PROBE_INTERVAL: Duration = seconds(1);

/** Back-off stops counting where its power of two has long passed {@link MAX_PROBE_INTERVAL}. */
const MAX_BACKOFF = 10;

/** `suspect`: something waited for a whole probe timeout; `failed`: for another one, or there is no route. */
export type PathDoubt = 'none' | 'suspect' | 'failed';

/** One path: its round trip, what is in flight on it, whether the peer proved to be there. */
export class SessionPath {
  readonly id: PathId;
  readonly rtt: RttEstimator = new RttEstimator();
  readonly congestion: CongestionController;
  readonly pacer: Pacer;
  readonly reordering: Reordering = new Reordering();
  readonly lossEvent: LossEvent = new LossEvent();
  readonly persistentCongestion: PersistentCongestion = new PersistentCongestion();
  readonly validation: PathValidation = new PathValidation();
  readonly mtu: MtuSearch;
  /** Hears what became of a packet that tried a size; its offset is the size. */
  readonly sizeProbe: FrameCarrier;
  validated: boolean;

  sentBytes = 0;
  receivedBytes = 0;
  lastReceived: Instant | undefined;
  /** Packets that were lost. */
  lost = 0;

  bytesInFlight = 0;
  packetsInFlight = 0;
  /** Packets sent so far that ask for an ack: the packet threshold counts in these, as numbers are shared by all paths. */
  ordinals = 0;
  /** The largest ordinal acknowledged; −1 before the first. */
  acknowledgedOrdinal = -1;
  /**
   * Since when something here waits for an ack and none came: the first packet after nothing was in flight, the last ack or
   * the last probe timeout, whichever is latest; `Infinity` before.
   */
  waitingSince: number = Infinity;
  /** When the first round-trip sample was taken; `Infinity` before. */
  sampledAt: number = Infinity;
  /** When the oldest packet in flight counts as lost, where later ones were acknowledged; `Infinity`: nothing is in doubt. */
  lossTime: number = Infinity;
  /** Whether the ack that is being looked at acknowledged anything here. */
  touched = false;
  /** Probe timeouts in a row. */
  probeTimeouts = 0;
  /** What was told of it and holds until an ack comes. */
  doubt: PathDoubt = 'none';
  /** Whether anything sent here was acknowledged since it was doubted, or since it bridges another. */
  heard = false;
  /**
   * Whether the window, not the application, limits what is in flight (RFC 9002, section 7.8): it was full when the last
   * packet had to wait, or the pacer held that one back with at least half of the window in use.
   */
  limited = false;
  /** The most packets in flight since the round trip began that {@link SessionPath.roundEnd} ends. */
  peak = 0;
  /** The ordinal whose acknowledgement ends the present round trip. */
  roundEnd = 0;
  /** Bytes that the path agent allowed to be sent unproved, by asking for a probe. */
  #allowance = 0;
  #packet: number;

  /** `limit` is what the path may carry at most, in bytes of UDP payload; `failure` what is known of its host. */
  constructor(
    id: PathId,
    limit: number,
    validated: boolean,
    now: Instant,
    control: CongestionControl,
    failure?: SizeFailure,
  ) {
    this.id = id;
    this.mtu = new MtuSearch(limit, failure);
    this.#packet = this.mtu.size - RELAY_HEADER;
    this.congestion = control === 'cubic' ? new Cubic(this.#packet, this.rtt) : new NewReno(this.#packet);
    this.pacer = new Pacer(this.#packet, now);
    this.validated = validated;
    this.sizeProbe = {
      acknowledged: size => {
        this.mtu.probeArrived(size);
        this.#resize();
      },
      lost: size => {
        this.mtu.probeLost(size);
      },
    };
  }

  /** Bytes of a full packet. Room for a relay header is always left. */
  get packet(): number {
    return this.#packet;
  }

  /** The size of the probe that may go now, in bytes of UDP payload. */
  get sizeProbeDue(): number | undefined {
    const size = this.mtu.probeDue;
    if (size === undefined || !this.validated) return undefined;
    // It goes beside what fills the window, which would never let it go; there is one in ten minutes at most.
    const { window } = this.congestion;
    return this.packetsInFlight === 0 || size <= window ? size : undefined;
  }

  /** Packets were lost in one go, the smallest of them in a datagram of that size. */
  lostTogether(now: Instant, smallest: number): void {
    if (this.mtu.lost(now, smallest)) this.#resize();
  }

  /** Another probe timeout in a row passed. */
  silent(now: Instant): void {
    if (this.mtu.silent(now)) this.#resize();
  }

  /** The operating system refused a packet for its size. */
  tooLong(now: Instant): void {
    if (this.mtu.refused(now)) this.#resize();
  }

  /** The operating system cut a packet above the base into pieces. */
  cut(now: Instant): void {
    if (this.mtu.cut(now)) this.#resize();
  }

  /** The path may carry so many bytes of UDP payload at most from now on. */
  setLimit(limit: number): void {
    this.mtu.setLimit(limit);
    this.#resize();
  }

  #resize(): void {
    const packet = this.mtu.size - RELAY_HEADER;
    if (packet === this.#packet) return;
    this.#packet = packet;
    this.congestion.resize(packet);
    this.pacer.resize(packet);
  }

  /** Bytes that may be sent now without helping somebody to flood a third party. */
  get budget(): number {
    if (this.validated) return Infinity;
    return Math.max(0, AMPLIFICATION_LIMIT * this.receivedBytes + this.#allowance - this.sentBytes);
  }

  /** Lets one packet of `bytes` go although the path is not validated: the agent has the peer's consent. */
  allow(bytes: number): void {
    if (!this.validated) this.#allowance += Math.max(0, bytes - this.budget);
  }

  /** Whether a challenge or response waits to be sent. */
  get probing(): boolean {
    return this.validation.challengeDue || this.validation.owed > 0;
  }

  /** When a packet of `bytes` may go: `now`, later where the pacer spreads packets, `Infinity` while the window is full. */
  readyAt(now: Instant, bytes: number): Instant {
    const { window, slowStart } = this.congestion;
    this.limited = this.bytesInFlight + bytes > window;
    if (this.limited) return instant(Infinity);
    const ready = this.pacer.readyAt(now, window, this.rtt.smoothed, slowStart);
    this.limited = ready > now && 2 * this.bytesInFlight >= window;
    return ready;
  }

  /** How long to wait for an ack before the next probe. */
  probeInterval(maxAckDelay: Duration): Duration {
    const base = this.rtt.probeTimeout(maxAckDelay);
    const backedOff = base * 2 ** Math.min(this.probeTimeouts, MAX_BACKOFF);
    return milliseconds(Math.min(backedOff, Math.max(base, MAX_PROBE_INTERVAL)));
  }

  /** When the next probe is due; `Infinity` while nothing waits for an ack or the loss time decides. */
  probeTime(maxAckDelay: Duration): number {
    if (this.packetsInFlight === 0 || this.lossTime !== Infinity) return Infinity;
    return this.waitingSince + this.probeInterval(maxAckDelay);
  }
}
