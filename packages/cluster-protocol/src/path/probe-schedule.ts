import {
  after,
  type Duration,
  type Instant,
  milliseconds,
  randomFraction,
  type RandomSource,
  seconds,
} from '../base/index.js';

/**
 * When the probes of one address go out, from the start of a round: dense at first, because both sides begin within
 * a few round trips and 97 % of all punches that work do so at the first try; ten in all (docs/spec/04-path.md, section 5).
 */
export const PROBE_TIMES: readonly Duration[] = [0, 20, 50, 100, 200, 400, 800, 1_800, 2_800, 3_800].map(
  milliseconds,
);

/** The least time between two probes of one agent: a burst of eight would fill the buffer of a small router (ICE paces likewise: RFC 8445, section 14). */
export const PROBE_SPACING: Duration = milliseconds(5);

/** When the fast rounds begin, from the cause: what fails in the first half minute fails for long. */
const FAST_ROUNDS: readonly Duration[] = [seconds(0), seconds(5), seconds(15)];

/** Later rounds come this far apart, so that a peer that became reachable is found within a minute … */
const SLOW_ROUND: Duration = seconds(60);

/** … plus up to this share, so that nodes that lost each other together do not search together. */
const SLOW_JITTER = 0.2;

/** Whatever causes rounds, no more unanswered probes than three rounds' may leave at once … */
export const PROBE_ALLOWANCE = 240;

/** … or one round's to addresses that the peer alone names … */
export const CLAIM_ALLOWANCE = 80;

/** … and later one round's in a minute: this long for each probe. */
const ALLOWANCE_INTERVAL: Duration = milliseconds(60_000 / 80);

/** A bucket of probes: full at the start, one more each {@link ALLOWANCE_INTERVAL}. */
export class ProbeAllowance {
  readonly #capacity: number;
  #tokens: number;
  #filledAt: Instant | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#tokens = capacity;
  }

  has(now: Instant): boolean {
    const since = this.#filledAt === undefined ? 0 : Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    this.#tokens = Math.min(this.#capacity, this.#tokens + since / ALLOWANCE_INTERVAL);
    return this.#tokens >= 1;
  }

  take(): void {
    this.#tokens -= 1;
  }

  /** Gives back what an answered probe took: the one who answers wants to be probed. */
  restore(probes: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + probes);
  }
}

/** When rounds begin: three fast ones, then slow ones until stopped. */
export class RoundTimer {
  readonly #random: RandomSource;
  #startedAt: Instant | undefined;
  #index = 0;
  #nextAt: Instant | undefined;

  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** When the next round begins; `undefined`: no series runs. */
  get nextAt(): Instant | undefined {
    return this.#nextAt;
  }

  /** Begins a series, its first round now. */
  restart(now: Instant): void {
    this.#startedAt = now;
    this.#index = 0;
    this.#plan(now);
  }

  stop(): void {
    this.#nextAt = undefined;
    this.#startedAt = undefined;
  }

  /** Moves past the round that is due at `now`; `false`: none is. */
  takeDue(now: Instant): boolean {
    if (this.#nextAt === undefined || this.#nextAt > now) return false;
    this.#plan(now);
    return true;
  }

  #plan(now: Instant): void {
    this.#index++;
    const fast = FAST_ROUNDS[this.#index];
    if (this.#startedAt === undefined) return;
    const slow = milliseconds(SLOW_ROUND * (1 + SLOW_JITTER * randomFraction(this.#random)));
    this.#nextAt = fast === undefined ? after(now, slow) : after(this.#startedAt, fast);
  }
}
