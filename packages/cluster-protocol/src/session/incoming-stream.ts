import type { Instant, Duration } from '../base/index.js';
import { INITIAL_STREAM_CREDIT } from '../wire/index.js';
import { RangeSet } from './range-set.js';
import { ReceiveWindow } from './receive-window.js';
import { StreamBytes, type StreamMemory } from './stream-memory.js';

/** What one stream's window may grow to: 100 Mbit/s at a round trip of 600 ms. */
const MAX_STREAM_WINDOW: number = 8 * 1_024 * 1_024;

/** Pieces with gaps between them that are kept; a frame that would add one is not acknowledged and comes again. */
export const MAX_STREAM_PIECES = 4_096;

/** Bytes of a stream, and whether it ends behind them. */
export interface StreamChunk {
  /** Belong to the reader; empty only at the end. */
  readonly bytes: Uint8Array;
  readonly end: boolean;
}

/**
 * The peer's half of a stream: an `open` one is read, a `discarding` one is not wanted any more and waits for its end, and
 * a `finished` one was read to its end or given up.
 */
type ReceiveState = 'open' | 'discarding' | 'finished';

/** The receiving half of a stream: puts its bytes in order. */
export class IncomingStream {
  readonly window: ReceiveWindow = new ReceiveWindow(INITIAL_STREAM_CREDIT, MAX_STREAM_WINDOW);
  readonly #bytes: StreamBytes;
  readonly #received = new RangeSet();
  #state: ReceiveState = 'open';
  /** Bytes that were read. */
  #read = 0;
  /** The end of what came. */
  #highest = 0;
  #finalSize = -1;

  constructor(memory: StreamMemory) {
    this.#bytes = new StreamBytes(memory);
  }

  get state(): ReceiveState {
    return this.#state;
  }

  /** Bytes from the beginning to the highest that came: what counts against the session's credit. */
  get highest(): number {
    return this.#highest;
  }

  /** Bytes that can be read now. */
  get readable(): number {
    if (this.#state !== 'open' || this.#received.ranges === 0 || this.#received.start(0) > 0) return 0;
    return this.#received.end(0) - this.#read;
  }

  /** Whether a read gives something: bytes, or the end. */
  get hasNews(): boolean {
    return this.#state === 'open' && (this.readable > 0 || this.#read === this.#finalSize);
  }

  /** Whether no further gap is kept; what fills the first one is always welcome. */
  crowded(offset: number): boolean {
    return this.#received.ranges >= MAX_STREAM_PIECES && offset > this.#received.end(0);
  }

  /**
   * Whether bytes up to `end` contradict what is known of the stream's length, `fin` telling that it ends there. Breaks
   * no rule of credit: see {@link IncomingStream.window}.
   */
  contradicts(end: number, fin: boolean): boolean {
    if (this.#finalSize >= 0) return end > this.#finalSize || (fin && end !== this.#finalSize);
    return fin && end < this.#highest;
  }

  /** Takes bytes that break no rule; returns how many lie above everything that came before. */
  take(offset: number, data: Uint8Array, fin: boolean): number {
    const end = offset + data.length;
    const added = Math.max(0, end - this.#highest);
    this.#highest += added;
    if (fin) this.#finalSize = end;
    if (this.#state === 'open') {
      const skip = Math.max(0, this.#read - offset);
      if (skip < data.length) this.#bytes.store(offset + skip, data, skip, data.length - skip);
      this.#received.insert(offset, end);
    } else if (this.#state === 'discarding' && this.#finalSize >= 0) {
      this.#state = 'finished';
    }
    return added;
  }

  /** Reads what is in order, block by block; `undefined` when nothing is. */
  read(): StreamChunk | undefined {
    if (!this.hasNews) return undefined;
    const { readable } = this;
    const bytes = readable === 0 ? NOTHING : this.#bytes.take(this.#read, this.#read + readable);
    this.#read += bytes.length;
    const end = this.#read === this.#finalSize;
    if (end) this.#finish();
    return { bytes, end };
  }

  /** The application reads no more; returns how many bytes it left unread, which no longer count as waiting. */
  discard(): number {
    const unread = this.#highest - this.#read;
    this.#read = this.#highest;
    this.#bytes.clear();
    this.#state = this.#finalSize >= 0 ? 'finished' : 'discarding';
    return unread;
  }

  /** The peer gave up after `finalSize` bytes; returns how many of them were neither read nor discarded. */
  reset(finalSize: number): number {
    const unread = finalSize - this.#read;
    this.#highest = finalSize;
    this.#finalSize = finalSize;
    this.#read = finalSize;
    this.#finish();
    return unread;
  }

  /** Bytes were read: whether the peer should hear how far it may go on. */
  consumed(now: Instant, bytes: number, roundTrip: Duration, mayGrow: boolean): boolean {
    const due = this.window.consume(now, bytes, roundTrip, mayGrow);
    return due && this.#state === 'open' && this.#finalSize < 0;
  }

  /** Lets go of everything. */
  clear(): void {
    this.#finish();
  }

  #finish(): void {
    this.#state = 'finished';
    this.#bytes.clear();
  }
}

const NOTHING = new Uint8Array(0);
