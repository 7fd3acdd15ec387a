import { MESSAGE_WINDOW } from '../wire/index.js';

/**
 * Which messages of the peer are complete: everything below its floor is settled (acknowledged or given up), and a bit
 * tells for each of the 1,024 sequences from the floor on. A repeated fragment of a finished message is known by it
 * however late it comes.
 */
export class MessageWindow {
  readonly #done = new Uint32Array(MESSAGE_WINDOW / 32);
  #floor = 0;

  /** The highest floor that the peer has told. */
  get floor(): number {
    return this.#floor;
  }

  /** Whether the message is complete or given up by its sender. */
  settled(sequence: number): boolean {
    if (sequence < this.#floor) return true;
    if (sequence >= this.#floor + MESSAGE_WINDOW) return false;
    const slot = sequence % MESSAGE_WINDOW;
    return (this.#done[slot >>> 5]! & (1 << (slot & 31))) !== 0;
  }

  /** The peer says that it sends nothing below `floor` any more; a lower floor than the last is old news. */
  raise(floor: number): void {
    if (floor <= this.#floor) return;
    if (floor - this.#floor >= MESSAGE_WINDOW) {
      this.#done.fill(0);
    } else {
      for (let passed = this.#floor; passed < floor; passed++) {
        const slot = passed % MESSAGE_WINDOW;
        this.#done[slot >>> 5]! &= ~(1 << (slot & 31));
      }
    }
    this.#floor = floor;
  }

  /** The message is complete; it lies inside the window because its first fragment raised the floor. */
  settle(sequence: number): void {
    const slot = sequence % MESSAGE_WINDOW;
    this.#done[slot >>> 5]! |= 1 << (slot & 31);
  }
}
