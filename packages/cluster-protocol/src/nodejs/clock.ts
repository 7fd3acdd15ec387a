import { after, DeadlineQueue, instant, milliseconds, wallTime } from '../base/index.js';
import type { Duration, Instant, WallTime } from '../base/index.js';

/** The longest delay that one real timer takes (a signed 32-bit number of milliseconds); what lies further is armed again. */
const MAX_TIMER_DELAY = 0x7fff_ffff;

/** The monotonic clock of this process. */
export const monotonicNow = (): Instant => instant(performance.now());

/** The civil time of this machine, as good as its owner keeps it. */
export const wallTimeNow = (): WallTime => wallTime(Date.now());

/** Something that wants to be called at a deadline of its own, which it may move at any time. */
export interface Sleeper {
  /** Called once for each deadline set, never before it. */
  wake(now: Instant): void;
}

/**
 * All deadlines of one host behind one real timer. Moving a deadline further away leaves the timer as it is: on the hot
 * path deadlines only move away, and one idle wake-up costs less than a thousand re-armed timers.
 */
export class AlarmClock {
  readonly #deadlines = new DeadlineQueue<Sleeper>();
  #timer: NodeJS.Timeout | undefined;
  #armedFor: Instant | undefined;
  readonly #ring = (): void => this.#wakeDue();

  /** Sets, moves or (with `undefined`) clears the deadline of `sleeper`. */
  set(sleeper: Sleeper, due: Instant | undefined): void {
    this.#deadlines.set(sleeper, due);
    this.#arm();
  }

  /** Runs `action` once after `delay`; the result calls it off. */
  schedule(delay: Duration, action: () => void): () => void {
    const sleeper: Sleeper = { wake: action };
    this.set(sleeper, after(monotonicNow(), milliseconds(Math.max(0, delay))));
    return () => this.set(sleeper, undefined);
  }

  #arm(): void {
    const due = this.#deadlines.earliest;
    if (due === undefined) {
      // A timer for nothing would keep the process alive.
      this.#disarm();
      return;
    }
    if (this.#armedFor !== undefined && this.#armedFor <= due) return;
    this.#disarm();
    // Rounded up, because Node cuts the fraction off and a timer that rings early rings twice.
    const delay = Math.min(Math.max(Math.ceil(due - monotonicNow()), 0), MAX_TIMER_DELAY);
    this.#armedFor = due;
    this.#timer = setTimeout(this.#ring, delay);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedFor = undefined;
  }

  #wakeDue(): void {
    this.#disarm();
    const now = monotonicNow();
    try {
      // What is due by the time the timer rang and no more: a sleeper that is always due cannot starve the sockets.
      for (let left = this.#deadlines.size; left > 0; left--) {
        const sleeper = this.#deadlines.takeDue(now);
        if (sleeper === undefined) break;
        sleeper.wake(now);
      }
    } finally {
      this.#arm();
    }
  }
}
