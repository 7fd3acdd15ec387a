import { ClusterError } from '../base/index.js';
import {
  FrameType,
  LOWEST_PRIORITY,
  MAX_MESSAGE,
  MESSAGE_WINDOW,
  firstFragmentLength,
  fragmentLength,
  writeFirstFragment,
  writeFragment,
} from '../wire/index.js';
import { MessageList, OutgoingMessage, type MessageOwner, type OutboundMessage } from './outgoing-message.js';
import type { PacketContents } from './packet-contents.js';

/** Messages that wait to be sent or acknowledged: four windows, so that a full one never starves the link. */
export const MAX_QUEUED_MESSAGES = 4_096;

/** Bytes that they may hold together. */
export const MAX_QUEUED_BYTES: number = 64 * 1_024 * 1_024;

/**
 * Large messages under way at once, and their bytes: half and all of what a receiver reassembles (64 messages, 1 MiB), so
 * that an honest sender is never refused.
 */
const MAX_UNDER_WAY = 32;
const MAX_UNDER_WAY_BYTES = 1_024 * 1_024;

/** A shorter fragment waits for the next packet unless it ends its part: headers would outweigh it. */
const MIN_FRAGMENT = 64;

/** Type, sequence, total length, service, distance to the floor, priority, length: each as long as it can be. */
const MAX_FIRST_HEADER: number = 1 + 8 + 4 + 8 + 2 + 1 + 2;

const DEFAULT_PRIORITY = 4;
const MAX_SERVICE = 0xffff_ffff;
const PRIORITIES: number = LOWEST_PRIORITY + 1;

/**
 * Messages on their way out. The lowest priority number goes first; within one, messages take turns fragment by
 * fragment in order of age, so that a large one never holds up a small one. Lost parts go before new ones.
 */
export class MessageQueue implements MessageOwner {
  readonly #all = new Map<number, OutgoingMessage>();
  /** What may be written now. */
  readonly #ready: readonly MessageList[] = Array.from({ length: PRIORITIES }, () => new MessageList());
  /** Large ones that wait until fewer are under way. */
  readonly #waiting: readonly MessageList[] = Array.from({ length: PRIORITIES }, () => new MessageList());
  /** What lies too far above its floor, in the order it came. */
  readonly #held = new MessageList();
  readonly #smallLimit: number;
  readonly #onCompleted: (sequence: number) => void;
  #bytes = 0;
  #readyMask = 0;
  #heldCount = 0;
  readonly #underWay = new Set<OutgoingMessage>();
  #underWayBytes = 0;
  /** Frames that repeat what was sent before. */
  retransmissions = 0;

  /** `packetRoom` is how many bytes of frames fit a packet. */
  constructor(packetRoom: number, onCompleted: (sequence: number) => void) {
    this.#smallLimit = packetRoom - MAX_FIRST_HEADER;
    this.#onCompleted = onCompleted;
  }

  /** Messages that the peer should acknowledge: all but those that their floor holds back. */
  get size(): number {
    return this.#all.size - this.#heldCount;
  }

  /** Queues a message. Throws on misuse and when the queue is full. */
  add(message: OutboundMessage): void {
    const priority = message.priority ?? DEFAULT_PRIORITY;
    check(message, priority);
    if (this.#all.has(message.sequence)) {
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `message ${message.sequence} is already being sent; use a new sequence`,
      );
    }
    const full =
      this.#all.size >= MAX_QUEUED_MESSAGES || this.#bytes + message.bytes.length > MAX_QUEUED_BYTES;
    if (full) {
      throw new ClusterError(
        'QUEUE_FULL',
        `${this.#all.size} messages of ${this.#bytes} bytes wait for this peer; wait for acknowledgements before sending more`,
      );
    }
    const outgoing = new OutgoingMessage(message, priority, message.bytes.length <= this.#smallLimit, this);
    this.#all.set(outgoing.sequence, outgoing);
    this.#bytes += outgoing.bytes.length;
    // One that is held keeps those behind it waiting: they lie no nearer to the floor.
    if (this.#held.first === undefined && outgoing.admissible) this.#makeReady(outgoing);
    else this.#list(this.#held, outgoing);
  }

  /** Stops sending a message; `false` when it is acknowledged or unknown. The peer may have it nevertheless. */
  cancel(sequence: number): boolean {
    const message = this.#all.get(sequence);
    if (message === undefined) return false;
    this.#finish(message);
    return true;
  }

  /** Whether anything may be written now. Asks the floors of messages that are held. */
  get sendable(): boolean {
    this.#admit();
    return this.#readyMask !== 0;
  }

  /** A bit for each priority at which something may be written, once {@link MessageQueue.sendable} was asked. */
  get readyPriorities(): number {
    return this.#readyMask;
  }

  /**
   * Writes fragments of one priority, as many as fit before `limit`, and records them in `contents`; returns the offset
   * behind them.
   */
  write(into: Uint8Array, offset: number, limit: number, priority: number, contents: PacketContents): number {
    let at = offset;
    const ready = this.#ready[priority]!;
    for (let message = ready.first; message !== undefined; message = ready.first) {
      if (!message.small && !this.#mayStart(message)) {
        this.#unlist(message);
        this.#list(this.#waiting[priority]!, message);
        continue;
      }
      const end = this.#writeOne(message, into, at, limit, contents);
      if (end === at) return at;
      at = end;
      this.#unlist(message);
      if (message.sendable) this.#list(ready, message);
    }
    return at;
  }

  completed(message: OutgoingMessage): void {
    this.#finish(message);
    this.#onCompleted(message.sequence);
  }

  revived(message: OutgoingMessage): void {
    this.retransmissions++;
    this.#unlist(message);
    const ready = this.#ready[message.priority]!;
    ready.prepend(message);
    this.#readyMask |= 1 << message.priority;
  }

  exhausted(message: OutgoingMessage): void {
    this.#unlist(message);
  }

  /** Forgets everything: the session is closed. */
  clear(): void {
    for (const message of [...this.#all.values()]) this.#finish(message);
  }

  #writeOne(
    message: OutgoingMessage,
    into: Uint8Array,
    offset: number,
    limit: number,
    contents: PacketContents,
  ): number {
    const { sequence, service, bytes } = message;
    const start = message.nextOffset;
    const floor = start === 0 ? message.floor : 0;
    const most = Math.min(message.nextLength, limit - offset);
    const header =
      start === 0
        ? firstFragmentLength(sequence, floor, service, bytes.length, most) - most
        : fragmentLength(sequence, start, most) - most;
    const length = Math.min(most, limit - offset - header);
    const least = message.small ? bytes.length : Math.min(MIN_FRAGMENT, message.nextLength);
    if (length < least || limit - offset < header) return offset;
    const end =
      start === 0
        ? writeFirstFragment(into, offset, sequence, floor, service, message.priority, bytes, length)
        : writeFragment(into, offset, sequence, bytes, start, length);
    message.sent(start, length);
    contents.carry(start === 0 ? FrameType.firstFragment : FrameType.fragment, message, start, length);
    if (!message.small && !this.#underWay.has(message)) {
      this.#underWay.add(message);
      this.#underWayBytes += bytes.length;
    }
    return end;
  }

  #mayStart(message: OutgoingMessage): boolean {
    if (this.#underWay.has(message)) return true;
    if (this.#underWay.size >= MAX_UNDER_WAY) return false;
    return this.#underWayBytes + message.bytes.length <= MAX_UNDER_WAY_BYTES;
  }

  /** Lets in what its floor held back. */
  #admit(): void {
    for (let message = this.#held.first; message?.admissible; message = this.#held.first) {
      this.#unlist(message);
      this.#makeReady(message);
    }
  }

  #makeReady(message: OutgoingMessage): void {
    this.#list(this.#ready[message.priority]!, message);
  }

  #finish(message: OutgoingMessage): void {
    message.finished = true;
    this.#all.delete(message.sequence);
    this.#bytes -= message.bytes.length;
    this.#unlist(message);
    if (!this.#underWay.delete(message)) return;
    this.#underWayBytes -= message.bytes.length;
    for (const waiting of this.#waiting) {
      for (let next = waiting.first; next !== undefined; next = waiting.first) {
        this.#unlist(next);
        this.#makeReady(next);
      }
    }
  }

  #list(list: MessageList, message: OutgoingMessage): void {
    list.append(message);
    if (list === this.#ready[message.priority]) this.#readyMask |= 1 << message.priority;
    else if (list === this.#held) this.#heldCount++;
  }

  #unlist(message: OutgoingMessage): void {
    const { list } = message;
    if (list === undefined) return;
    list.remove(message);
    if (list === this.#ready[message.priority]) {
      if (list.first === undefined) this.#readyMask &= ~(1 << message.priority);
    } else if (list === this.#held) this.#heldCount--;
  }
}

function check(message: OutboundMessage, priority: number): void {
  const { sequence, service, bytes, floor } = message;
  if (!Number.isSafeInteger(sequence) || sequence < 0)
    throw wrong(sequence, 'the sequence is not an integer from 0 to 2^53 − 1');
  if (!Number.isInteger(service) || service < 0 || service > MAX_SERVICE)
    throw wrong(sequence, `the service ${service} is not an integer from 0 to 2^32 − 1`);
  if (!Number.isInteger(priority) || priority < 0 || priority > LOWEST_PRIORITY)
    throw wrong(sequence, `the priority ${priority} is not an integer from 0 to ${LOWEST_PRIORITY}`);
  if (typeof floor === 'number' && sequence - floor >= MESSAGE_WINDOW) {
    throw wrong(
      sequence,
      `it lies ${sequence - floor} above the floor ${floor}, where less than ${MESSAGE_WINDOW} can be received`,
    );
  }
  if (bytes.length > MAX_MESSAGE) {
    throw new ClusterError(
      'MESSAGE_TOO_LARGE',
      `message ${sequence} has ${bytes.length} bytes; a message has at most ${MAX_MESSAGE}, larger things go as a stream`,
    );
  }
}

const wrong = (sequence: number, what: string): ClusterError =>
  new ClusterError('INVALID_ARGUMENT', `message ${sequence}: ${what}`);
