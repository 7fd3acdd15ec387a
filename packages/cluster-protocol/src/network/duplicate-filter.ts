import { MESSAGE_WINDOW } from '../wire/index.js';

/** Incarnations remembered for one sender: its store as it is, and a few it was before (design: delivery). */
const MAX_INCARNATIONS = 4;

/** What to do with a message. */
export type DuplicateVerdict = 'new' | 'duplicate' | 'windowExceeded';

/** Which sequences of one incarnation were received: all below the floor, and a bit each above it. */
class SequenceWindow {
  #floor: number;
  readonly #seen = new Uint32Array(MESSAGE_WINDOW / 32);

  constructor(floor: number) {
    this.#floor = floor;
  }

  accept(sequence: number, floor: number): DuplicateVerdict {
    this.#raise(floor);
    if (sequence < this.#floor) return 'duplicate';
    if (sequence >= this.#floor + MESSAGE_WINDOW) return 'windowExceeded';
    const bit = sequence % MESSAGE_WINDOW;
    const mask = 1 << (bit & 31);
    const word = this.#seen[bit >>> 5]!;
    if ((word & mask) !== 0) return 'duplicate';
    this.#seen[bit >>> 5] = word | mask;
    return 'new';
  }

  #raise(floor: number): void {
    if (floor <= this.#floor) return;
    if (floor - this.#floor >= MESSAGE_WINDOW) this.#seen.fill(0);
    else
      for (let gone = this.#floor; gone < floor; gone++) {
        const bit = gone % MESSAGE_WINDOW;
        this.#seen[bit >>> 5] = this.#seen[bit >>> 5]! & ~(1 << (bit & 31));
      }
    this.#floor = floor;
  }
}

/**
 * Lets every message of one sender through once, whatever sessions come and go: a message id is (sender, incarnation of
 * the sender's outbox, sequence) (docs/spec/06-interface.md, "Message ids").
 */
export class DuplicateFilter {
  readonly #windows = new Map<string, SequenceWindow>();

  /**
   * `incarnation` in hexadecimal; `floor`: the lowest sequence that the sender may still send. A message above the
   * window breaks the sender's promise and is not to be delivered.
   */
  accept(incarnation: string, sequence: number, floor: number): DuplicateVerdict {
    if (floor > sequence) return 'duplicate';
    let window = this.#windows.get(incarnation);
    if (window) this.#windows.delete(incarnation);
    else window = new SequenceWindow(floor);
    this.#windows.set(incarnation, window); // Again at the end: the least recently used is the first.
    if (this.#windows.size > MAX_INCARNATIONS) {
      const oldest = this.#windows.keys().next();
      if (oldest.done !== true) this.#windows.delete(oldest.value);
    }
    return window.accept(sequence, floor);
  }
}
