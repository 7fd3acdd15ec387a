import { after, earliest, seconds, type DropReason, type Duration, type Instant } from '../base/index.js';
import { FrameType, type FrameReader } from '../wire/index.js';
import { MessageWindow } from './message-window.js';
import { RangeSet } from './range-set.js';

/** Messages of which a part is here: twice what an honest sender has under way. */
export const MAX_PARTIAL_MESSAGES = 64;

/** Bytes reserved for them together. */
export const MAX_PARTIAL_BYTES: number = 1_024 * 1_024;

/** Half a message without progress is thrown away after this: the sender retransmits within a second or has given up. */
export const REASSEMBLY_TIMEOUT: Duration = seconds(30);

/** A complete message. */
export interface ReceivedMessage {
  readonly sequence: number;
  readonly service: number;
  /** Belongs to whom it is given. */
  readonly bytes: Uint8Array;
}

interface PartialMessage {
  bytes: Uint8Array;
  readonly received: RangeSet;
  /** −1 until the first fragment came. */
  total: number;
  service: number;
  progressAt: Instant;
}

/** Puts fragments together to messages, each of which comes out at most once however often it is sent. */
export class Reassembler {
  readonly #window = new MessageWindow();
  readonly #partial = new Map<number, PartialMessage>();
  #reserved = 0;
  /** What the frames looked at since {@link Reassembler.beginPacket} would add. */
  #newMessages = 0;
  #newBytes = 0;

  /** The highest floor that the peer has told. */
  get floor(): number {
    return this.#window.floor;
  }

  /** Bytes reserved for incomplete messages. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Incomplete messages. */
  get size(): number {
    return this.#partial.size;
  }

  /** The peer sends nothing below `floor` any more: what is incomplete there never becomes complete. */
  raiseFloor(floor: number): void {
    if (floor <= this.#window.floor) return;
    this.#window.raise(floor);
    if (this.#partial.size === 0) return;
    for (const sequence of [...this.#partial.keys()]) if (sequence < floor) this.#drop(sequence);
  }

  /** A packet is looked at before anything in it is acted on. */
  beginPacket(): void {
    this.#newMessages = 0;
    this.#newBytes = 0;
  }

  /** Why the packet with this fragment cannot be taken; its sender will send the contents again. */
  refuses(frame: FrameReader): DropReason | undefined {
    if (this.#window.settled(frame.sequence)) return undefined;
    const length = frame.dataEnd - frame.dataStart;
    const partial = this.#partial.get(frame.sequence);
    if (partial === undefined) {
      if (frame.type === FrameType.firstFragment && length === frame.total) return undefined;
      this.#newMessages++;
      this.#newBytes += neededBytes(frame, length);
    } else {
      if (conflicts(partial, frame, length)) return 'fragmentConflict';
      this.#newBytes += Math.max(0, neededBytes(frame, length) - partial.bytes.length);
    }
    const full =
      this.#partial.size + this.#newMessages > MAX_PARTIAL_MESSAGES ||
      this.#reserved + this.#newBytes > MAX_PARTIAL_BYTES;
    return full ? 'reassemblyFull' : undefined;
  }

  /**
   * Takes a fragment: gives the message when it is complete, `undefined` while it is not, or why the fragment was dropped.
   */
  take(now: Instant, frame: FrameReader): ReceivedMessage | DropReason | undefined {
    const { sequence } = frame;
    if (frame.type === FrameType.firstFragment) this.raiseFloor(frame.floor);
    if (this.#window.settled(sequence)) return 'duplicateMessage';
    const { data } = frame;
    const partial = this.#partial.get(sequence);
    if (partial === undefined && frame.type === FrameType.firstFragment && data.length === frame.total) {
      this.#window.settle(sequence);
      return { sequence, service: frame.service, bytes: new Uint8Array(data) };
    }
    if (partial !== undefined && conflicts(partial, frame, data.length)) return 'fragmentConflict';
    return this.#store(now, frame, data, partial ?? this.#begin(now, sequence));
  }

  /** When the oldest incomplete message is thrown away. */
  get nextExpiry(): Instant | undefined {
    let next: Instant | undefined;
    for (const partial of this.#partial.values())
      next = earliest(next, after(partial.progressAt, REASSEMBLY_TIMEOUT));
    return next;
  }

  /** Throws away what made no progress for too long. */
  expire(now: Instant): void {
    for (const [sequence, partial] of [...this.#partial]) {
      if (after(partial.progressAt, REASSEMBLY_TIMEOUT) <= now) this.#drop(sequence);
    }
  }

  /** Forgets everything: the session is closed. */
  clear(): void {
    this.#partial.clear();
    this.#reserved = 0;
  }

  #begin(now: Instant, sequence: number): PartialMessage {
    const partial = { bytes: NOTHING, received: new RangeSet(), total: -1, service: 0, progressAt: now };
    this.#partial.set(sequence, partial);
    return partial;
  }

  #store(
    now: Instant,
    frame: FrameReader,
    data: Uint8Array,
    partial: PartialMessage,
  ): ReceivedMessage | undefined {
    this.#grow(partial, neededBytes(frame, data.length));
    if (frame.type === FrameType.firstFragment) {
      partial.total = frame.total;
      partial.service = frame.service;
    }
    const { offset, sequence } = frame;
    partial.bytes.set(data, offset);
    if (partial.received.insert(offset, offset + data.length) > 0) partial.progressAt = now;
    if (partial.total < 0 || !partial.received.covers(0, partial.total)) return undefined;
    this.#drop(sequence);
    this.#window.settle(sequence);
    return { sequence, service: partial.service, bytes: partial.bytes };
  }

  #grow(partial: PartialMessage, length: number): void {
    if (length <= partial.bytes.length) return;
    const larger = new Uint8Array(length);
    larger.set(partial.bytes);
    this.#reserved += length - partial.bytes.length;
    partial.bytes = larger;
  }

  #drop(sequence: number): void {
    this.#reserved -= this.#partial.get(sequence)?.bytes.length ?? 0;
    this.#partial.delete(sequence);
  }
}

const NOTHING = new Uint8Array(0);

/** How long the buffer must be: a first fragment tells the whole, the others only how far they reach. */
const neededBytes = (frame: FrameReader, length: number): number =>
  frame.type === FrameType.firstFragment ? frame.total : frame.offset + length;

/** Whether a fragment contradicts what came before: another length or service, or other bytes in the same place. */
function conflicts(partial: PartialMessage, frame: FrameReader, length: number): boolean {
  const first = frame.type === FrameType.firstFragment;
  if (first && partial.total >= 0 && (partial.total !== frame.total || partial.service !== frame.service)) {
    return true;
  }
  const end = frame.offset + length;
  if (first ? partial.bytes.length > frame.total : partial.total >= 0 && end > partial.total) return true;
  const { received, bytes } = partial;
  if (received.ranges === 0 || received.end(received.ranges - 1) <= frame.offset) return false;
  const { data } = frame;
  for (let i = 0; i < received.ranges; i++) {
    const from = Math.max(received.start(i), frame.offset);
    const to = Math.min(received.end(i), end);
    for (let at = from; at < to; at++) if (bytes[at] !== data[at - frame.offset]) return true;
  }
  return false;
}
