import {
  type Duration,
  elapsed,
  type Instant,
  milliseconds,
  minutes,
  randomFraction,
  type RandomSource,
  seconds,
} from '../base/index.js';

/** Waits after take-overs that follow each other (docs/spec/03-session.md, section 10). */
const WAITS: readonly Duration[] = [1, 2, 4, 8, 16, 32, 60].map(seconds);
/** For so long a take-over is remembered. */
const MEMORY: Duration = minutes(10);
/** Waits spread by this share, so that the two do not come in step. */
const JITTER = 0.25;

/**
 * How long to leave a session to whoever took it over: somebody uses a copy of our keys, and two that called again at once
 * would take the session from each other without end.
 */
export class TakeoverWait {
  #count = 0;
  #last: Instant | undefined;

  /** The session was taken over now. */
  next(now: Instant, random: RandomSource): Duration {
    this.#count = this.#last !== undefined && elapsed(this.#last, now) < MEMORY ? this.#count + 1 : 0;
    this.#last = now;
    const base = WAITS[Math.min(this.#count, WAITS.length - 1)]!;
    return milliseconds(base * (1 + JITTER * randomFraction(random)));
  }
}
