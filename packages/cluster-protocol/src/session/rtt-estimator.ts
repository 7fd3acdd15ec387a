import { milliseconds, seconds, type Duration } from '../base/index.js';

/** RFC 9002, section 6.2.2: the guess before the first sample. */
export const INITIAL_RTT: Duration = milliseconds(333);

/** RFC 9002, section 6.1.2: the granularity of the timer. */
export const GRANULARITY: Duration = milliseconds(1);

/**
 * The longest sample that is believed: no handshake waits longer, so that no session stands on a slower path. What says
 * more is a clock that went on while the machine was suspended, and would make probes wait as long.
 */
export const LONGEST_RTT: Duration = seconds(10);

/** Round-trip time of one path, after RFC 9002, section 5. */
export class RttEstimator {
  #smoothed: Duration = INITIAL_RTT;
  #variance: Duration = milliseconds(INITIAL_RTT / 2);
  #minimum: Duration = milliseconds(0);
  #latest: Duration = INITIAL_RTT;
  #sampled = false;

  /** Whether any sample was taken; before, all values are guesses. */
  get sampled(): boolean {
    return this.#sampled;
  }

  get smoothed(): Duration {
    return this.#smoothed;
  }

  get variance(): Duration {
    return this.#variance;
  }

  /** The smallest sample; 0 before the first. */
  get minimum(): Duration {
    return this.#minimum;
  }

  get latest(): Duration {
    return this.#latest;
  }

  /** The probe timeout without back-off (RFC 9002, section 6.2.1). */
  probeTimeout(maxAckDelay: Duration): Duration {
    return milliseconds(this.#smoothed + Math.max(4 * this.#variance, GRANULARITY) + maxAckDelay);
  }

  /** Persistent congestion was found: the smallest sample may be of another route (RFC 9002, section 5.2). */
  forgetMinimum(): void {
    this.#minimum = this.#latest;
  }

  /**
   * Takes a sample, unless it is longer than {@link LONGEST_RTT}; `ackDelay` is what the peer says it waited, already
   * bounded by its maximum.
   */
  sample(latest: Duration, ackDelay: Duration): void {
    if (latest > LONGEST_RTT) return;
    this.#latest = latest;
    if (!this.#sampled) {
      this.#sampled = true;
      this.#minimum = latest;
      this.#smoothed = latest;
      this.#variance = milliseconds(latest / 2);
      return;
    }
    this.#minimum = milliseconds(Math.min(this.#minimum, latest));
    const adjusted = latest >= this.#minimum + ackDelay ? latest - ackDelay : latest;
    this.#variance = milliseconds(0.75 * this.#variance + 0.25 * Math.abs(this.#smoothed - adjusted));
    this.#smoothed = milliseconds(0.875 * this.#smoothed + 0.125 * adjusted);
  }
}
