import { type FrameType, rekeyLength, writeRekey } from '../wire/index.js';
import type { PacketContents } from './packet-contents.js';
import type { FrameCarrier } from './sent-frame.js';

/** An offer or an answer on its way out, repeated until it was acknowledged or is of no more use. */
export class RekeyFrame implements FrameCarrier {
  readonly #type: typeof FrameType.rekeyOffer | typeof FrameType.rekeyAnswer;
  readonly #generation: number;
  readonly #message: Uint8Array;
  #state: 'ready' | 'sent' | 'finished' = 'ready';

  constructor(
    type: typeof FrameType.rekeyOffer | typeof FrameType.rekeyAnswer,
    generation: number,
    message: Uint8Array,
  ) {
    this.#type = type;
    this.#generation = generation;
    this.#message = message;
  }

  /** Whether it is to be written now. */
  get sendable(): boolean {
    return this.#state === 'ready';
  }

  /** Whether it waits for the peer. */
  get pending(): boolean {
    return this.#state !== 'finished';
  }

  acknowledged(): void {
    this.#state = 'finished';
  }

  lost(): void {
    if (this.#state === 'sent') this.#state = 'ready';
  }

  /** It is of no more use: nothing repeats it. */
  withdraw(): void {
    this.#state = 'finished';
  }

  /** Writes it if it fits before `limit`; returns the offset behind it. */
  write(into: Uint8Array, offset: number, limit: number, contents: PacketContents): number {
    const { length } = this.#message;
    if (!this.sendable || offset + rekeyLength(this.#generation, length) > limit) return offset;
    contents.carry(this.#type, this, 0, length);
    this.#state = 'sent';
    return writeRekey(into, offset, this.#type, this.#generation, this.#message);
  }
}
