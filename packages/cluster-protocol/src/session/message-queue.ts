import { ClusterError } from '../base/index.js';
import {
  DATA_HEADER,
  FrameType,
  LOWEST_PRIORITY,
  MAX_MESSAGE,
  MAX_MESSAGES_UNDER_WAY,
  MESSAGE_WINDOW,
  firstFragmentLength,
  fragmentLength,
  writeFirstFragment,
  writeFragment,
} from '../wire/index.js';
import type { AbandonedMessage, MessageControl } from './message-control.js';
import { MessageList, OutgoingMessage, type MessageOwner, type OutboundMessage } from './outgoing-message.js';
import type { PacketContents } from './packet-contents.js';

/** Messages that wait to be sent or acknowledged: four windows, so that a full one never starves the link. */
export const MAX_QUEUED_MESSAGES = 4_096;

/** Bytes that they may hold together. */
export const MAX_QUEUED_BYTES: number = 64 * 1_024 * 1_024;

/** Messages of one priority under way that need a grant: the next one's comes while the first is being sent. */
const MAX_LARGE_UNDER_WAY = 2;

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
  /** What may be written now, by priority; a list is made when it is needed for the first time. */
  readonly #ready: (MessageList | undefined)[] = new Array<undefined>(PRIORITIES).fill(undefined);
  /** Large ones that wait until fewer are under way; made with the first. */
  #waiting: readonly MessageList[] = [];
  /** What lies too far above its floor, in the order it came. */
  readonly #held = new MessageList();
  readonly #smallLimit: number;
  readonly #control: MessageControl;
  readonly #onCompleted: (sequence: number) => void;
  #bytes = 0;
  #readyMask = 0;
  #heldCount = 0;
  /** Those that take several packets and of which the receiver may have a part, though they may be cancelled. */
  readonly #underWay = new Set<AbandonedMessage>();
  readonly #largeUnderWay: number[] = new Array<number>(PRIORITIES).fill(0);
  #stalled = 0;
  /** Frames that repeat what was sent before. */
  retransmissions = 0;
  /** Bytes of messages that were queued again. */
  retransmittedBytes = 0;

  /** `packetRoom` is how many bytes of frames fit a packet. */
  constructor(packetRoom: number, control: MessageControl, onCompleted: (sequence: number) => void) {
    this.#smallLimit = packetRoom - MAX_FIRST_HEADER;
    this.#control = control;
    this.#onCompleted = onCompleted;
  }

  /** Messages that the peer should acknowledge: all but those that their floor or the want of a grant holds back. */
  get size(): number {
    return this.#all.size - this.#heldCount - this.#stalled;
  }

  /** Whether a message waits for nothing but its grant. */
  get awaitsGrant(): boolean {
    return this.#stalled > 0;
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
        `${this.#all.size} messages of ${this.#bytes} bytes wait for this peer, of at most ${MAX_QUEUED_MESSAGES} and ` +
          `${MAX_QUEUED_BYTES} bytes; wait for acknowledgements before sending more`,
      );
    }
    const outgoing = new OutgoingMessage(message, priority, message.bytes.length <= this.#smallLimit, this);
    this.#all.set(outgoing.sequence, outgoing);
    this.#bytes += outgoing.bytes.length;
    // One that is held keeps those behind it waiting: they lie no nearer to the floor.
    if (this.#held.first === undefined && outgoing.admissible) this.#makeReady(outgoing);
    else this.#list(this.#held, outgoing);
  }

  /**
   * Stops sending a message, and lets the peer forget what it has of it; `false` when it is acknowledged or unknown. The
   * peer may have got all of it nevertheless.
   */
  cancel(sequence: number): boolean {
    const message = this.#all.get(sequence);
    if (message === undefined) return false;
    const partial = this.#underWay.has(message);
    this.#forget(message);
    if (partial) this.#control.abandon(message);
    return true;
  }

  /** The peer has forgotten what it had of a cancelled message. */
  abandonArrived(message: AbandonedMessage): void {
    if (this.#underWay.delete(message)) this.#wakeWaiting();
  }

  /** The peer lets us send all of a message. */
  granted(sequence: number): void {
    const message = this.#all.get(sequence);
    if (message === undefined) return;
    if (message.stalled) this.#stalled--;
    message.grant();
    if (message.list === undefined && message.sendable) this.#makeReady(message);
  }

  /** The peer has thrown away what it had of a message: it goes again from its beginning. */
  repeat(sequence: number): void {
    const message = this.#all.get(sequence);
    if (message === undefined || !this.#underWay.has(message)) return;
    this.#forget(message);
    this.#underWay.delete(message);
    this.retransmittedBytes += message.sentBytes;
    const again = message.restarted();
    this.#all.set(sequence, again);
    this.#bytes += again.bytes.length;
    this.#makeReady(again);
    this.#wakeWaiting();
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
    const ready = this.#readyAt(priority);
    for (let message = ready.first; message !== undefined; message = ready.first) {
      if (message.small && DATA_HEADER + MAX_FIRST_HEADER + message.bytes.length > limit) message.cut();
      if (!message.small && !this.#mayStart(message)) {
        this.#unlist(message);
        this.#list(this.#waitingAt(priority), message);
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
    this.#forget(message);
    if (this.#underWay.delete(message)) this.#wakeWaiting();
    this.#onCompleted(message.sequence);
  }

  revived(message: OutgoingMessage, bytes: number): void {
    this.retransmissions++;
    this.retransmittedBytes += message.small ? message.bytes.length : bytes;
    this.#unlist(message);
    this.#readyAt(message.priority).prepend(message);
    this.#readyMask |= 1 << message.priority;
  }

  exhausted(message: OutgoingMessage): void {
    this.#unlist(message);
  }

  stalled(): void {
    this.#stalled++;
  }

  /** Forgets everything: the session is closed. */
  clear(): void {
    for (const message of [...this.#all.values()]) this.#forget(message);
    this.#underWay.clear();
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
      if (message.large) this.#largeUnderWay[message.priority]!++;
    }
    return end;
  }

  #mayStart(message: OutgoingMessage): boolean {
    if (this.#underWay.has(message)) return true;
    if (this.#underWay.size >= MAX_MESSAGES_UNDER_WAY) return false;
    return !message.large || this.#largeUnderWay[message.priority]! < MAX_LARGE_UNDER_WAY;
  }

  /** Lets in what its floor held back. */
  #admit(): void {
    for (let message = this.#held.first; message?.admissible; message = this.#held.first) {
      this.#unlist(message);
      this.#makeReady(message);
    }
  }

  #makeReady(message: OutgoingMessage): void {
    this.#list(this.#readyAt(message.priority), message);
  }

  /** Sends nothing more of it; its peer may still have a part. */
  #forget(message: OutgoingMessage): void {
    message.finished = true;
    this.#all.delete(message.sequence);
    this.#bytes -= message.bytes.length;
    this.#unlist(message);
    if (message.stalled) this.#stalled--;
    if (message.large && this.#underWay.has(message)) this.#largeUnderWay[message.priority]!--;
  }

  /** Fewer are under way: others may begin. */
  #wakeWaiting(): void {
    for (const waiting of this.#waiting) {
      for (let next = waiting.first; next !== undefined; next = waiting.first) {
        this.#unlist(next);
        this.#makeReady(next);
      }
    }
  }

  #readyAt(priority: number): MessageList {
    return (this.#ready[priority] ??= new MessageList());
  }

  #waitingAt(priority: number): MessageList {
    if (this.#waiting.length === 0)
      this.#waiting = Array.from({ length: PRIORITIES }, () => new MessageList());
    return this.#waiting[priority]!;
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
