import { MESSAGE_WINDOW, UNGRANTED_MESSAGE } from '../wire/index.js';
import { RangeSet } from './range-set.js';
import type { FrameCarrier } from './sent-frame.js';

/** A message to send. */
export interface OutboundMessage {
  /** Its number in the sender's outbox: an integer from 0 to 2^53 − 1, not used for another message of this session. */
  readonly sequence: number;
  /**
   * The lowest sequence that may still be sent to this peer, at most `sequence`; a function is asked whenever the message
   * is sent. A message waits while it lies 1,024 or more above.
   */
  readonly floor: number | (() => number);
  /** The service that the message is for, 0 to 2^32 − 1. */
  readonly service: number;
  /** At most 16 MiB; kept by reference until acknowledged or cancelled, and not to be changed until then. */
  readonly bytes: Uint8Array;
  /** 0 (first) to 7 (last); 4 unless given. */
  readonly priority?: number;
}

/** Who must know when a message changes. */
export interface MessageOwner {
  /** Every byte of it is acknowledged. */
  completed(message: OutgoingMessage): void;
  /** So many bytes of it are to be sent again. */
  revived(message: OutgoingMessage, bytes: number): void;
  /** Everything that may be sent without a grant is acknowledged. */
  stalled(message: OutgoingMessage): void;
  /** Nothing of it waits to be sent any more. */
  exhausted(message: OutgoingMessage): void;
}

/**
 * The sender's side of one message: what waits to be sent, what is acknowledged. A message that fits one packet is always
 * sent whole, unless the path becomes too narrow for it; a larger one in fragments, each retransmission cut anew.
 */
export class OutgoingMessage implements FrameCarrier {
  readonly sequence: number;
  readonly service: number;
  readonly bytes: Uint8Array;
  readonly priority: number;
  /** Whether it is sent whole, in one packet. */
  small: boolean;
  readonly #floor: number | (() => number);
  readonly #owner: MessageOwner;
  /** Large messages: what the peer has, and what was lost and waits to be sent again. */
  #acknowledged: RangeSet | undefined;
  #lost: RangeSet | undefined;
  /** Everything from here on was never sent. */
  #frontier = 0;
  /** Small messages: whether it waits to be sent. */
  #waiting = true;

  /** The bytes before may be sent. */
  #limit: number;
  /** Whether nothing but a grant is missing. */
  stalled = false;
  /** Completed or cancelled: nothing about it matters any more. */
  finished = false;
  /** Links of the list it is in; only the list touches them. */
  previous: OutgoingMessage | undefined = undefined;
  following: OutgoingMessage | undefined = undefined;
  list: MessageList | undefined = undefined;

  constructor(message: OutboundMessage, priority: number, small: boolean, owner: MessageOwner) {
    this.sequence = message.sequence;
    this.service = message.service;
    this.bytes = message.bytes;
    this.priority = priority;
    this.small = small;
    this.#limit = Math.min(this.bytes.length, UNGRANTED_MESSAGE);
    this.#floor = message.floor;
    this.#owner = owner;
    this.#acknowledged = small ? undefined : new RangeSet();
    this.#lost = small ? undefined : new RangeSet();
  }

  /** The lowest sequence that the sender may still send, never above this message's own. */
  get floor(): number {
    const floor = typeof this.#floor === 'number' ? this.#floor : this.#floor();
    return Math.max(0, Math.min(floor, this.sequence));
  }

  /** Whether it lies inside the receiver's window. */
  get admissible(): boolean {
    return this.sequence - this.floor < MESSAGE_WINDOW;
  }

  /** Bytes of it that were ever sent, if it takes several packets. */
  get sentBytes(): number {
    return this.#frontier;
  }

  /** Whether it has to be granted to be sent whole. */
  get large(): boolean {
    return this.bytes.length > UNGRANTED_MESSAGE;
  }

  /** All of it may be sent. */
  grant(): void {
    this.#limit = this.bytes.length;
    this.stalled = false;
  }

  /** A packet does not hold it any more, because the path became narrower: it is sent in fragments from now on. */
  cut(): void {
    this.small = false;
    this.#acknowledged = new RangeSet();
    this.#lost = new RangeSet();
  }

  /** The same message as if nothing of it had been sent: acknowledgements of what was are of no use any more. */
  restarted(): OutgoingMessage {
    const { sequence, service, bytes } = this;
    return new OutgoingMessage(
      { sequence, service, bytes, floor: this.#floor },
      this.priority,
      false,
      this.#owner,
    );
  }

  /** Whether anything waits to be sent. */
  get sendable(): boolean {
    if (this.small) return this.#waiting;
    return this.#frontier < this.#limit || this.#lost!.ranges > 0;
  }

  /** Where the next fragment begins: lost parts come first. */
  get nextOffset(): number {
    return this.#lost !== undefined && this.#lost.ranges > 0 ? this.#lost.start(0) : this.#frontier;
  }

  /** How many bytes from there may be in one fragment. */
  get nextLength(): number {
    if (this.#lost !== undefined && this.#lost.ranges > 0) return this.#lost.end(0) - this.#lost.start(0);
    return this.#limit - this.#frontier;
  }

  /** `length` bytes from {@link OutgoingMessage.nextOffset} go out. */
  sent(offset: number, length: number): void {
    if (this.small) this.#waiting = false;
    else if (offset < this.#frontier) this.#lost!.remove(offset, offset + length);
    else this.#frontier = offset + length;
  }

  acknowledged(offset: number, length: number): void {
    if (this.finished) return;
    if (this.small) {
      this.#owner.completed(this);
      return;
    }
    this.#acknowledged!.insert(offset, offset + length);
    this.#lost!.remove(offset, offset + length);
    if (this.#acknowledged!.covers(0, this.bytes.length)) this.#owner.completed(this);
    else if (!this.sendable) {
      this.#owner.exhausted(this);
      if (this.stalled || this.#limit === this.bytes.length) return;
      if (!this.#acknowledged!.covers(0, this.#limit)) return;
      this.stalled = true;
      this.#owner.stalled(this);
    }
  }

  lost(offset: number, length: number): void {
    if (this.finished) return;
    if (this.small) {
      this.#waiting = true;
    } else {
      const lost = this.#lost!;
      const known = this.#acknowledged!;
      lost.insert(offset, offset + length);
      const end = offset + length;
      for (let i = known.rangeAt(offset); i < known.ranges && known.start(i) < end; i++)
        lost.remove(known.start(i), known.end(i));
    }
    if (this.sendable) this.#owner.revived(this, length);
  }
}

/** A list of messages through their own links: joining and leaving anywhere cost nothing. */
export class MessageList {
  #first: OutgoingMessage | undefined;
  #last: OutgoingMessage | undefined;

  get first(): OutgoingMessage | undefined {
    return this.#first;
  }

  append(message: OutgoingMessage): void {
    message.previous = this.#last;
    message.following = undefined;
    message.list = this;
    if (this.#last === undefined) this.#first = message;
    else this.#last.following = message;
    this.#last = message;
  }

  prepend(message: OutgoingMessage): void {
    message.previous = undefined;
    message.following = this.#first;
    message.list = this;
    if (this.#first === undefined) this.#last = message;
    else this.#first.previous = message;
    this.#first = message;
  }

  remove(message: OutgoingMessage): void {
    if (message.previous === undefined) this.#first = message.following;
    else message.previous.following = message.following;
    if (message.following === undefined) this.#last = message.previous;
    else message.following.previous = message.previous;
    message.previous = undefined;
    message.following = undefined;
    message.list = undefined;
  }
}
