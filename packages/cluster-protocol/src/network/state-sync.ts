import { elapsed, malformed, minutes, parsed, sameBytes, wallTime } from '../base/index.js';
import type { DropReason, Duration, Instant, Parsed, WallTime } from '../base/index.js';
import { Reader } from '../wire/reader.js';
import { encodeWith } from '../wire/writer.js';
import {
  DIGEST_LENGTH,
  MAX_HEAD_LENGTH,
  decodeHead,
  encodeHead,
  type StateDigests,
  type StateHead,
} from './head.js';
import { sameDigests, type NetworkState } from './network-state.js';
import { MAX_RECORD_LENGTH, decodeRecord, encodeRecord, type StateRecord } from './record.js';
import type { StateEvent } from './state-event.js';
import { NO_VERSION, compareVersions } from './state-version.js';

/** Longest message of service 1: below the longest message of a session, with room for its frame. */
export const MAX_SYNC_MESSAGE_LENGTH = 61_440;

/** How often at most everything is sent to one peer because digests differ: two nodes that disagree must not spin. */
export const FULL_EXCHANGE_INTERVAL: Duration = minutes(10);

/** Bytes of records that a peer may send at once: the largest state there is. */
export const SYNC_BURST_BYTES: number = 8 * 1024 * 1024;

/** How fast the allowance of a peer grows again, in bytes a millisecond. */
const SYNC_REFILL = 16;

/** A message of service 1 (docs/spec/05-network.md, section 6). */
export type SyncMessage =
  /** Where the sender stands. `settled`: it follows the records that the sender had to send. */
  | {
      readonly type: 'heads';
      readonly settled: boolean;
      readonly head: StateHead | undefined;
      readonly digests: StateDigests;
      /** What the sender's clock reads; only from one whose clock counts. */
      readonly time?: WallTime | undefined;
    }
  | { readonly type: 'records'; readonly records: readonly StateRecord[] };

/** What to do after a call into {@link StateSync}. */
export interface SyncOutput {
  /** Messages of service 1 to the peer, in this order. */
  readonly send: readonly Uint8Array[];
  readonly events: readonly StateEvent[];
  /** Records that count since this call: `announce` them to all other peers. */
  readonly applied: readonly StateRecord[];
  /** The time that the peer stated: to be held against our clock (`TrustedTime.observeMember`). */
  readonly stated?: WallTime | undefined;
  /** The peer's message was dropped. */
  readonly dropped?: DropReason;
}

const Type = { heads: 1, records: 2 } as const;
const Flag = { head: 1, settled: 2, time: 4 } as const;
const ALL_FLAGS = 7;

/** The one encoding of a message. */
export function encodeSyncMessage(message: SyncMessage): Uint8Array {
  return encodeWith(MAX_SYNC_MESSAGE_LENGTH, writer => {
    if (message.type === 'records') {
      writer.uint8(Type.records).varint(message.records.length);
      for (const record of message.records) writer.block(encodeRecord(record));
      return;
    }
    const { head, settled, digests, time } = message;
    const flags =
      (head ? Flag.head : 0) | (settled ? Flag.settled : 0) | (time === undefined ? 0 : Flag.time);
    writer.uint8(Type.heads).uint8(flags);
    if (time !== undefined) writer.uint48(Math.floor(time));
    if (head) writer.block(encodeHead(head));
    writer.bytes(digests.security).bytes(digests.directory);
  });
}

/** The inverse of {@link encodeSyncMessage}; no signature is checked yet. */
export function decodeSyncMessage(bytes: Uint8Array): Parsed<SyncMessage> {
  if (bytes.length > MAX_SYNC_MESSAGE_LENGTH) return malformed;
  const reader = new Reader(bytes);
  const type = reader.uint8();
  if (type === Type.records) {
    const count = reader.varint();
    const records: StateRecord[] = [];
    for (let i = 0; i < count && !reader.failed; i++) {
      const record = decodeRecord(reader.block(MAX_RECORD_LENGTH));
      if (!record.ok) return malformed;
      records.push(record.value);
    }
    return reader.complete ? parsed({ type: 'records', records }) : malformed;
  }
  const flags = reader.uint8();
  const time = (flags & Flag.time) === 0 ? undefined : wallTime(reader.uint48());
  const head = (flags & Flag.head) === 0 ? undefined : decodeHead(reader.block(MAX_HEAD_LENGTH));
  const digests = {
    security: reader.bytes(DIGEST_LENGTH).slice(),
    directory: reader.bytes(DIGEST_LENGTH).slice(),
  };
  if (!reader.complete || type !== Type.heads || flags > ALL_FLAGS || head?.ok === false) return malformed;
  return parsed({ type: 'heads', settled: (flags & Flag.settled) !== 0, head: head?.value, digests, time });
}

/**
 * Keeps the states of this node and of one peer the same, for the life of one session. Both say where they stand; the
 * newer side sends what the other's head does not cover; if the digests still differ after that, each sends everything
 * once. Because merging gives the same result in any order, both then hold the same.
 */
export class StateSync {
  readonly #state: NetworkState;
  #peerDigests: StateDigests | undefined;
  #fullAt: Instant | undefined;
  #allowance = SYNC_BURST_BYTES;
  #allowanceAt: Instant | undefined;

  constructor(state: NetworkState) {
    this.#state = state;
  }

  /**
   * When the session is there, and again whenever the states should be compared anew. `time`: what our clock reads, if it
   * counts; the peer may hold its own against it.
   */
  start(time?: WallTime): SyncOutput {
    return { send: [this.#heads(false, time)], events: [], applied: [] };
  }

  /** `records` or a new head came from somewhere else: passes them on, unless the peer showed that it has them. */
  announce(records: readonly StateRecord[]): SyncOutput {
    const isKnown = this.#peerDigests !== undefined && sameDigests(this.#peerDigests, this.#state.digests);
    const send = [...(isKnown ? [] : batches(records)), this.#heads(true)];
    return { send, events: [], applied: [] };
  }

  /** A message of service 1 came from the peer. Never throws. */
  handleMessage(now: Instant, bytes: Uint8Array): SyncOutput {
    const message = decodeSyncMessage(bytes);
    if (!message.ok) return dropped('malformed');
    if (message.value.type === 'heads') return this.#handleHeads(now, message.value);
    if (!this.#spend(now, bytes.length)) return dropped('rateLimited');
    const { records } = message.value;
    const { events, applied } = this.#state.apply(records);
    // What came may give weight to records that we hold and that did not count before: the peer cannot know those.
    const awakened = applied.filter(
      record => !records.some(({ signature }) => sameBytes(signature, record.signature)),
    );
    const send = awakened.length > 0 ? [...batches(awakened), this.#heads(true)] : [];
    return { send, events, applied };
  }

  #handleHeads(
    now: Instant,
    { head, settled, digests, time: stated }: Extract<SyncMessage, { type: 'heads' }>,
  ): SyncOutput {
    this.#peerDigests = digests;
    const own = this.#state.version;
    const theirs = head?.order ?? NO_VERSION;
    const { events } = head ? this.#state.applyHead(head) : { events: [] };
    const send: Uint8Array[] = [];
    const order = compareVersions(own, theirs);
    if (!sameDigests(digests, this.#state.digests)) {
      // A peer that is ahead and has just begun sends of its own accord: it hears our head as we heard its.
      if (order > 0 && !settled) send.push(...batches(this.#state.changesSince(theirs)), this.#heads(true));
      else if ((order === 0 || settled) && this.#mayExchangeAll(now))
        send.push(...batches(this.#differing(digests)), this.#heads(true));
    } else if (order > 0 && !settled) send.push(this.#heads(true));
    return { send, events, applied: [], stated };
  }

  /** The records of the sections whose digests differ. */
  #differing(theirs: StateDigests): readonly StateRecord[] {
    const own = this.#state.digests;
    const sections = (['security', 'directory'] as const).filter(
      section => !sameBytes(own[section], theirs[section]),
    );
    return sections.length === 2
      ? this.#state.records()
      : sections.flatMap(section => this.#state.records(section));
  }

  #mayExchangeAll(now: Instant): boolean {
    if (this.#fullAt !== undefined && elapsed(this.#fullAt, now) < FULL_EXCHANGE_INTERVAL) return false;
    this.#fullAt = now;
    return true;
  }

  #spend(now: Instant, bytes: number): boolean {
    const refill = this.#allowanceAt === undefined ? 0 : elapsed(this.#allowanceAt, now) * SYNC_REFILL;
    this.#allowanceAt = now;
    this.#allowance = Math.min(SYNC_BURST_BYTES, this.#allowance + refill);
    if (bytes > this.#allowance) return false;
    this.#allowance -= bytes;
    return true;
  }

  #heads(settled: boolean, time?: WallTime): Uint8Array {
    return encodeSyncMessage({
      type: 'heads',
      settled,
      time,
      head: this.#state.head,
      digests: this.#state.digests,
    });
  }
}

const dropped = (reason: DropReason): SyncOutput => ({ send: [], events: [], applied: [], dropped: reason });

/** Type byte, count, and two length bytes a record. */
const MESSAGE_OVERHEAD = 1 + 8;

function batches(records: readonly StateRecord[]): readonly Uint8Array[] {
  const messages: Uint8Array[] = [];
  let batch: StateRecord[] = [];
  let size = MESSAGE_OVERHEAD;
  const flush = (): void => {
    if (batch.length > 0) messages.push(encodeSyncMessage({ type: 'records', records: batch }));
    batch = [];
    size = MESSAGE_OVERHEAD;
  };
  for (const record of records) {
    const length = 2 + encodeRecord(record).length;
    if (size + length > MAX_SYNC_MESSAGE_LENGTH) flush();
    batch.push(record);
    size += length;
  }
  flush();
  return messages;
}
