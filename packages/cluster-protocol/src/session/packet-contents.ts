import type { FrameCounts } from './frame-counts.js';
import type { FrameCarrier, SentFrame, SentFramePool } from './sent-frame.js';

/** What the packet that is being written carries. One object, reused for every packet. */
export class PacketContents {
  readonly #pool: SentFramePool;
  readonly #counts: FrameCounts;
  /** Frames to be repeated if the packet is lost. */
  frames: SentFrame | undefined = undefined;
  /** Whether the packet asks for an ack. */
  eliciting = false;
  /** The largest number of an ack inside; −1 without one. */
  acknowledges = -1;
  /** Whether the packet only tries a size. */
  sizing = false;
  /** Whether another packet carries the same frames and answers for them. */
  covered = false;

  constructor(pool: SentFramePool, counts: FrameCounts) {
    this.#pool = pool;
    this.#counts = counts;
  }

  /** Begins a packet. */
  reset(): void {
    this.frames = undefined;
    this.eliciting = false;
    this.acknowledges = -1;
    this.sizing = false;
    this.covered = false;
  }

  /** A list of its own with what the packet carries. */
  copyFrames(): SentFrame | undefined {
    let copy: SentFrame | undefined;
    for (let frame = this.frames; frame !== undefined; frame = frame.next)
      copy = this.#pool.take(frame.carrier, frame.offset, frame.length, copy);
    return copy;
  }

  /** A frame of `type` was written that needs no repetition; `eliciting` when it asks for an ack. */
  wrote(type: number, eliciting: boolean): void {
    this.#counts.count(type);
    this.eliciting ||= eliciting;
  }

  /** A frame of `type` with `length` bytes from `offset` of the carrier's was written. */
  carry(type: number, carrier: FrameCarrier, offset: number, length: number): void {
    this.frames = this.#pool.take(carrier, offset, length, this.frames);
    this.wrote(type, true);
  }
}
