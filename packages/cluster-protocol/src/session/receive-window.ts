import type { Duration, Instant } from '../base/index.js';

/** A sender that uses up half a window in less than so many round trips is held back by it: the window doubles. */
const GROW_WITHIN_ROUND_TRIPS = 2;

/**
 * How far a sender may send: `limit` bytes since the beginning, which is the window's size above what was consumed. It
 * is told anew when half of it is used up, and doubles while it is what holds the sender back.
 */
export class ReceiveWindow {
  readonly #most: number;
  #size: number;
  #limit: number;
  #consumed = 0;
  #toldAt: Instant | undefined;

  /** `size` is the credit that every sender has at first, `most` what the window may grow to, in bytes. */
  constructor(size: number, most: number) {
    this.#size = size;
    this.#most = most;
    this.#limit = size;
  }

  /** Bytes that may be sent since the beginning. */
  get limit(): number {
    return this.#limit;
  }

  /** Bytes the window spans. */
  get size(): number {
    return this.#size;
  }

  /** Bytes were taken by the application or given up; tells whether the sender should hear of a new limit. */
  consume(now: Instant, bytes: number, roundTrip: Duration, mayGrow: boolean): boolean {
    this.#consumed += bytes;
    if (this.#limit - this.#consumed > this.#size / 2) return false;
    const quick = this.#toldAt !== undefined && now - this.#toldAt < GROW_WITHIN_ROUND_TRIPS * roundTrip;
    if (quick && mayGrow) this.#size = Math.min(this.#most, 2 * this.#size);
    this.#toldAt = now;
    this.#limit = this.#consumed + this.#size;
    return true;
  }
}
