import type { Instant } from '../base/index.js';
import { FrameType, UNGRANTED_MESSAGE, type FrameReader } from '../wire/index.js';
import type { HeldMessage, MessageHolder, MessageMemory } from './message-memory.js';
import { RangeSet } from './range-set.js';
import { BLOCK, SMALL_BLOCK, StreamBytes } from './stream-memory.js';

/** What half a message costs besides its bytes: its objects, and the bounds of its pieces. */
export const PARTIAL_OVERHEAD = 1_024;

/** Pieces with gaps between them, and one more for so many bytes of the message: 16 bytes each. */
const MIN_PIECES = 32;
const BYTES_PER_PIECE = 4_096;

/** A message of which a part is here. Its memory grows with the bytes that came, never with those that were announced. */
export class PartialMessage implements HeldMessage {
  readonly sequence: number;
  readonly holder: MessageHolder;
  readonly #memory: MessageMemory;
  readonly #bytes: StreamBytes;
  readonly #received = new RangeSet();
  /** −1 until the first fragment came. */
  total = -1;
  service = 0;
  progressAt: Instant;
  grantedAt: Instant | undefined = undefined;
  charged = 0;
  granted = 0;

  constructor(now: Instant, sequence: number, holder: MessageHolder, memory: MessageMemory) {
    this.sequence = sequence;
    this.holder = holder;
    this.progressAt = now;
    this.#memory = memory;
    this.#bytes = new StreamBytes(memory.blocks);
  }

  /** Whether the bytes from {@link UNGRANTED_MESSAGE} on may come. */
  get mayGrow(): boolean {
    return this.grantedAt !== undefined;
  }

  /** Whether it waits for its grant: nothing new can come. */
  get waits(): boolean {
    return this.total > UNGRANTED_MESSAGE && !this.mayGrow;
  }

  /** Whether every byte is here. */
  get whole(): boolean {
    return this.total >= 0 && this.#received.covers(0, this.total);
  }

  /** Bytes that it takes more when the bytes before `end` come. */
  growth(end: number): number {
    return Math.max(0, PARTIAL_OVERHEAD + footprint(end) - this.charged);
  }

  /** Whether a fragment would leave more pieces than an honest sender's losses do. */
  crowded(start: number, end: number): boolean {
    const received = this.#received;
    if (received.ranges < MIN_PIECES) return false;
    if (received.ranges < MIN_PIECES + this.granted / BYTES_PER_PIECE) return false;
    const next = received.rangeAt(start);
    const touchesNext = next < received.ranges && received.start(next) <= end;
    return !touchesNext && !(next > 0 && received.end(next - 1) === start);
  }

  /** Whether a fragment contradicts what came before: another length or service, or other bytes in the same place. */
  conflicts(frame: FrameReader): boolean {
    const first = frame.type === FrameType.firstFragment;
    const { total, service } = this;
    if (first && total >= 0 && (total !== frame.total || service !== frame.service)) return true;
    const received = this.#received;
    const end = frame.offset + frame.dataEnd - frame.dataStart;
    const last = received.ranges === 0 ? 0 : received.end(received.ranges - 1);
    if (first ? last > frame.total : total >= 0 && end > total) return true;
    if (last <= frame.offset) return false;
    const { data } = frame;
    for (let i = received.rangeAt(frame.offset); i < received.ranges && received.start(i) < end; i++) {
      const from = Math.max(received.start(i), frame.offset);
      const to = Math.min(received.end(i), end);
      if (this.#bytes.differs(from, data, from - frame.offset, to - from)) return true;
    }
    return false;
  }

  /** Takes the bytes of a fragment that was found good. */
  store(now: Instant, frame: FrameReader, data: Uint8Array): void {
    const { offset } = frame;
    const end = offset + data.length;
    if (frame.type === FrameType.firstFragment) {
      this.total = frame.total;
      this.service = frame.service;
    }
    if (this.#received.insert(offset, end) === 0) return;
    this.#memory.progressed(now, this, this.growth(end));
    this.#bytes.store(offset, data, 0, data.length);
  }

  /** The whole message, in an array of its own; call {@link PartialMessage.clear} next. */
  assemble(): Uint8Array {
    const bytes = new Uint8Array(this.total);
    this.#bytes.load(0, bytes, 0, this.total);
    return bytes;
  }

  /** Gives all memory back. */
  clear(): void {
    this.grantedAt = undefined;
    this.#bytes.clear();
    this.#memory.release(this);
  }
}

/** Bytes that blocks take for a message of which nothing behind `end` came; what needs a grant is counted there. */
export const footprint = (end: number): number =>
  end <= SMALL_BLOCK ? SMALL_BLOCK : Math.ceil(Math.min(end, UNGRANTED_MESSAGE) / BLOCK) * BLOCK;
