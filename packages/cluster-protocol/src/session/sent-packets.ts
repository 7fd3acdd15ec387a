import { assert, type Duration, type Instant } from '../base/index.js';
import { SentFramePool, type SentFrame } from './sent-frame.js';
import type { SessionPath } from './session-path.js';

/**
 * Packet numbers that are looked after at once. A window of 8 MiB holds 7,000 full packets; who sends smaller ones waits
 * for acks a little earlier.
 */
export const MAX_SENT_PACKETS = 8_192;

/** Numbers that only probes and lone acks may use. */
const RESERVE = 1_024;

/** Room to begin with: most sessions never have more in flight, and an NMN has thousands of sessions. */
const INITIAL_CAPACITY = 32;

/** What became of a sent packet; `absent` are those that nobody waits for, such as lone acks. */
export const PacketState = { absent: 0, inFlight: 1, acknowledged: 2, lost: 3 } as const;

/**
 * The packets that were sent and may still be acknowledged, as a ring over consecutive numbers: `[base, next)`. Columns
 * instead of objects, so that a packet costs no allocation. Columns are indexed by {@link SentPackets.slot}.
 */
export class SentPackets {
  state: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  time: Float64Array = new Float64Array(INITIAL_CAPACITY);
  size: Uint16Array = new Uint16Array(INITIAL_CAPACITY);
  /** The packet's place among the ack-eliciting packets of its path. */
  ordinal: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** The largest number that the ack inside acknowledged; −1 without an ack. */
  acknowledges: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** 1 when the frames were already queued again by a probe timeout, whose packets now answer for them. */
  requeued: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  readonly path: (SessionPath | undefined)[] = new Array<undefined>(INITIAL_CAPACITY).fill(undefined);
  readonly frames: (SentFrame | undefined)[] = new Array<undefined>(INITIAL_CAPACITY).fill(undefined);
  readonly pool: SentFramePool = new SentFramePool();

  #mask = INITIAL_CAPACITY - 1;
  #base = 0;
  #next = 0;

  /** The lowest number still remembered. */
  get base(): number {
    return this.#base;
  }

  /** The number of the next packet. */
  get next(): number {
    return this.#next;
  }

  /** Whether nothing fits before the oldest packet is forgotten. */
  get full(): boolean {
    return this.#next - this.#base >= MAX_SENT_PACKETS;
  }

  /** Whether new data should wait for acks, so that probes and lone acks still find numbers. */
  get crowded(): boolean {
    return this.#next - this.#base >= MAX_SENT_PACKETS - RESERVE;
  }

  slot(number: number): number {
    return number % (this.#mask + 1);
  }

  /** Uses up a number for a packet that needs no looking after. */
  skip(): void {
    if (this.#base === this.#next) {
      this.#base++;
      this.#next++;
      return;
    }
    this.#claim();
  }

  /** Uses up a number for a packet that waits for an ack. */
  add(
    now: Instant,
    size: number,
    path: SessionPath,
    frames: SentFrame | undefined,
    acknowledges: number,
  ): void {
    const slot = this.#claim();
    this.state[slot] = PacketState.inFlight;
    this.time[slot] = now;
    this.size[slot] = size;
    this.ordinal[slot] = path.ordinals++;
    this.acknowledges[slot] = acknowledges;
    this.requeued[slot] = 0;
    this.path[slot] = path;
    this.frames[slot] = frames;
  }

  /** Forgets what needs no looking after at the old end: settled packets at once, lost ones when no late ack can be due. */
  trim(now: Instant, keepLost: Duration): void {
    while (this.#base < this.#next) {
      const slot = this.slot(this.#base);
      const state = this.state[slot]!;
      if (state === PacketState.inFlight) return;
      const recent = this.time[slot]! + keepLost > now && this.#next - this.#base < MAX_SENT_PACKETS / 2;
      if (state === PacketState.lost && recent) return;
      this.settle(slot);
      this.#base++;
    }
  }

  /** Lets go of what the packet in a slot carried. */
  settle(slot: number): void {
    this.state[slot] = PacketState.absent;
    this.pool.release(this.frames[slot]);
    this.frames[slot] = undefined;
    this.path[slot] = undefined;
  }

  #claim(): number {
    assert(!this.full, 'nothing is sent while the table of sent packets is full');
    if (this.#next - this.#base > this.#mask) this.#grow();
    const slot = this.slot(this.#next++);
    this.state[slot] = PacketState.absent;
    return slot;
  }

  #grow(): void {
    const old = this.#mask + 1;
    const from = Array.from({ length: old }, (_, i) => (this.#base + i) % old);
    const to = Array.from({ length: old }, (_, i) => (this.#base + i) % (2 * old));
    this.state = moved(this.state, new Uint8Array(2 * old), from, to);
    this.time = moved(this.time, new Float64Array(2 * old), from, to);
    this.size = moved(this.size, new Uint16Array(2 * old), from, to);
    this.ordinal = moved(this.ordinal, new Float64Array(2 * old), from, to);
    this.acknowledges = moved(this.acknowledges, new Float64Array(2 * old), from, to);
    this.requeued = moved(this.requeued, new Uint8Array(2 * old), from, to);
    const paths = this.path.splice(0, old, ...new Array<undefined>(2 * old).fill(undefined));
    const frames = this.frames.splice(0, old, ...new Array<undefined>(2 * old).fill(undefined));
    for (let i = 0; i < old; i++) {
      this.path[to[i]!] = paths[from[i]!];
      this.frames[to[i]!] = frames[from[i]!];
    }
    this.#mask = 2 * old - 1;
  }
}

function moved<Column extends Uint8Array | Uint16Array | Float64Array>(
  old: Column,
  column: Column,
  from: readonly number[],
  to: readonly number[],
): Column {
  for (let i = 0; i < from.length; i++) column[to[i]!] = old[from[i]!]!;
  return column;
}
