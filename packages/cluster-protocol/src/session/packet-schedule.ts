import { earliest, type Instant } from '../base/index.js';
import { hasData, type PacketSources } from './packet-sources.js';
import type { PacketWish, PacketWriter } from './packet-writer.js';
import type { PathSteering } from './path-steering.js';
import type { PathId, SessionTransmit } from './session-event.js';
import type { SessionPath } from './session-path.js';

/** A packet with less room left than this, too little for a fragment, is a full one. */
const ALMOST_FULL = 64;

/** Decides which packet goes next, and on which path: what is owed first, then what window and pacer let go. */
export class PacketSchedule {
  readonly #steering: PathSteering;
  readonly #sources: PacketSources;
  readonly #writer: PacketWriter;
  readonly #wish: PacketWish = { ack: false, data: false, urgent: false, elicit: false, twice: undefined };
  readonly #transmit: { path: PathId; length: number };
  #pacedUntil: Instant | undefined;
  /** Probe packets to send whatever the window says. */
  probes = 0;
  pingWanted = false;
  /** Since when something is unacknowledged without any progress. */
  waitingSince: Instant | undefined;

  constructor(steering: PathSteering, sources: PacketSources, writer: PacketWriter) {
    this.#steering = steering;
    this.#sources = sources;
    this.#writer = writer;
    this.#transmit = { path: steering.active.id, length: 0 };
  }

  /** When a pacer lets the next packet go; `undefined`: none holds any back. */
  get pacedUntil(): Instant | undefined {
    return earliest(this.#pacedUntil, this.#steering.bridge.pacedUntil);
  }

  /** Writes the next packet; `undefined`: there is none for now. `confirmed`: the peer is known to have the keys. */
  next(now: Instant, into: Uint8Array, confirmed: boolean): SessionTransmit | undefined {
    const { paths, active } = this.#steering;
    for (let i = 0; i < paths.size; i++) {
      const path = paths.at(i);
      if (path === active || (!path.probing && !this.#ackDue(now, path))) continue;
      const sent = this.#write(now, into, path, false, undefined);
      if (sent !== undefined) return sent;
    }
    const size = confirmed ? active.sizeProbeDue : undefined;
    if (size !== undefined && size <= into.length) {
      return this.written(active, this.#writer.writeSizeProbe(now, into, active, size));
    }
    const repeated = this.#writer.repeatsOn;
    if (repeated !== undefined) {
      const length = this.#writer.writeRepeat(now, into);
      if (length > 0) return this.written(repeated, length);
    }
    const maySend = this.#maySend(now, active, confirmed);
    const second = this.#second(now, active);
    if (second !== undefined) {
      const sent = this.#write(now, into, second, true, maySend ? active : undefined);
      if (sent !== undefined) return sent;
    }
    if (maySend) {
      const sent = this.#write(now, into, active, true, undefined);
      if (sent !== undefined) return sent;
    }
    const owed = active.probing || this.#ackDue(now, active);
    return owed ? this.#write(now, into, active, false, undefined) : undefined;
  }

  /** A packet of `length` bytes was written for a path. The object is reused. */
  written(path: SessionPath, length: number): SessionTransmit {
    this.#transmit.path = path.id;
    this.#transmit.length = length;
    return this.#transmit;
  }

  #ackDue(now: Instant, path: SessionPath): boolean {
    const due = this.#sources.acks.dueAt;
    return due !== undefined && due <= now && path === this.#steering.acks;
  }

  /** Whether window and pacer let data go on the active path now. */
  #maySend(now: Instant, path: SessionPath, confirmed: boolean): boolean {
    this.#pacedUntil = undefined;
    if (this.probes > 0) return true;
    if (!this.#wantsToSend() || this.#steering.recovery.packets.crowded) {
      path.limited = false;
      return false;
    }
    this.waitingSince ??= now;
    if (confirmed && hasData(this.#sources)) this.#sources.rekey?.traffic(now);
    const ready = path.readyAt(now, path.packet);
    if (ready > now) this.#pacedUntil = ready;
    return ready <= now;
  }

  /** The path that carries the next packet as well as the active one, or while that one's window is full. */
  #second(now: Instant, active: SessionPath): SessionPath | undefined {
    const { bridge, recovery, second } = this.#steering;
    bridge.pacedUntil = undefined;
    if (second === undefined || recovery.packets.crowded || !this.#wantsToSend()) return undefined;
    return bridge.allows(now, active, second) ? second : undefined;
  }

  #wantsToSend(): boolean {
    const { rekey } = this.#sources;
    return this.probes > 0 || this.pingWanted || rekey?.sendable === true || hasData(this.#sources);
  }

  #write(
    now: Instant,
    into: Uint8Array,
    path: SessionPath,
    data: boolean,
    twice: SessionPath | undefined,
  ): SessionTransmit | undefined {
    const wish = this.#wish;
    wish.ack = path === this.#steering.acks;
    wish.data = data;
    wish.urgent = data && this.probes > 0;
    wish.elicit = data && (this.probes > 0 || this.pingWanted);
    wish.twice = twice;
    const length = this.#writer.write(now, into, path, wish);
    if (length === 0) return undefined;
    if (this.#writer.eliciting) {
      this.waitingSince ??= now;
      if (data) this.#carried(now, path, length);
    }
    return this.written(path, length);
  }

  #carried(now: Instant, path: SessionPath, length: number): void {
    this.pingWanted = false;
    this.probes = Math.max(0, this.probes - 1);
    if (length > path.packet - ALMOST_FULL) path.mtu.wanted(now);
    const { active, bridge } = this.#steering;
    if (path === active) bridge.earn(length);
    else bridge.spend(length);
    if (this.#writer.repeatsOn !== undefined) bridge.doubled++;
  }
}
