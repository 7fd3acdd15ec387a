import { after, milliseconds, type Duration, type Instant } from '../base/index.js';

/** RFC 9002, section 7.7: a little faster than the window per round trip, so that the window is what limits. */
const GAIN = 1.25;

/** In slow start the window doubles with every round trip, and so must what is sent in one. */
const SLOW_START_GAIN = 2;

/** RFC 9002, section 7.7: a burst of the initial window is fine. */
const BURST_PACKETS = 10;

/** Or what the rate sends in this time: the host may wake us a good deal later than asked, and nothing is to be lost by it. */
const BURST_TIME: Duration = milliseconds(4);

/** What one wake-up sends: the timers of the hosts are good for about 1 ms, and each wake-up costs. */
const WAKE_TIME: Duration = milliseconds(2);

/** The shortest wait that a timer can measure. */
const LEAST_WAIT: Duration = milliseconds(1);

/** Round trips below this (loopback, one switch) are shorter than what timers could divide: nothing is paced there. */
const LEAST_ROUND_TRIP: Duration = milliseconds(2);

/** Sums of fractions miss a whole packet by less than this many bytes. */
const ROUNDING = 0.5;

/** A token bucket that spreads the packets of one path over its round trip. A lone packet never waits: the bucket is full. */
export class Pacer {
  #packet: number;
  #tokens: number;
  #filledAt: Instant;

  /** `packet` is the size of a full packet in bytes. */
  constructor(packet: number, now: Instant) {
    this.#packet = packet;
    this.#tokens = BURST_PACKETS * packet;
    this.#filledAt = now;
  }

  /** Full packets of the path have another size now, in bytes. */
  resize(packet: number): void {
    this.#packet = packet;
    this.#tokens = Math.max(this.#tokens, BURST_PACKETS * packet);
  }

  /** When a full packet may go: `now` or later. `window` in bytes, `rtt` smoothed. */
  readyAt(now: Instant, window: number, rtt: Duration, slowStart: boolean): Instant {
    if (rtt < LEAST_ROUND_TRIP) return now;
    const rate = ((slowStart ? SLOW_START_GAIN : GAIN) * window) / rtt;
    const burst = Math.max(BURST_PACKETS * this.#packet, rate * BURST_TIME);
    this.#tokens = Math.min(burst, this.#tokens + rate * Math.max(0, now - this.#filledAt));
    this.#filledAt = now;
    if (this.#tokens + ROUNDING >= this.#packet) return now;
    const wanted = Math.max(this.#packet, rate * WAKE_TIME);
    return after(now, milliseconds(Math.max(LEAST_WAIT, (wanted - this.#tokens) / rate)));
  }

  /** A packet of `bytes` went out. Probes may overdraw the bucket by a few packets. */
  spend(bytes: number): void {
    this.#tokens = Math.max(this.#tokens - bytes, -BURST_PACKETS * this.#packet);
  }
}
