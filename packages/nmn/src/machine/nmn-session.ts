import {
  type Endpoint,
  DuplicateFilter,
  type Instant,
  Outbox,
  type SessionHandle,
  type StateSync,
} from '@coconet/cluster-protocol/core';

import type { NmnPeer } from './nmn-peer.js';

/** A session with this NMN: what waits for an acknowledgement ends with it, because whoever misses an answer asks again. */
export class NmnSession {
  readonly handle: SessionHandle;
  readonly peer: NmnPeer;
  readonly #endpoint: Endpoint<NmnPeer>;
  readonly #outbox: Outbox;
  readonly #filter = new DuplicateFilter();
  /** For members. */
  sync: StateSync | undefined;

  /** `firstSequence`: above all that this process ever used, so that no message id repeats. */
  constructor(endpoint: Endpoint<NmnPeer>, handle: SessionHandle, peer: NmnPeer, firstSequence: number) {
    this.#endpoint = endpoint;
    this.handle = handle;
    this.peer = peer;
    this.#outbox = new Outbox(firstSequence);
  }

  /** Sends a message; false when too much waits for this peer already, which then gets it by asking again. */
  send(now: Instant, service: number, bytes: Uint8Array): boolean {
    const session = this.#endpoint.open(this.handle);
    if (!session || this.#outbox.next - this.#outbox.floor >= MAX_WAITING) return false;
    const { entry } = this.#outbox.push(now, service, bytes, {});
    const { sequence, priority } = entry;
    session.sendMessage(now, { sequence, floor: () => this.#outbox.floor, service, bytes, priority });
    return true;
  }

  sendDatagram(now: Instant, service: number, bytes: Uint8Array): boolean {
    return this.#endpoint.open(this.handle)?.sendDatagram(now, service, bytes) === true;
  }

  acknowledged(sequence: number): void {
    this.#outbox.remove(sequence);
  }

  /** Whether a message has not come before in this session. */
  isNew(sequence: number, floor: number): boolean {
    return this.#filter.accept('', sequence, floor) === 'new';
  }

  close(now: Instant, code: number, reason: string): void {
    this.#endpoint.open(this.handle)?.close(now, code, reason);
  }
}

/** Messages under way to one node; a slow one misses presence and state news, which its next question brings. */
const MAX_WAITING = 512;
