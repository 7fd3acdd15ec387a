import type { SentFrame } from './sent-frame.js';
import type { SessionPath } from './session-path.js';

/** Room to begin with: most sessions never have more in flight. */
export const INITIAL_CAPACITY = 32;

/** Smallest tables kept for whoever sends next: as many sessions have something in flight in one turn of a busy node. */
const MAX_SPARE = 64;

const spare: SentColumns[] = [];

/**
 * What is remembered of sent packets, column by column instead of object by object, so that a packet costs no allocation.
 * A row is a packet; the capacity is a power of two, or 0.
 */
export class SentColumns {
  /** For sessions that have nothing in flight. */
  static readonly none: SentColumns = new SentColumns(0);

  readonly capacity: number;
  readonly state: Uint8Array;
  readonly time: Float64Array;
  readonly size: Uint16Array;
  /** The packet's place among the ack-eliciting packets of its path. */
  readonly ordinal: Float64Array;
  /** The largest number that the ack inside acknowledged; −1 without an ack. */
  readonly acknowledges: Float64Array;
  /** 1 when other packets answer for the frames: a probe timeout queued them again, or they went over a second path too. */
  readonly requeued: Uint8Array;
  /** 1 when the packet only tries a size: its loss says nothing of congestion (RFC 9000, section 14.4). */
  readonly sizing: Uint8Array;
  /** Numbers from here to the next one that is in flight or lost, and to the one before; 0 at the ends. */
  readonly newer: Uint16Array;
  readonly older: Uint16Array;
  readonly path: (SessionPath | undefined)[];
  readonly frames: (SentFrame | undefined)[];

  private constructor(capacity: number) {
    this.capacity = capacity;
    this.state = new Uint8Array(capacity);
    this.time = new Float64Array(capacity);
    this.size = new Uint16Array(capacity);
    this.ordinal = new Float64Array(capacity);
    this.acknowledges = new Float64Array(capacity);
    this.requeued = new Uint8Array(capacity);
    this.sizing = new Uint8Array(capacity);
    this.newer = new Uint16Array(capacity);
    this.older = new Uint16Array(capacity);
    this.path = new Array<undefined>(capacity).fill(undefined);
    this.frames = new Array<undefined>(capacity).fill(undefined);
  }

  /** A table of the smallest size. Its rows hold whatever they held; paths and frames are empty. */
  static take(): SentColumns {
    return spare.pop() ?? new SentColumns(INITIAL_CAPACITY);
  }

  /** Gives a table back of which every packet is settled. */
  static give(columns: SentColumns): void {
    if (columns.capacity === INITIAL_CAPACITY && spare.length < MAX_SPARE) spare.push(columns);
  }

  /** A table twice as large with the same rows; `base` is the lowest number in this one. */
  grown(base: number): SentColumns {
    const to = new SentColumns(2 * this.capacity);
    for (let number = base; number < base + this.capacity; number++) {
      const here = number & (this.capacity - 1);
      const there = number & (to.capacity - 1);
      to.state[there] = this.state[here]!;
      to.time[there] = this.time[here]!;
      to.size[there] = this.size[here]!;
      to.ordinal[there] = this.ordinal[here]!;
      to.acknowledges[there] = this.acknowledges[here]!;
      to.requeued[there] = this.requeued[here]!;
      to.sizing[there] = this.sizing[here]!;
      to.newer[there] = this.newer[here]!;
      to.older[there] = this.older[here]!;
      to.path[there] = this.path[here];
      to.frames[there] = this.frames[here];
    }
    return to;
  }
}
