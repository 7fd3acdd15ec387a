import { after, ClusterError, type Duration, earliest, type Instant } from '../base/index.js';
import { MAX_MESSAGE, MESSAGE_WINDOW } from '../wire/index.js';

/** Bytes that may wait for one peer: two of the largest messages. */
const MAX_WAITING_BYTES = 2 * MAX_MESSAGE;
const FIRST_SEQUENCE = 1;

/** How a message is to be sent. */
export interface SendOptions {
  /** After this the message is not sent any more, and `undelivered` tells so. Absent: waits for as long as it takes. */
  readonly expiresIn?: Duration;
  /** 0 (first) to 7 (last). Default 4. */
  readonly priority?: number;
  /** Class `latest`: a newer message with the same key takes the place of one that is still waiting. */
  readonly supersedes?: string;
  /**
   * It must have one effect, restarts of the peer included: the peer keeps a lasting record of it. If any of it was sent
   * and the peer has lost its memory since, it is held back until {@link ClusterNode.release} or `cancel`. Without this
   * a message is delivered once a process of the peer. Default false.
   */
  readonly once?: boolean;
}

/** A message that was not acknowledged yet. */
export interface OutboxEntry {
  readonly sequence: number;
  readonly service: number;
  readonly bytes: Uint8Array;
  readonly priority: number;
  readonly expiresAt: Instant | undefined;
  readonly key: string | undefined;
  /** Whether any of it may have reached the peer. */
  sent: boolean;
  readonly once: boolean;
  /** Life of the peer's inbox to which it was handed last, hexadecimal; empty while `sent` is false. */
  sentTo: string;
  /** The peer cannot tell whether it had it: it goes nowhere until somebody decides. */
  undecided: boolean;
}

const NONE: readonly OutboxEntry[] = [];

/**
 * Messages to one peer until they are acknowledged; outlives sessions and ends with the process, as its incarnation
 * does. Sequences count from 1, and those under way span less than the receiver's window.
 */
export class Outbox {
  readonly #entries = new Map<number, OutboxEntry>();
  #next = FIRST_SEQUENCE;
  #bytes = 0;
  /** Entries that expire at all, and a moment before which none of them does: most turns need no look at the entries. */
  #expiring = 0;
  #expiryFloor: Instant | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** The next sequence to be given. */
  get next(): number {
    return this.#next;
  }

  /** The lowest sequence that may still be sent. */
  get floor(): number {
    const first = this.#entries.keys().next();
    return first.done === true ? this.#next : first.value;
  }

  /** Adds a message and tells which entry it replaces, if any. Throws `MESSAGE_TOO_LARGE` or `QUEUE_FULL`. */
  push(
    now: Instant,
    service: number,
    bytes: Uint8Array,
    options: SendOptions,
  ): { readonly entry: OutboxEntry; readonly superseded: OutboxEntry | undefined } {
    if (bytes.length > MAX_MESSAGE)
      throw new ClusterError(
        'MESSAGE_TOO_LARGE',
        `a message holds at most ${MAX_MESSAGE} bytes, not ${bytes.length}; larger things go as a stream`,
      );
    if (this.#next - this.floor >= MESSAGE_WINDOW || this.#bytes + bytes.length > MAX_WAITING_BYTES)
      throw new ClusterError(
        'QUEUE_FULL',
        `${this.#entries.size} messages (${this.#bytes} bytes) wait for this peer already; at most ${MESSAGE_WINDOW} and ` +
          `${MAX_WAITING_BYTES} bytes do`,
      );
    const superseded = options.supersedes === undefined ? undefined : this.#find(options.supersedes);
    if (superseded) this.remove(superseded.sequence);
    const entry: OutboxEntry = {
      sequence: this.#next++,
      service,
      bytes,
      priority: options.priority ?? 4,
      expiresAt: options.expiresIn === undefined ? undefined : after(now, options.expiresIn),
      key: options.supersedes,
      sent: false,
      once: options.once ?? false,
      sentTo: '',
      undecided: false,
    };
    this.#entries.set(entry.sequence, entry);
    this.#bytes += bytes.length;
    if (entry.expiresAt !== undefined) {
      this.#expiring++;
      this.#expiryFloor = earliest(this.#expiryFloor, entry.expiresAt);
    }
    return { entry, superseded };
  }

  /** A message that waits. */
  get(sequence: number): OutboxEntry | undefined {
    return this.#entries.get(sequence);
  }

  /** Takes a message out: acknowledged, cancelled or expired. */
  remove(sequence: number): OutboxEntry | undefined {
    const entry = this.#entries.get(sequence);
    if (!entry) return undefined;
    this.#entries.delete(sequence);
    this.#bytes -= entry.bytes.length;
    if (entry.expiresAt !== undefined && --this.#expiring === 0) this.#expiryFloor = undefined;
    return entry;
  }

  /** Everything that waits, oldest first. */
  entries(): Iterable<OutboxEntry> {
    return this.#entries.values();
  }

  /** Takes out what has expired. */
  expire(now: Instant): readonly OutboxEntry[] {
    if (this.#expiryFloor === undefined || this.#expiryFloor > now) return NONE;
    const expired: OutboxEntry[] = [];
    let next: Instant | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.expiresAt === undefined) continue;
      if (entry.expiresAt <= now) expired.push(entry);
      else next = earliest(next, entry.expiresAt);
    }
    for (const entry of expired) this.remove(entry.sequence);
    this.#expiryFloor = next;
    return expired;
  }

  /** When {@link expire} is to be called: no message expires before, and perhaps none does then. `undefined`: none ever. */
  get nextExpiry(): Instant | undefined {
    return this.#expiryFloor;
  }

  #find(key: string): OutboxEntry | undefined {
    for (const entry of this.#entries.values()) if (entry.key === key) return entry;
    return undefined;
  }
}
