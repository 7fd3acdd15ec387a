import { elapsed, milliseconds, type Duration, type Instant } from '../base/index.js';
import { GRANULARITY, type RttEstimator } from './rtt-estimator.js';

/** RFC 9002, section 6.1.1: a packet is lost when one sent three later on the same path was acknowledged. */
const PACKET_THRESHOLD = 3;

/** Beyond this the time threshold decides alone: a run of 64 packets is more than any path with several lanes reorders. */
const MAX_PACKET_THRESHOLD = 64;

/** RFC 9002, section 6.1.2: or when it was sent 9/8 of a round trip before one that was acknowledged. */
const TIME_THRESHOLD = 9 / 8;

/** RFC 8985, section 6.2 (step 4): the window for reordering grows by a quarter of the round trip, to one round trip more. */
const TIME_STEP = 1 / 4;
const MAX_TIME_THRESHOLD = 2;

/** RFC 8985, section 6.2 (step 4): what was learnt holds for sixteen congestion events without a late packet. */
const CALM_EVENTS = 16;

/**
 * How far packets of one path may overtake each other before the missing ones count as lost. It begins with the thresholds
 * of RFC 9002; packets that counted as lost and came late widen them, and calm brings them back.
 */
export class Reordering {
  #packets = PACKET_THRESHOLD;
  #time = TIME_THRESHOLD;
  #calm = 0;
  #widenedAt: Instant | undefined;

  /** A packet is lost when one so many later was acknowledged; at least 3. */
  get packets(): number {
    return this.#packets;
  }

  /** A packet is lost when it was sent so long before now and a later one was acknowledged. */
  delay(rtt: RttEstimator): Duration {
    return milliseconds(Math.max(this.#time * Math.max(rtt.latest, rtt.smoothed), GRANULARITY));
  }

  /** A packet that counted as lost was acknowledged, when one `distance` places later had been already. */
  late(now: Instant, distance: number, rtt: RttEstimator): void {
    this.#calm = 0;
    this.#packets = Math.min(Math.max(this.#packets, distance + 1), MAX_PACKET_THRESHOLD);
    // Once in a round trip: many late packets may have one cause.
    if (this.#widenedAt !== undefined && elapsed(this.#widenedAt, now) < rtt.smoothed) return;
    this.#widenedAt = now;
    this.#time = Math.min(this.#time + TIME_STEP, MAX_TIME_THRESHOLD);
  }

  /** A congestion event began. */
  event(): void {
    if (++this.#calm < CALM_EVENTS) return;
    this.#packets = PACKET_THRESHOLD;
    this.#time = TIME_THRESHOLD;
    this.#calm = 0;
  }
}
