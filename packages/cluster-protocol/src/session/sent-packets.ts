import { assert, type Duration, type Instant } from '../base/index.js';
import { INITIAL_CAPACITY, SentColumns } from './sent-columns.js';
import { SentFramePool, type SentFrame } from './sent-frame.js';
import type { SessionPath } from './session-path.js';

/**
 * Packet numbers that are looked after at once. A window of 8 MiB holds 7,000 full packets; who sends smaller ones waits
 * for acks a little earlier.
 */
export const MAX_SENT_PACKETS = 8_192;

/** Numbers that only probes and lone acks may use. */
const RESERVE = 1_024;

/**
 * A transfer needs a large table, the hours after it do not: after so many times in a row that everything was settled with
 * no more than an eighth of the table used in between, it begins anew.
 */
const CALM_TIMES = 32;
const CALM_SHARE = 1 / 8;

/** What became of a sent packet; `settled` are those that nobody waits for, such as acknowledged ones and lone acks. */
export const PacketState = { settled: 0, inFlight: 1, lost: 2 } as const;

/**
 * The packets that were sent and may still be acknowledged, as a ring over consecutive numbers: `[base, next)`. Those that
 * are in flight or lost are linked in the order of their numbers, so that an ack costs nothing for what is long settled. A
 * session with nothing in flight holds no table: an NMN has thousands of them.
 */
export class SentPackets {
  #columns = SentColumns.none;
  readonly pool: SentFramePool = new SentFramePool();

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

  /** Packets that fit without growing; 0 while nothing is in flight. */
  get capacity(): number {
    return this.#columns.capacity;
  }

  /** What is remembered, by {@link SentPackets.slot}. Another table after a packet was added or the old end trimmed. */
  get columns(): SentColumns {
    return this.#columns;
  }

  /** The lowest number that is in flight or lost; −1: there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Whether the oldest of them is lost, so that time decides when it is forgotten. */
  get lingering(): boolean {
    return this.#oldest >= 0 && this.#columns.state[this.slot(this.#oldest)] === PacketState.lost;
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
    return number & (this.#columns.capacity - 1);
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
    covered: boolean = false,
  ): void {
    const number = this.#next;
    const slot = this.#claim();
    const columns = this.#columns;
    columns.state[slot] = PacketState.inFlight;
    columns.time[slot] = now;
    columns.size[slot] = size;
    columns.ordinal[slot] = path.ordinals++;
    columns.acknowledges[slot] = acknowledges;
    columns.requeued[slot] = covered ? 1 : 0;
    columns.sizing[slot] = sizing ? 1 : 0;
    columns.path[slot] = path;
    columns.frames[slot] = frames;
    this.#link(number, slot);
  }

  /** The next one that may still be acknowledged after `number`, which may be too; −1: there is none. */
  newerThan(number: number): number {
    const distance = this.#columns.newer[this.slot(number)]!;
    return distance === 0 ? -1 : number + distance;
  }

  /** Forgets what needs no looking after at the old end: lost packets when no late ack can be due. */
  trim(now: Instant, keepLost: Duration): void {
    while (this.#oldest >= 0) {
      const slot = this.slot(this.#oldest);
      if (this.#columns.state[slot] === PacketState.inFlight) break;
      const room = this.#next - this.#oldest < MAX_SENT_PACKETS / 2;
      if (room && this.#columns.time[slot]! + keepLost > now) break;
      this.settle(this.#oldest);
    }
    if (this.#oldest < 0) this.#rest();
    else this.#base = this.#oldest;
  }

  /** Lets go of a packet and what it carried: it was acknowledged, or no ack can be due any more. */
  settle(number: number): void {
    const slot = this.slot(number);
    const columns = this.#columns;
    columns.state[slot] = PacketState.settled;
    this.pool.release(columns.frames[slot]);
    columns.frames[slot] = undefined;
    columns.path[slot] = undefined;
    this.#unlink(number, slot);
  }

  /** Everything is settled. */
  #rest(): void {
    this.#base = this.#next;
    const { capacity } = this;
    if (capacity === 0) return;
    if (capacity > INITIAL_CAPACITY) {
      this.#calm = this.#used <= capacity * CALM_SHARE ? this.#calm + 1 : 0;
      this.#used = 0;
      if (this.#calm < CALM_TIMES) return;
      this.pool.clear();
      this.#calm = 0;
    }
    SentColumns.give(this.#columns);
    this.#columns = SentColumns.none;
  }

  #link(number: number, slot: number): void {
    this.#columns.newer[slot] = 0;
    this.#columns.older[slot] = this.#newest < 0 ? 0 : number - this.#newest;
    if (this.#newest < 0) this.#oldest = number;
    else this.#columns.newer[this.slot(this.#newest)] = number - this.#newest;
    this.#newest = number;
  }

  #unlink(number: number, slot: number): void {
    const older = this.#columns.older[slot]!;
    const newer = this.#columns.newer[slot]!;
    const both = older > 0 && newer > 0;
    if (older > 0) this.#columns.newer[this.slot(number - older)] = both ? older + newer : 0;
    else this.#oldest = newer > 0 ? number + newer : -1;
    if (newer > 0) this.#columns.older[this.slot(number + newer)] = both ? older + newer : 0;
    else this.#newest = older > 0 ? number - older : -1;
  }

  #claim(): number {
    assert(!this.full, 'nothing is sent while the table of sent packets is full');
    if (this.capacity === 0) this.#columns = SentColumns.take();
    else if (this.#next - this.#base >= this.capacity) this.#columns = this.#columns.grown(this.#base);
    const slot = this.slot(this.#next++);
    this.#used = Math.max(this.#used, this.#next - this.#base);
    this.#columns.state[slot] = PacketState.settled;
    return slot;
  }
}
