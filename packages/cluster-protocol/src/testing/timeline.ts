import { assert, DeadlineQueue, earliest, instant } from '../base/index.js';
import type { Duration, Instant } from '../base/index.js';

/** Events at one instant after which the world is taken to run in a circle: a machine that is always due, say. */
const MAX_AT_ONCE = 200_000;

/** Something with one deadline that moves often, such as a machine. */
export interface SimulatedSleeper {
  /** Called at its deadline. Returns whether promises may have been settled by it. */
  wake(): boolean;
}

interface Entry {
  readonly time: Instant;
  readonly order: number;
  /** Returns whether promises may have been settled by it; `undefined` once called off. */
  action: (() => boolean) | undefined;
}

/**
 * Virtual time: a queue of actions ordered by (time, order of scheduling), so that a run depends on its seed alone, and
 * beside it the deadlines of machines, which come after the actions of the same instant.
 */
export class Timeline {
  #now: Instant = instant(0);
  #order = 0;
  #atOnce = 0;
  readonly #heap: Entry[] = [];
  readonly #deadlines = new DeadlineQueue<SimulatedSleeper>();

  /** Milliseconds since the world began. */
  get now(): Instant {
    return this.#now;
  }

  /** When something happens next. */
  get next(): Instant | undefined {
    while (this.#heap[0]?.action === undefined && this.#heap.length > 0) this.#pop();
    return earliest(this.#heap[0]?.time, this.#deadlines.earliest);
  }

  /** Runs `action` after `delay`; the result calls it off. */
  after(delay: Duration, action: () => boolean): () => void {
    return this.at(instant(this.#now + delay), action);
  }

  /** Runs `action` at `time`, which is not in the past; the result calls it off. */
  at(time: Instant, action: () => boolean): () => void {
    assert(time >= this.#now, 'virtual time runs forwards');
    const entry: Entry = { time, order: this.#order++, action };
    this.#push(entry);
    return () => {
      entry.action = undefined;
    };
  }

  /** Sets, moves or clears the one deadline of `sleeper`; a deadline in the past is due now. */
  setDeadline(sleeper: SimulatedSleeper, due: Instant | undefined): void {
    this.#deadlines.set(sleeper, due === undefined || due > this.#now ? due : this.#now);
  }

  /** Moves to the next event, not beyond `end`, and runs it. `undefined`: there was none, and it is `end` now. */
  step(end: Instant): { readonly settled: boolean } | undefined {
    const next = this.next;
    if (next === undefined || next > end) {
      this.#moveTo(end);
      return undefined;
    }
    this.#moveTo(next);
    assert(++this.#atOnce < MAX_AT_ONCE, `the world comes to rest at ${next} ms`);
    const entry = this.#heap[0];
    if (entry !== undefined && entry.time <= next) {
      this.#pop();
      return { settled: entry.action?.() ?? false };
    }
    return { settled: this.#deadlines.takeDue(next)?.wake() ?? false };
  }

  #moveTo(time: Instant): void {
    if (time <= this.#now) return;
    this.#now = time;
    this.#atOnce = 0;
  }

  #push(entry: Entry): void {
    let position = this.#heap.push(entry) - 1;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!isBefore(entry, this.#heap[parent]!)) break;
      this.#heap[position] = this.#heap[parent]!;
      position = parent;
    }
    this.#heap[position] = entry;
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    let position = 0;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && isBefore(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (!isBefore(this.#heap[child]!, last)) break;
      this.#heap[position] = this.#heap[child]!;
      position = child;
    }
    this.#heap[position] = last;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);
