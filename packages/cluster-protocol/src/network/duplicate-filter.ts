import { SequenceWindow } from '../base/index.js';
import { MESSAGE_WINDOW } from '../wire/index.js';

/** Incarnations remembered for one sender: its store as it is, and a few it was before (design: delivery). */
const MAX_INCARNATIONS = 4;

/** What to do with a message. */
export type DuplicateVerdict = 'new' | 'duplicate' | 'windowExceeded';

/**
 * Lets every message of one sender through once, whatever sessions come and go: a message id is (sender, incarnation of
 * the sender's outbox, sequence) (docs/spec/06-interface.md, "Message ids").
 */
export class DuplicateFilter {
  /** By incarnation: which of its sequences were received. */
  readonly #windows = new Map<string, SequenceWindow>();

  /**
   * `incarnation` in hexadecimal; `floor`: the lowest sequence that the sender may still send. A message above the
   * window breaks the sender's promise and is not to be delivered.
   */
  accept(incarnation: string, sequence: number, floor: number): DuplicateVerdict {
    if (floor > sequence) return 'duplicate';
    let window = this.#windows.get(incarnation);
    if (window) this.#windows.delete(incarnation);
    else window = new SequenceWindow(MESSAGE_WINDOW, floor);
    this.#windows.set(incarnation, window); // Again at the end: the least recently used is the first.
    if (this.#windows.size > MAX_INCARNATIONS) {
      const oldest = this.#windows.keys().next();
      if (oldest.done !== true) this.#windows.delete(oldest.value);
    }
    window.raise(floor);
    if (window.exceeds(sequence)) return 'windowExceeded';
    if (window.has(sequence)) return 'duplicate';
    window.add(sequence);
    return 'new';
  }
}
