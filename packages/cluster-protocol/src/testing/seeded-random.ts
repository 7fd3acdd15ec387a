import { encodeText, type RandomSource } from '../base/index.js';

/**
 * Repeatable random bytes for tests and simulations: xoshiro128** (Blackman and Vigna), its state filled from the seed
 * by splitmix32. Fast, well spread and not secret: whoever sees some output can compute the rest.
 */
export class SeededRandom implements RandomSource {
  /** What the stream was made from; prints in a failing test. */
  readonly seed: number;
  readonly #state: Uint32Array = new Uint32Array(4);

  /** `seed`: an unsigned 32-bit integer; other numbers are reduced to one. */
  constructor(seed: number) {
    this.seed = seed >>> 0;
    let mixed = this.seed;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      this.#state[i] = scramble(mixed);
    }
  }

  /** A uniformly random unsigned 32-bit integer. */
  uint32(): number {
    const state = this.#state;
    const s1 = state[1]!;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    state[2]! ^= state[0]!;
    state[3]! ^= s1;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= s1 << 9;
    state[3] = rotateLeft(state[3]!, 11);
    return result;
  }

  /** A uniformly random number in [0, 1). */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A random integer in [0, limit), for limits up to 2^32. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  fill(into: Uint8Array): void {
    let word = 0;
    for (let i = 0; i < into.length; i++) {
      word = i % 4 === 0 ? this.uint32() : word >>> 8;
      into[i] = word;
    }
  }

  /**
   * Another stream, fixed by this one's seed and `label` alone: it does not matter how much was drawn from either, so
   * one more draw in one part of a simulation changes nothing in the others.
   */
  fork(label: string): SeededRandom {
    let seed = this.seed;
    for (const byte of encodeText(label)) seed = scramble(Math.imul(seed ^ byte, 0x01000193) >>> 0);
    return new SeededRandom(scramble(seed ^ 0x5bd1e995));
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The finisher of MurmurHash3: every input bit reaches every output bit. */
function scramble(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
