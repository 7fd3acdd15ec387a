import { encodeWith, Reader } from '../wire/index.js';

/** Moment of a handshake on its sender's own count: which start, how long after it. Grows with every handshake. */
export interface HandshakeMoment {
  readonly bootCounter: number;
  /** Milliseconds since that start. */
  readonly uptime: number;
}

/** Members remembered; the least recently confirmed is forgotten first and proves itself by a nonce next time. */
const MAX_MEMBERS = 4_096;

/** Whether `a` lies after `b`. */
export const isNewer = (a: HandshakeMoment, b: HandshakeMoment): boolean =>
  a.bootCounter > b.bootCounter || (a.bootCounter === b.bootCounter && a.uptime > b.uptime);

/**
 * Tells a new message 1 from a replayed one without a clock: it must be newer than the last one of that member which
 * led to a session. Who is not known, or has gone back in time (a restored backup), is asked for a nonce instead
 * (docs/spec/02-handshake.md, "Replay of message 1").
 */
export class ReplayGuard {
  readonly #confirmed = new Map<number, HandshakeMoment>();

  isNew(nodeId: number, moment: HandshakeMoment): boolean {
    const last = this.#confirmed.get(nodeId);
    return last !== undefined && isNewer(moment, last);
  }

  /** The initiator has proved itself: from now on its older messages are replays. */
  confirm(nodeId: number, moment: HandshakeMoment): void {
    const { bootCounter, uptime } = moment;
    this.#confirmed.delete(nodeId);
    this.#confirmed.set(nodeId, { bootCounter, uptime }); // Not what else its giver knows of the handshake.
    if (this.#confirmed.size <= MAX_MEMBERS) return;
    const oldest = this.#confirmed.keys().next();
    if (oldest.done !== true) this.#confirmed.delete(oldest.value);
  }

  /** For the store: a guard that forgot only costs one more round trip. */
  snapshot(): Uint8Array {
    return encodeWith(8 + this.#confirmed.size * 20, writer => {
      writer.varint(this.#confirmed.size);
      for (const [nodeId, { bootCounter, uptime }] of this.#confirmed)
        writer.uint32(nodeId).varint(bootCounter).varint(uptime);
    });
  }

  /** An unreadable snapshot restores an empty guard, which is safe. */
  static restore(bytes: Uint8Array): ReplayGuard {
    const guard = new ReplayGuard();
    const reader = new Reader(bytes);
    const count = Math.min(reader.varint(), MAX_MEMBERS);
    for (let i = 0; i < count; i++) {
      const nodeId = reader.uint32();
      const moment = { bootCounter: reader.varint(), uptime: reader.varint() };
      if (reader.failed) break;
      guard.confirm(nodeId, moment);
    }
    return guard;
  }
}
