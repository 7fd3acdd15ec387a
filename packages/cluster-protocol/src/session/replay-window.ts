import { assert } from '../base/index.js';

/** What a window says about a number: unseen, seen before, or too old to know. */
export type ReplayVerdict = 'fresh' | 'replayed' | 'tooOld';

/**
 * Packets that may arrive late and still count, below the newest: two paths of 100 Mbit/s whose delays differ by 800 ms
 * stay within it (RFC 4303, section 3.4.3 asks for at least 32).
 */
export const REPLAY_WINDOW = 8_192;

/** Words to begin with: most sessions never see more packets than this has bits. */
const INITIAL_WORDS = 2;

/**
 * A sliding bitmap over the newest `size` numbers, after RFC 6479. Ask before the tag is checked, {@link
 * ReplayWindow.mark} only after it was right: a forged number then moves nothing.
 */
export class ReplayWindow {
  readonly #size: number;
  /** Grows to the whole window with the numbers that come; until then the window ends at 0. */
  #words: Uint32Array;
  #highest = -1;

  /** `size` is a power of two of at least 32. */
  constructor(size: number = REPLAY_WINDOW) {
    assert(size >= 32 && (size & (size - 1)) === 0, 'a replay window is a power of two');
    this.#size = size;
    this.#words = new Uint32Array(Math.min(INITIAL_WORDS, size / 32));
  }

  /** The newest number marked so far; −1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  verdict(number: number): ReplayVerdict {
    if (number > this.#highest) return 'fresh';
    if (number <= this.#highest - this.#size) return 'tooOld';
    const slot = number % (32 * this.#words.length);
    return (this.#words[slot >>> 5]! & (1 << (slot & 31))) === 0 ? 'fresh' : 'replayed';
  }

  /** Remembers a number of which {@link ReplayWindow.verdict} said `fresh`. */
  mark(number: number): void {
    if (number > this.#highest) {
      this.#grow(number);
      this.#clear(number);
      this.#highest = number;
    }
    const slot = number % (32 * this.#words.length);
    this.#words[slot >>> 5]! |= 1 << (slot & 31);
  }

  /** Makes room for a number and all below it that count: while the window grows, each has the place of its own. */
  #grow(number: number): void {
    const old = this.#words;
    let words = old.length;
    while (32 * words <= number && 32 * words < this.#size) words *= 2;
    if (words === old.length) return;
    this.#words = new Uint32Array(words);
    this.#words.set(old);
  }

  /** Clears the bits between the highest number and `number`, which stood for numbers one window ago. */
  #clear(number: number): void {
    if (number - this.#highest >= this.#size) {
      this.#words.fill(0);
      return;
    }
    for (let passed = this.#highest + 1; passed <= number; passed++) {
      const slot = passed % this.#size;
      this.#words[slot >>> 5]! &= ~(1 << (slot & 31));
    }
  }
}
