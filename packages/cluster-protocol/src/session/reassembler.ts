import {
  after,
  earliest,
  seconds,
  SequenceWindow,
  type DropReason,
  type Duration,
  type Instant,
} from '../base/index.js';
import {
  FrameType,
  MAX_MESSAGES_UNDER_WAY,
  MESSAGE_WINDOW,
  UNGRANTED_MESSAGE,
  type FrameReader,
} from '../wire/index.js';
import type { IncomingMessage, MessageControl } from './message-control.js';
import type { MessageHolder, MessageMemory } from './message-memory.js';
import { footprint, PARTIAL_OVERHEAD, PartialMessage } from './partial-message.js';

/** Half a message without progress is thrown away after this, and its sender told: it retransmits within a second. */
export const REASSEMBLY_TIMEOUT: Duration = seconds(30);

/** Most sessions never have a message in parts: theirs are made with the first. Nothing is ever added to these. */
const NO_PARTIAL = new Map<number, PartialMessage>();
const NO_THROWN = new Map<number, IncomingMessage>();

/** Messages that begin in the packet being looked at; one for all sessions, as only one packet is. */
const newMessages = new Set<number>();

/** A complete message. */
export interface ReceivedMessage {
  readonly sequence: number;
  readonly service: number;
  /** Belongs to whom it is given. */
  readonly bytes: Uint8Array;
}

/**
 * Puts fragments together to messages, each of which comes out at most once however often it is sent. What it throws away
 * the sender hears of, and no fragment of it is acknowledged until it has: so nothing counts as delivered that is not.
 */
export class Reassembler implements MessageHolder {
  readonly #memory: MessageMemory;
  readonly #control: MessageControl;
  readonly #wake: () => void;
  /** Messages that are complete or given up: a repeated fragment of one is known however late it comes. */
  readonly #window = new SequenceWindow(MESSAGE_WINDOW);
  #partial: Map<number, PartialMessage> = NO_PARTIAL;
  /** Thrown away, and the sender may not know it yet. */
  #thrown: Map<number, IncomingMessage> = NO_THROWN;
  /** What the frames looked at since {@link Reassembler.beginPacket} would add, with {@link newMessages}. */
  #newBytes = 0;
  charged = 0;
  granted = 0;

  /** `wake` is called when there is something to send although nothing came. */
  constructor(memory: MessageMemory, control: MessageControl, wake: () => void) {
    this.#memory = memory;
    this.#control = control;
    this.#wake = wake;
  }

  /** The highest floor that the peer has told. */
  get floor(): number {
    return this.#window.floor;
  }

  /** Bytes reserved for incomplete messages. */
  get reserved(): number {
    return this.charged + this.granted;
  }

  /** Incomplete messages. */
  get size(): number {
    return this.#partial.size;
  }

  /** The peer sends nothing below `floor` any more: what is incomplete there never becomes complete. */
  raiseFloor(floor: number): void {
    if (floor <= this.#window.floor) return;
    this.#window.raise(floor);
    for (const sequence of this.#thrown.keys()) if (sequence < floor) this.#thrown.delete(sequence);
    if (this.#partial.size === 0) return;
    for (const partial of [...this.#partial.values()]) if (partial.sequence < floor) this.#drop(partial);
  }

  /** A packet is looked at before anything in it is acted on. */
  beginPacket(): void {
    if (newMessages.size > 0) newMessages.clear();
    this.#newBytes = 0;
  }

  /** Why the packet with this fragment cannot be taken; its sender will send the contents again. */
  refuses(now: Instant, frame: FrameReader): DropReason | undefined {
    const { sequence, offset } = frame;
    if (this.#window.has(sequence)) return undefined;
    if (this.#thrown.has(sequence)) return 'reassemblyFull';
    const end = offset + frame.dataEnd - frame.dataStart;
    const partial = this.#partial.get(sequence);
    if (partial === undefined) {
      if (frame.type === FrameType.firstFragment && end === frame.total) return undefined;
      newMessages.add(sequence);
      const messages = this.#partial.size + this.#thrown.size + newMessages.size;
      if (messages > MAX_MESSAGES_UNDER_WAY) return 'reassemblyFull';
      this.#newBytes += PARTIAL_OVERHEAD + footprint(end);
    } else {
      if (partial.conflicts(frame)) return 'fragmentConflict';
      if (partial.crowded(offset, end)) return 'reassemblyFull';
      this.#newBytes += partial.growth(end);
    }
    if (end > UNGRANTED_MESSAGE && partial?.mayGrow !== true) return 'reassemblyFull';
    return this.#memory.makeRoom(now, this, this.#newBytes) ? undefined : 'reassemblyFull';
  }

  /**
   * Takes a fragment: gives the message when it is complete, `undefined` while it is not, or why the fragment was dropped.
   */
  take(now: Instant, frame: FrameReader): ReceivedMessage | DropReason | undefined {
    const { sequence } = frame;
    if (frame.type === FrameType.firstFragment) this.raiseFloor(frame.floor);
    if (this.#window.has(sequence)) return 'duplicateMessage';
    const { data } = frame;
    const known = this.#partial.get(sequence);
    if (known === undefined && frame.type === FrameType.firstFragment && data.length === frame.total) {
      this.#window.add(sequence);
      return { sequence, service: frame.service, bytes: new Uint8Array(data) };
    }
    // Two fragments of one packet may contradict each other.
    if (known?.conflicts(frame) === true) return 'fragmentConflict';
    const partial = known ?? this.#begin(now, sequence);
    partial.store(now, frame, data);
    if (partial.whole) {
      const message = { sequence, service: partial.service, bytes: partial.assemble() };
      this.#window.add(sequence);
      this.#drop(partial);
      return message;
    }
    if (frame.type === FrameType.firstFragment && partial.waits) this.#memory.request(partial);
    return undefined;
  }

  /** The sender has given a message up: whatever comes of it is a repetition. */
  abandon(sequence: number, floor: number): void {
    this.raiseFloor(floor);
    if (this.#window.has(sequence)) return;
    this.#window.add(sequence);
    this.#thrown.delete(sequence);
    const partial = this.#partial.get(sequence);
    if (partial !== undefined) this.#drop(partial);
  }

  /** The sender knows that what it sent of a message is gone. */
  repeatArrived(message: IncomingMessage): void {
    if (this.#thrown.get(message.sequence) === message) this.#thrown.delete(message.sequence);
  }

  grant(message: PartialMessage): void {
    this.#control.grant(message);
    this.#wake();
  }

  throwAway(message: PartialMessage): void {
    this.#drop(message);
    if (this.#thrown === NO_THROWN) this.#thrown = new Map();
    this.#thrown.set(message.sequence, message);
    this.#control.repeat(message);
    this.#wake();
  }

  /** When {@link Reassembler.expire} is to be called. */
  get nextExpiry(): Instant | undefined {
    if (this.#partial.size === 0) return undefined;
    let next: Instant | undefined;
    let waits = false;
    for (const partial of this.#partial.values()) {
      if (partial.waits) waits = true;
      else next = earliest(next, after(partial.progressAt, REASSEMBLY_TIMEOUT));
    }
    return waits ? earliest(next, this.#memory.overdueAt) : next;
  }

  /** Throws away what made no progress for too long; what waits for its grant cannot make any. */
  expire(now: Instant): void {
    this.#memory.takeBack(now);
    for (const partial of [...this.#partial.values()])
      if (!partial.waits && after(partial.progressAt, REASSEMBLY_TIMEOUT) <= now) this.throwAway(partial);
  }

  /** Forgets everything: the session is closed. */
  clear(): void {
    for (const partial of [...this.#partial.values()]) this.#drop(partial);
    this.#thrown.clear();
  }

  #begin(now: Instant, sequence: number): PartialMessage {
    const partial = new PartialMessage(now, sequence, this, this.#memory);
    if (this.#partial === NO_PARTIAL) this.#partial = new Map();
    this.#partial.set(sequence, partial);
    return partial;
  }

  #drop(partial: PartialMessage): void {
    this.#partial.delete(partial.sequence);
    partial.clear();
  }
}
