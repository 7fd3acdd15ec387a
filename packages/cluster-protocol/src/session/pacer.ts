import { after, milliseconds, type Duration, type Instant } from '../base/index.js';

/** RFC 9002, section 7.7: a little faster than the window per round trip, so that the window is what limits. */
const GAIN = 1.25;
const SLOW_START_GAIN = 2;

/** RFC 9002, section 7.7: a burst of the initial window is fine. */
const BURST_PACKETS = 10;

/** Timers of the hosts are no finer than this; a burst covers what the rate sends in the meantime. */
const TIMER_STEP: Duration = milliseconds(2);

/** Round trips below this (loopback, one switch) are not paced finer. */
const LEAST_RTT = 0.05;

/** A token bucket that spreads the packets of one path over its round trip. */
export class Pacer {
  readonly #packet: number;
  #tokens: number;
  #filledAt: Instant;
  #rate = 0;

  /** `packet` is the size of a full packet in bytes. */
  constructor(packet: number, now: Instant) {
    this.#packet = packet;
    this.#tokens = BURST_PACKETS * packet;
    this.#filledAt = now;
  }

  /** When a full packet may go: `now` or later. `window` in bytes, `rtt` smoothed. */
  readyAt(now: Instant, window: number, rtt: Duration, slowStart: boolean): Instant {
    this.#rate = ((slowStart ? SLOW_START_GAIN : GAIN) * window) / Math.max(rtt, LEAST_RTT);
    const burst = Math.max(BURST_PACKETS * this.#packet, this.#rate * TIMER_STEP);
    this.#tokens = Math.min(burst, this.#tokens + this.#rate * Math.max(0, now - this.#filledAt));
    this.#filledAt = now;
    if (this.#tokens >= this.#packet) return now;
    // Waiting for less than a timer can measure would only wake up twice.
    const missing = this.#packet - this.#tokens;
    return after(now, milliseconds(Math.max(1, missing / this.#rate)));
  }

  /** A packet of `bytes` went out. Probes may overdraw the bucket by a few packets. */
  spend(bytes: number): void {
    this.#tokens = Math.max(this.#tokens - bytes, -BURST_PACKETS * this.#packet);
  }
}
