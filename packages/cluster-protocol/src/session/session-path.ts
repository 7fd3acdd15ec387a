import { after, milliseconds, seconds, type Duration, type Instant } from '../base/index.js';
import type { CongestionController } from './congestion.js';
import { NewReno } from './new-reno.js';
import { Pacer } from './pacer.js';
import { PathValidation } from './path-validation.js';
import { RttEstimator } from './rtt-estimator.js';
import type { PathId } from './session-event.js';

/** Bytes to an address that did not prove itself, for each byte from it (RFC 9000, section 8.1). */
const AMPLIFICATION_LIMIT = 3;

/**
 * The longest wait between two probes. RFC 9002 doubles without an end; a link that was cut for ten seconds must carry
 * messages again within two, and one small packet a second harms nobody.
 */
const MAX_PROBE_INTERVAL: Duration = seconds(1);

/** Back-off stops counting where its power of two has long passed {@link MAX_PROBE_INTERVAL}. */
const MAX_BACKOFF = 10;

/** One path: its round trip, what is in flight on it, whether the peer proved to be there. */
export class SessionPath {
  readonly id: PathId;
  readonly rtt: RttEstimator = new RttEstimator();
  readonly congestion: CongestionController;
  readonly pacer: Pacer;
  readonly validation: PathValidation = new PathValidation();
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
  /** When something that asks for an ack was last sent. */
  elicitedAt: Instant | undefined;
  /** When the first round-trip sample was taken. */
  sampledAt: Instant | undefined;
  /** When the oldest packet in flight counts as lost, where later ones were acknowledged. */
  lossTime: Instant | undefined;
  /** Probe timeouts in a row. */
  probeTimeouts = 0;
  /** Whether `pathSuspect` was told and no ack came since. */
  suspect = false;
  /** Whether anything sent here was acknowledged since it became suspect. */
  heard = false;
  /** Whether window or pacing, not the application, limits what is in flight. */
  limited = false;
  /** Bytes that the path agent allowed to be sent unproved, by asking for a probe. */
  #allowance = 0;

  constructor(id: PathId, packet: number, validated: boolean, now: Instant) {
    this.id = id;
    this.congestion = new NewReno(packet);
    this.pacer = new Pacer(packet, now);
    this.validated = validated;
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

  /** How long to wait for an ack before the next probe. */
  probeInterval(maxAckDelay: Duration): Duration {
    const base = this.rtt.probeTimeout(maxAckDelay);
    const backedOff = base * 2 ** Math.min(this.probeTimeouts, MAX_BACKOFF);
    return milliseconds(Math.min(backedOff, Math.max(base, MAX_PROBE_INTERVAL)));
  }

  /** When the next probe is due; `undefined` while nothing waits for an ack or the loss time decides. */
  probeTime(maxAckDelay: Duration): Instant | undefined {
    if (this.packetsInFlight === 0 || this.lossTime !== undefined || this.elicitedAt === undefined) {
      return undefined;
    }
    return after(this.elicitedAt, this.probeInterval(maxAckDelay));
  }
}
