import { sameBytes, toHex } from '../base/index.js';
import { isHeldOf, leafOf, rankOf, type HeldRecord } from './held-record.js';
import type { StateRecord } from './record.js';
import type { RevokedNodes } from './revoked-nodes.js';

/** Most members of a network, revoked owners and admins included. */
export const MAX_MEMBERS = 4096;

/** Most records held at once, about 8 MiB. */
export const MAX_RECORDS = 16_384;

/** Records whose author or inviter is not known yet wait for it; the oldest makes room. They are gone after a restart. */
export const MAX_WAITING_RECORDS = 256;

/** The records that a state holds: of each slot the newest of every author, so that the set alone decides what counts. */
export class RecordTable {
  readonly #slots = new Map<string, Map<string, HeldRecord>>();
  readonly #waiting = new Map<string, StateRecord>();
  #recordCount = 0;
  #memberCount = 0;

  /** What a new record would replace: the same author's about the same thing. */
  rivalOf({ slot, strand }: HeldRecord): HeldRecord | undefined {
    return this.#slots.get(slot)?.get(strand);
  }

  /** All records about one thing. */
  slot(slot: string): readonly HeldRecord[] {
    return [...(this.#slots.get(slot)?.values() ?? [])];
  }

  slots(): readonly (readonly HeldRecord[])[] {
    return [...this.#slots.values()].map(slot => [...slot.values()]);
  }

  /**
   * A node id keeps the keys it was first seen with; only proof of a higher role displaces them. False when `held`
   * brings other keys without such proof.
   */
  yieldsKeys(held: HeldRecord): boolean {
    const leaf = leafOf(held);
    if (!leaf) return true;
    const others = this.slot(held.slot).filter(other => {
      const known = leafOf(other);
      return (
        known && !(sameBytes(known.signingKey, leaf.signingKey) && sameBytes(known.staticKey, leaf.staticKey))
      );
    });
    if (others.some(other => rankOf(held) <= rankOf(other))) return false;
    for (const other of others) this.#slots.get(other.slot)?.delete(other.strand);
    this.#recordCount -= others.length;
    return true;
  }

  /** Keeps a record, in place of its rival. False when there is no room, even after members in `revoked` made some. */
  store(held: HeldRecord, revoked: RevokedNodes): boolean {
    const slot = this.#slots.get(held.slot);
    const isNewMember = slot === undefined && isHeldOf(held, 'member');
    if (!slot?.has(held.strand)) {
      if (this.#isFull(isNewMember)) this.#evict(revoked);
      if (this.#isFull(isNewMember)) return false;
      this.#recordCount++;
      if (isNewMember) this.#memberCount++;
    }
    if (slot) slot.set(held.strand, held);
    else this.#slots.set(held.slot, new Map([[held.strand, held]]));
    return true;
  }

  /** Keeps a record until somebody it depends on is known. */
  wait({ hash, record }: HeldRecord): void {
    const oldest = this.#waiting.size >= MAX_WAITING_RECORDS ? this.#waiting.keys().next() : undefined;
    if (oldest?.done === false) this.#waiting.delete(oldest.value);
    this.#waiting.set(toHex(hash), record);
  }

  /** All that wait; they wait no more. */
  takeWaiting(): readonly StateRecord[] {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    return waiting;
  }

  #isFull(isNewMember: boolean): boolean {
    return this.#recordCount >= MAX_RECORDS || (isNewMember && this.#memberCount >= MAX_MEMBERS);
  }

  /** Members that were revoked without ever having had a role make room. */
  #evict(revoked: RevokedNodes): void {
    for (const [name, slot] of this.#slots) {
      const leaves = [...slot.values()].map(held => (rankOf(held) === 0 ? leafOf(held) : undefined));
      if (!leaves.every(leaf => leaf !== undefined && revoked.has(leaf))) continue;
      this.#slots.delete(name);
      this.#recordCount -= slot.size;
      this.#memberCount--;
    }
  }
}
