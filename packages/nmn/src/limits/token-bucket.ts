import { type Duration, type Instant, milliseconds } from '@coconet/cluster-protocol/core';

/** A rate with a burst: `capacity` tokens at most, refilled evenly with `perSecond` tokens a second. */
export interface BucketRate {
  readonly perSecond: number;
  readonly capacity: number;
}

/** A token bucket under somebody else's clock. It begins full. */
export class TokenBucket {
  readonly #rate: BucketRate;
  #tokens: number;
  #refilledAt: Instant;

  constructor(rate: BucketRate, now: Instant) {
    this.#rate = rate;
    this.#tokens = rate.capacity;
    this.#refilledAt = now;
  }

  /** Takes `amount` tokens if there are as many; otherwise takes none and returns false. */
  take(now: Instant, amount = 1): boolean {
    this.#refill(now);
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }

  /** Gives back what was taken for nothing. */
  give(now: Instant, amount = 1): void {
    this.#refill(now);
    this.#tokens = Math.min(this.#rate.capacity, this.#tokens + amount);
  }

  /** Whether it holds all it can: it may then be forgotten, because a new one would be the same. */
  full(now: Instant): boolean {
    this.#refill(now);
    return this.#tokens >= this.#rate.capacity;
  }

  /** How long until `amount` tokens are there, if nobody takes any. */
  wait(now: Instant, amount = 1): Duration {
    this.#refill(now);
    return milliseconds(Math.max(0, ((amount - this.#tokens) * 1_000) / this.#rate.perSecond));
  }

  #refill(now: Instant): void {
    if (now <= this.#refilledAt) return;
    const gained = ((now - this.#refilledAt) * this.#rate.perSecond) / 1_000;
    this.#tokens = Math.min(this.#rate.capacity, this.#tokens + gained);
    this.#refilledAt = now;
  }
}
