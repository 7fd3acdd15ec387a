import type { Duration, Instant } from '../base/index.js';

/** RFC 9406, section 4.3: samples of a round before its smallest one is believed. */
const ROUND_SAMPLES = 8;

/** RFC 9406, section 4.3: the growth of the round trip that means a queue, an eighth of it within these bounds (ms). */
const RTT_DIVISOR = 8;
const LEAST_RISE = 4;
const MOST_RISE = 16;

/** RFC 9406, section 4.3: conservative slow start grows by a quarter, for five rounds. */
const CONSERVATIVE_DIVISOR = 4;
const CONSERVATIVE_ROUNDS = 5;

/**
 * HyStart++ (RFC 9406): ends the first slow start when the round trip grows, before the queue of the bottleneck overflows
 * and hundreds of packets are lost at once. Our packets are paced, so that there is no limit to the growth by one ack.
 */
export class HyStart {
  /** A packet sent after this ends the round when it is acknowledged. */
  #roundStart: number = -Infinity;
  #lastRoundRtt = Infinity;
  #roundRtt = Infinity;
  #samples = 0;
  /** The smallest round trip of the round that looked congested; `Infinity`: in ordinary slow start. */
  #baseline = Infinity;
  #conservativeRounds = 0;

  /** Whether slow start is over: the window is where it should be. */
  get finished(): boolean {
    return this.#conservativeRounds >= CONSERVATIVE_ROUNDS;
  }

  /** A new sample of the round trip. */
  sampled(latest: Duration): void {
    this.#roundRtt = Math.min(this.#roundRtt, latest);
    this.#samples++;
    if (this.#samples < ROUND_SAMPLES) return;
    if (this.#baseline !== Infinity) {
      // The rise was noise: the round trip is smaller again.
      if (this.#roundRtt < this.#baseline) this.#baseline = Infinity;
      return;
    }
    const rise = Math.min(Math.max(this.#lastRoundRtt / RTT_DIVISOR, LEAST_RISE), MOST_RISE);
    if (this.#lastRoundRtt === Infinity || this.#roundRtt < this.#lastRoundRtt + rise) return;
    this.#baseline = this.#roundRtt;
    this.#conservativeRounds = 0;
  }

  /** A packet of `bytes`, sent at `sentAt`, was acknowledged. Returns by how much the window may grow for it. */
  acknowledged(now: Instant, bytes: number, sentAt: Instant): number {
    if (sentAt > this.#roundStart) {
      this.#roundStart = now;
      this.#lastRoundRtt = this.#roundRtt;
      this.#roundRtt = Infinity;
      this.#samples = 0;
      if (this.#baseline !== Infinity) this.#conservativeRounds++;
    }
    return this.#baseline === Infinity ? bytes : bytes / CONSERVATIVE_DIVISOR;
  }
}
