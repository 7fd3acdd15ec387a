import { assert } from './errors.js';

/** Sequences right above the floor whose bits fit a number: most windows never hold another. */
const NEAR = 32;

/**
 * A set of the sequences from a floor on, one bit each: everything below the floor belongs to it. The floor only rises.
 * As long as its members lie within 32 of the floor it takes no table.
 */
export class SequenceWindow {
  readonly #size: number;
  #floor: number;
  /** A bit for each of the 32 sequences from the floor on. */
  #near = 0;
  /** A bit for each sequence above those, by its remainder; `undefined` while there is none. */
  #far: Uint32Array | undefined;
  #farCount = 0;

  /** `size`: how far above the floor a member may lie; a power of two from 32 on. */
  constructor(size: number, floor: number = 0) {
    assert(size >= NEAR && (size & (size - 1)) === 0, 'a window is a power of two');
    this.#size = size;
    this.#floor = floor;
  }

  /** The lowest sequence that may not belong to it. */
  get floor(): number {
    return this.#floor;
  }

  /** Whether the sequence belongs to it; none above the window does. */
  has(sequence: number): boolean {
    const above = sequence - this.#floor;
    if (above < 0) return true;
    if (above < NEAR) return (this.#near & (1 << above)) !== 0;
    if (above >= this.#size || this.#far === undefined) return false;
    const slot = sequence % this.#size;
    return (this.#far[slot >>> 5]! & (1 << (slot & 31))) !== 0;
  }

  /** Whether the sequence lies too far above the floor to be added. */
  exceeds(sequence: number): boolean {
    return sequence >= this.#floor + this.#size;
  }

  /** Adds a sequence that does not exceed the window. */
  add(sequence: number): void {
    if (this.has(sequence)) return;
    const above = sequence - this.#floor;
    if (above < NEAR) {
      this.#near |= 1 << above;
      return;
    }
    const slot = sequence % this.#size;
    this.#far ??= new Uint32Array(this.#size / 32);
    this.#far[slot >>> 5]! |= 1 << (slot & 31);
    this.#farCount++;
  }

  /** Adds everything below `floor`; a lower floor than the last is old news. */
  raise(floor: number): void {
    const by = floor - this.#floor;
    if (by <= 0) return;
    this.#near = by < NEAR ? this.#near >>> by : 0;
    const before = this.#floor;
    this.#floor = floor;
    if (this.#far === undefined) return;
    if (by >= this.#size) this.#far = undefined;
    else this.#moveNear(this.#far, before + NEAR, floor + NEAR);
    if (this.#far === undefined) this.#farCount = 0;
  }

  /** Takes the sequences from `start` to `end` out of the table, and those that still count into the number. */
  #moveNear(far: Uint32Array, start: number, end: number): void {
    for (let sequence = start; sequence < end; sequence++) {
      const slot = sequence % this.#size;
      const bit = 1 << (slot & 31);
      if ((far[slot >>> 5]! & bit) === 0) continue;
      far[slot >>> 5]! &= ~bit;
      this.#farCount--;
      if (sequence >= this.#floor) this.#near |= 1 << (sequence - this.#floor);
    }
    if (this.#farCount === 0) this.#far = undefined;
  }
}
