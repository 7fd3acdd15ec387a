import { randomUint32, type RandomSource, type WallTime } from '@coconet/cluster-protocol/core';

/**
 * How far a counter jumps when the clock cannot tell it where to go on: at least so many numbers, and at random up to
 * twice as many. No earlier life of this NMN can have signed that many since its last backup.
 */
const BLIND_JUMP = 2 ** 20;

/** Why nothing is signed yet, or that everything may be. */
export type VersionState = 'settling' | 'ready';

/**
 * Gives out the versions that this NMN signs, each once in all its lives. A data folder that was restored from a backup
 * does not know what was signed since, so after every start the counter first waits for a member to show what it has
 * seen, or until waiting has gone on long enough, and then goes on above everything it knows of: the database, the
 * reservation beside it, what members showed, and the milliseconds of civil time. A version never falls behind the
 * clock of an earlier start, because nobody signs a thousand versions a second for long.
 */
export class VersionCounter {
  readonly #random: RandomSource;
  #last: number;
  #state: VersionState;

  /** `last`: highest number known to be signed. A new network is `ready`: nobody signed anything for it before. */
  constructor(random: RandomSource, last: number, state: VersionState) {
    this.#random = random;
    this.#last = last;
    this.#state = state;
  }

  get state(): VersionState {
    return this.#state;
  }

  /** The highest number known to be signed. */
  get last(): number {
    return this.#last;
  }

  /** A member has seen this number. True when it is news: something was signed that we had forgotten. */
  observe(version: number): boolean {
    if (version <= this.#last) return false;
    this.#last = version;
    return true;
  }

  /** Ends the waiting: a member came, or nobody did for long enough. */
  settle(wall: WallTime): void {
    if (this.#state === 'ready') return;
    this.#state = 'ready';
    const clock = Math.floor(wall);
    this.#last =
      clock > this.#last ? clock : this.#last + BLIND_JUMP + (randomUint32(this.#random) % BLIND_JUMP);
  }

  /** A number that was never given before and never will be again. Only when `ready`. */
  next(): number {
    return ++this.#last;
  }
}
