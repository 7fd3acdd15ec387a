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

/**
 * A transfer needs a large table, the hours after it do not: after so many times in a row that everything was settled with
 * no more than an eighth of the table used in between, it begins anew.
 */
const CALM_TIMES = 32;
const CALM_SHARE = 1 / 8;

/** What became of a sent packet; `settled` are those that nobody waits for, such as acknowledged ones and lone acks. */
export const PacketState = { settled: 0, inFlight: 1, lost: 2 } as const;

/**
 * The packets that were sent and may still be acknowledged, as a ring over consecutive numbers: `[base, next)`. Columns
 * instead of objects, so that a packet costs no allocation. Columns are indexed by {@link SentPackets.slot}. Those that are
 * in flight or lost are linked in the order of their numbers, so that an ack costs nothing for what is long settled.
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
  /** 1 when the packet only tries a size: its loss says nothing of congestion (RFC 9000, section 14.4). */
  sizing: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  /** Numbers from here to the next one in the list, and to the one before; 0 at its ends. */
  #newer: Uint16Array = new Uint16Array(INITIAL_CAPACITY);
  #older: Uint16Array = new Uint16Array(INITIAL_CAPACITY);
  readonly path: (SessionPath | undefined)[] = new Array<undefined>(INITIAL_CAPACITY).fill(undefined);
  readonly frames: (SentFrame | undefined)[] = new Array<undefined>(INITIAL_CAPACITY).fill(undefined);
  readonly pool: SentFramePool = new SentFramePool();

  #mask = INITIAL_CAPACITY - 1;
  #base = 0;
  #next = 0;
  #oldest = -1;
  #newest = -1;
  /** How often in a row everything was settled with little of the table used. */
  #calm = 0;
  /** The most numbers looked after at once since everything was settled. */
  #used = 0;

  /** The lowest number still remembered. */
  get base(): number {
    return this.#base;
  }

  /** Packets that fit without growing. */
  get capacity(): number {
    return this.#mask + 1;
  }

  /** The lowest number that is in flight or lost; −1: there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Whether the oldest of them is lost, so that time decides when it is forgotten. */
  get lingering(): boolean {
    return this.#oldest >= 0 && this.state[this.slot(this.#oldest)] === PacketState.lost;
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

  /** Where the columns hold a number; the low 32 bits of it are enough, as the capacity is a power of two. */
  slot(number: number): number {
    return number & this.#mask;
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
    sizing: boolean,
  ): void {
    const number = this.#next;
    const slot = this.#claim();
    this.state[slot] = PacketState.inFlight;
    this.time[slot] = now;
    this.size[slot] = size;
    this.ordinal[slot] = path.ordinals++;
    this.acknowledges[slot] = acknowledges;
    this.requeued[slot] = 0;
    this.sizing[slot] = sizing ? 1 : 0;
    this.path[slot] = path;
    this.frames[slot] = frames;
    this.#link(number, slot);
  }

  /** The next one that may still be acknowledged after `number`, which may be too; −1: there is none. */
  newerThan(number: number): number {
    const distance = this.#newer[this.slot(number)]!;
    return distance === 0 ? -1 : number + distance;
  }

  /** Forgets what needs no looking after at the old end: lost packets when no late ack can be due. */
  trim(now: Instant, keepLost: Duration): void {
    while (this.#oldest >= 0) {
      const slot = this.slot(this.#oldest);
      if (this.state[slot] === PacketState.inFlight) break;
      const room = this.#next - this.#oldest < MAX_SENT_PACKETS / 2;
      if (room && this.time[slot]! + keepLost > now) break;
      this.settle(this.#oldest);
    }
    if (this.#oldest < 0) this.#rest();
    else this.#base = this.#oldest;
  }

  /** Lets go of a packet and what it carried: it was acknowledged, or no ack can be due any more. */
  settle(number: number): void {
    const slot = this.slot(number);
    this.state[slot] = PacketState.settled;
    this.pool.release(this.frames[slot]);
    this.frames[slot] = undefined;
    this.path[slot] = undefined;
    this.#unlink(number, slot);
  }

  /** Everything is settled. */
  #rest(): void {
    this.#base = this.#next;
    const { capacity } = this;
    if (capacity === INITIAL_CAPACITY) return;
    this.#calm = this.#used <= capacity * CALM_SHARE ? this.#calm + 1 : 0;
    this.#used = 0;
    if (this.#calm >= CALM_TIMES) this.#shrink();
  }

  #link(number: number, slot: number): void {
    this.#newer[slot] = 0;
    this.#older[slot] = this.#newest < 0 ? 0 : number - this.#newest;
    if (this.#newest < 0) this.#oldest = number;
    else this.#newer[this.slot(this.#newest)] = number - this.#newest;
    this.#newest = number;
  }

  #unlink(number: number, slot: number): void {
    const older = this.#older[slot]!;
    const newer = this.#newer[slot]!;
    const both = older > 0 && newer > 0;
    if (older > 0) this.#newer[this.slot(number - older)] = both ? older + newer : 0;
    else this.#oldest = newer > 0 ? number + newer : -1;
    if (newer > 0) this.#older[this.slot(number + newer)] = both ? older + newer : 0;
    else this.#newest = older > 0 ? number - older : -1;
  }

  #claim(): number {
    assert(!this.full, 'nothing is sent while the table of sent packets is full');
    if (this.#next - this.#base > this.#mask) this.#grow();
    const slot = this.slot(this.#next++);
    this.#used = Math.max(this.#used, this.#next - this.#base);
    this.state[slot] = PacketState.settled;
    return slot;
  }

  #shrink(): void {
    this.state = new Uint8Array(INITIAL_CAPACITY);
    this.time = new Float64Array(INITIAL_CAPACITY);
    this.size = new Uint16Array(INITIAL_CAPACITY);
    this.ordinal = new Float64Array(INITIAL_CAPACITY);
    this.acknowledges = new Float64Array(INITIAL_CAPACITY);
    this.requeued = new Uint8Array(INITIAL_CAPACITY);
    this.sizing = new Uint8Array(INITIAL_CAPACITY);
    this.#newer = new Uint16Array(INITIAL_CAPACITY);
    this.#older = new Uint16Array(INITIAL_CAPACITY);
    this.path.length = INITIAL_CAPACITY;
    this.frames.length = INITIAL_CAPACITY;
    this.pool.clear();
    this.#mask = INITIAL_CAPACITY - 1;
    this.#calm = 0;
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
    this.sizing = moved(this.sizing, new Uint8Array(2 * old), from, to);
    this.#newer = moved(this.#newer, new Uint16Array(2 * old), from, to);
    this.#older = moved(this.#older, new Uint16Array(2 * old), from, to);
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
