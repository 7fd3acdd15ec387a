import { fromHex } from '../base/index.js';
import { MAX_RECALLED_INBOXES, MAX_RECALLED_SEQUENCES, type RecallQuestion } from './recall.js';

/**
 * What we know of a peer's memory of our messages: in which life of it they were received, and whether the life it is in
 * now still knows of them (docs/spec/06-interface.md, "Memory of a peer").
 */
export class PeerMemory {
  #inbox = '';
  /** Earlier lives in which it received from us, and for which it has not answered yet. */
  readonly #former: string[] = [];
  readonly #acknowledged: number[] = [];
  /** There were more lives than a question holds. */
  #tooMany = false;

  /** The peer's inbox incarnation in the latest session, hexadecimal; empty before the first. */
  get inbox(): string {
    return this.#inbox;
  }

  /** A session was set up with the peer in this life of it. */
  meet(inbox: string): void {
    if (this.#inbox !== '' && this.#inbox !== inbox && !this.#former.includes(this.#inbox)) {
      if (this.#former.length < MAX_RECALLED_INBOXES) this.#former.push(this.#inbox);
      else this.#tooMany = true;
    }
    this.#inbox = inbox;
  }

  /** What the peer is to be asked; `undefined`: it is in the life in which it received everything. */
  get question(): RecallQuestion | undefined {
    if (this.#former.length === 0) return undefined;
    return {
      inboxes: this.#former.flatMap(inbox => fromHex(inbox) ?? []),
      sequences: this.#acknowledged,
    };
  }

  /** A message that must have one effect was acknowledged. */
  acknowledged(sequence: number): void {
    this.#acknowledged.push(sequence);
    if (this.#acknowledged.length > MAX_RECALLED_SEQUENCES) this.#acknowledged.shift();
  }

  /** The peer has answered the question; returns whether it really remembers all of it. */
  answered(kept: boolean): boolean {
    const remembers = kept && !this.#tooMany;
    this.#former.length = 0;
    this.#tooMany = false;
    if (!remembers) this.#acknowledged.length = 0;
    return remembers;
  }
}
