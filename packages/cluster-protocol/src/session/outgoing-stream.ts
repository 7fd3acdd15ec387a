import { FrameType, streamHeader, streamOpenHeader, writeStream, writeStreamOpen } from '../wire/index.js';
import type { PacketContents } from './packet-contents.js';
import { RangeSet } from './range-set.js';
import type { FrameCarrier } from './sent-frame.js';
import { StreamBytes, type StreamMemory } from './stream-memory.js';

/** A shorter piece waits for the next packet unless it is all there is: headers would outweigh it. */
const MIN_PIECE = 64;

/**
 * Our half of a stream: an `open` one takes bytes, an `ended` one repeats what was lost, a `reset` one says only that,
 * and a `finished` one has nothing to say any more.
 */
type SendState =
  | { readonly kind: 'open' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'reset'; readonly code: number }
  | { readonly kind: 'finished' };

/** Who must know what becomes of our half of a stream. */
export interface SendingOwner {
  /** Something was lost and is to be sent again. */
  revived(): void;
  /** The peer has all of it, its end included. */
  completed(): void;
  /** Bytes were acknowledged from the beginning on: there is room for new ones. */
  drained(): void;
}

/**
 * The sending half of a stream: what waits to be sent, what is acknowledged, what was lost.
 *
 * What has to arrive is counted in marks: mark 0 is the opening, mark 1 + n is byte n, and the mark behind the last byte
 * is the end. So opening, bytes and end are lost, repeated and acknowledged by one rule.
 */
export class OutgoingStream implements FrameCarrier {
  readonly id: number;
  service: number;
  priority: number;
  readonly #owner: SendingOwner;
  readonly #bytes: StreamBytes;
  readonly #acknowledged = new RangeSet();
  readonly #lost = new RangeSet();
  /** Whether the opening is to be sent even without a byte. */
  readonly #opens: boolean;
  #state: SendState = { kind: 'open' };
  /** Everything from this mark on was never sent. */
  #frontier = 0;
  /** Bytes that were written. */
  #written = 0;
  /** Bytes below are acknowledged and forgotten. */
  #released = 0;
  /** Bytes that the peer lets us send since the beginning. */
  #credit: number;

  constructor(
    id: number,
    service: number,
    priority: number,
    opens: boolean,
    credit: number,
    memory: StreamMemory,
    owner: SendingOwner,
  ) {
    this.id = id;
    this.service = service;
    this.priority = priority;
    this.#opens = opens;
    this.#credit = credit;
    this.#bytes = new StreamBytes(memory);
    this.#owner = owner;
  }

  get state(): SendState {
    return this.#state;
  }

  /** What the opener chose, which who answers repeats; to be told before anything is written. */
  adopt(service: number, priority: number): void {
    this.service = service;
    this.priority = priority;
  }

  /** Bytes that were written and not yet acknowledged. */
  get buffered(): number {
    return this.#written - this.#released;
  }

  /** Bytes that were sent at least once. */
  get sentBytes(): number {
    return Math.min(Math.max(0, this.#frontier - 1), this.#written);
  }

  /** Whether anything waits that `sessionCredit` further bytes of new data let out. */
  sendable(sessionCredit: number): boolean {
    if (this.#state.kind === 'reset' || this.#state.kind === 'finished') return false;
    if (this.#lost.ranges > 0) return true;
    if (this.#frontier === 0) return this.#opens || this.#written > 0 || this.#state.kind === 'ended';
    if (this.sentBytes === this.#written)
      return this.#state.kind === 'ended' && this.#frontier === this.#written + 1;
    return this.sentBytes < this.#credit && sessionCredit > 0;
  }

  /** Takes a copy of all bytes. */
  write(bytes: Uint8Array): void {
    this.#bytes.store(this.#written, bytes, 0, bytes.length);
    this.#written += bytes.length;
  }

  /** Nothing follows what was written. */
  end(): void {
    if (this.#state.kind === 'open') this.#state = { kind: 'ended' };
  }

  /** Gives up; tells whether there was anything to give up. */
  reset(code: number): boolean {
    if (this.#state.kind === 'reset' || this.#state.kind === 'finished') return false;
    this.#state = { kind: 'reset', code };
    this.#bytes.clear();
    return true;
  }

  /** The peer has heard of the reset, or the session has ended. */
  finish(): void {
    this.#state = { kind: 'finished' };
    this.#bytes.clear();
  }

  /** The peer lets more bytes come; a lower number than before is old news. */
  raiseCredit(credit: number): void {
    this.#credit = Math.max(this.#credit, credit);
  }

  /**
   * Writes one frame before `limit`; returns the offset behind it, `offset` itself when nothing fits or may be sent.
   * `sessionCredit` bounds bytes that were never sent.
   */
  writeFrame(
    into: Uint8Array,
    offset: number,
    limit: number,
    sessionCredit: number,
    contents: PacketContents,
  ): number {
    if (!this.sendable(sessionCredit)) return offset;
    const again = this.#lost.ranges > 0;
    const mark = again ? this.#lost.start(0) : this.#frontier;
    const opening = mark <= 1;
    const start = Math.max(0, mark - 1);
    const newBytes = Math.min(this.#credit, this.sentBytes + sessionCredit, this.#written);
    const wanted = Math.max(0, (again ? Math.min(this.#lost.end(0) - 1, this.#written) : newBytes) - start);
    const room = limit - offset;
    const header = opening
      ? streamOpenHeader(this.id, this.service, Math.min(wanted, room))
      : streamHeader(this.id, start, Math.min(wanted, room));
    const length = Math.min(wanted, room - header);
    if (length < Math.min(wanted, MIN_PIECE) || room < header) return offset;
    const reached = start + length === this.#written && this.#state.kind === 'ended';
    const fin =
      reached && (!again || this.#lost.end(0) > this.#written + 1 || this.#frontier === this.#written + 1);
    if (length === 0 && !fin && !opening) return offset;
    const at = opening
      ? writeStreamOpen(into, offset, this.id, this.service, this.priority, length, fin)
      : writeStream(into, offset, this.id, start, length, fin);
    this.#bytes.load(start, into, at, length);
    const first = opening ? 0 : mark;
    const next = start + 1 + length + (fin ? 1 : 0);
    this.#lost.remove(first, next);
    this.#frontier = Math.max(this.#frontier, next);
    const type = opening ? FrameType.streamOpen : FrameType.stream;
    contents.carry(fin ? type + 1 : type, this, first, next - first);
    return at + length;
  }

  acknowledged(offset: number, length: number): void {
    if (this.#state.kind === 'reset' || this.#state.kind === 'finished') return;
    this.#acknowledged.insert(offset, offset + length);
    this.#lost.remove(offset, offset + length);
    const known = this.#acknowledged.start(0) === 0 ? this.#acknowledged.end(0) : 0;
    if (this.#state.kind === 'ended' && known === this.#written + 2) {
      this.finish();
      this.#owner.completed();
      return;
    }
    const released = Math.min(Math.max(0, known - 1), this.#written);
    if (released === this.#released) return;
    this.#released = released;
    this.#bytes.release(released);
    this.#owner.drained();
  }

  lost(offset: number, length: number): void {
    if (this.#state.kind === 'reset' || this.#state.kind === 'finished') return;
    this.#lost.insert(offset, offset + length);
    const known = this.#acknowledged;
    for (let i = 0; i < known.ranges && known.start(i) < offset + length; i++)
      if (known.end(i) > offset) this.#lost.remove(known.start(i), known.end(i));
    if (this.#lost.ranges > 0) this.#owner.revived();
  }
}
