import { type DropCounters, type Instant, toHex } from '../base/index.js';
import {
  decodeRecallAnswer,
  decodeRecallQuestion,
  encodeRecallAnswer,
  encodeRecallQuestion,
  type HandshakePayload,
  type OutboxEntry,
  type Peer,
  RECALL_CONTROL,
  RECALLED_CONTROL,
  SERVICES,
  type SendOptions,
  type SessionPeer,
} from '../network/index.js';
import type { Endpoint } from '../session/index.js';
import type { LastingMemory, SavedNode } from './cluster-options.js';
import type { ClusterEvent } from './events.js';
import type { PeerReach } from './peer-reach.js';

/** What delivery stands on. */
export interface DeliveryWorld {
  readonly endpoint: Endpoint<SessionPeer>;
  readonly reach: PeerReach;
  readonly drops: DropCounters;
  readonly saved: Pick<SavedNode, 'inboxIncarnation' | 'formerInboxes'>;
  /** Absent: nothing that was received outlives the process. */
  readonly memory: LastingMemory | undefined;
  readonly emit: (event: ClusterEvent) => void;
}

/**
 * Messages from `send` until their end is known, through sessions and restarts of the receiver; and each that comes, once.
 * What must have one effect is sent to another life of the receiver only if that remembers the one before
 * (docs/spec/06-interface.md, "Memory of a peer").
 */
export class Delivery {
  readonly #world: DeliveryWorld;
  /** Lives of our inbox whose lasting records the store holds, this one included. */
  readonly #inboxes: ReadonlySet<string>;

  constructor(world: DeliveryWorld) {
    this.#world = world;
    const { inboxIncarnation, formerInboxes } = world.saved;
    this.#inboxes = new Set([inboxIncarnation, ...formerInboxes].map(toHex));
  }

  /** Puts a message into the outbox of a peer and hands it to the session, if there is one. Returns its sequence. */
  send(now: Instant, peer: Peer, service: number, bytes: Uint8Array, options: SendOptions): number {
    const { entry, superseded } = peer.outbox.push(now, service, bytes, options);
    if (superseded) this.#undelivered(peer, superseded, 'superseded');
    this.#hand(now, peer, entry);
    return entry.sequence;
  }

  /** Stops sending a message; `undefined`: it has ended already. */
  cancel(peer: Peer, sequence: number): OutboxEntry | undefined {
    const entry = peer.outbox.remove(sequence);
    if (entry) this.#undelivered(peer, entry, 'cancelled');
    return entry;
  }

  /** Sends a message that was held back because the peer's memory was lost. False: it is not held back. */
  release(now: Instant, peer: Peer, sequence: number): boolean {
    const entry = peer.outbox.get(sequence);
    if (entry?.undecided !== true) return false;
    entry.undecided = false;
    entry.sentTo = peer.memory.inbox;
    this.#hand(now, peer, entry);
    return true;
  }

  /** A session of a kind is there. */
  opened(now: Instant, peer: Peer, kind: SessionPeer['kind'], said: HandshakePayload): void {
    peer.outboxIncarnation = toHex(said.outboxIncarnation);
    // An NMN has its own ways to do nothing twice, and is another one with every start.
    if (kind !== 'nmn') peer.memory.meet(toHex(said.inboxIncarnation));
    for (const entry of peer.outbox.entries()) this.#hand(now, peer, entry);
    const { question } = peer.memory;
    if (question && kind === 'member' && peer.session !== undefined)
      this.#world.endpoint
        .open(peer.session)
        ?.sendControl(now, RECALL_CONTROL, encodeRecallQuestion(question));
  }

  /** The session ended, and what both said of the network's state in it: the next one begins with that anew. */
  closed(peer: Peer): void {
    for (const entry of [...peer.outbox.entries()]) {
      if (entry.service !== SERVICES.networkState) continue;
      peer.outbox.remove(entry.sequence); // No program has heard of it.
    }
  }

  /** The peer has a message whole. */
  acknowledged(peer: Peer, sequence: number): void {
    const entry = peer.outbox.remove(sequence);
    if (!entry) return;
    if (entry.once) peer.memory.acknowledged(sequence);
    this.#world.emit({ kind: 'delivered', peer: peer.nodeId, sequence });
  }

  /** The peer has a message whole, by the word of the program. */
  received(peer: Peer, sequence: number): void {
    if (peer.session !== undefined) this.#world.endpoint.open(peer.session)?.cancelMessage(sequence);
    this.acknowledged(peer, sequence);
  }

  /** A control frame about memory. False: it is about something else. */
  control(now: Instant, peer: Peer, type: number, bytes: Uint8Array): boolean {
    if (type === RECALL_CONTROL) this.#recall(now, peer, bytes);
    else if (type === RECALLED_CONTROL) this.#recalled(now, peer, bytes);
    else return false;
    return true;
  }

  /** Whether a message that came is to be delivered; else it is counted. */
  accepts(peer: Peer, sequence: number, floor: number): boolean {
    const verdict = peer.filter.accept(peer.outboxIncarnation, sequence, floor);
    if (verdict === 'new') return true;
    this.#world.drops.count(verdict === 'duplicate' ? 'duplicateMessage' : 'windowExceeded');
    return false;
  }

  /** Takes out what has expired. */
  expire(now: Instant, peer: Peer): void {
    for (const entry of peer.outbox.expire(now)) this.#undelivered(peer, entry, 'expired');
  }

  /** The peer is no member any more: nothing waits for it. */
  revoked(peer: Peer): void {
    for (const entry of [...peer.outbox.entries()]) {
      peer.outbox.remove(entry.sequence);
      this.#undelivered(peer, entry, 'revoked');
    }
  }

  #hand(now: Instant, peer: Peer, entry: OutboxEntry): void {
    if (entry.undecided || this.#isForgotten(peer, entry)) return;
    this.#world.reach.hand(now, peer, entry.sequence);
    if (entry.sent) entry.sentTo = peer.memory.inbox;
  }

  /** Whether it went to another life of the peer, which may have acted on it. */
  #isForgotten(peer: Peer, { once, sent, sentTo }: OutboxEntry): boolean {
    return once && sent && sentTo !== peer.memory.inbox;
  }

  #recall(now: Instant, peer: Peer, bytes: Uint8Array): void {
    const { drops, endpoint, memory } = this.#world;
    const question = decodeRecallQuestion(bytes);
    if (!question.ok) {
      drops.count(question.reason);
      return;
    }
    const kept =
      memory !== undefined &&
      question.value.inboxes.every(inbox => this.#inboxes.has(toHex(inbox))) &&
      question.value.sequences.every(sequence =>
        memory.remembers(peer.nodeId, peer.outboxIncarnation, sequence),
      );
    if (peer.session !== undefined)
      endpoint.open(peer.session)?.sendControl(now, RECALLED_CONTROL, encodeRecallAnswer(kept));
  }

  #recalled(now: Instant, peer: Peer, bytes: Uint8Array): void {
    const answer = decodeRecallAnswer(bytes);
    if (!answer.ok || peer.memory.question === undefined) {
      this.#world.drops.count(answer.ok ? 'unexpected' : answer.reason);
      return;
    }
    const remembers = peer.memory.answered(answer.value);
    const undecided: number[] = [];
    for (const entry of peer.outbox.entries()) {
      if (entry.undecided || !this.#isForgotten(peer, entry)) continue;
      if (remembers) {
        entry.sentTo = peer.memory.inbox;
        this.#hand(now, peer, entry);
      } else {
        entry.undecided = true;
        undecided.push(entry.sequence);
      }
    }
    this.#world.emit(
      remembers
        ? { kind: 'inboxKept', peer: peer.nodeId }
        : { kind: 'inboxChanged', peer: peer.nodeId, undecided },
    );
  }

  #undelivered(
    peer: Peer,
    { sequence, sent }: OutboxEntry,
    reason: Extract<ClusterEvent, { kind: 'undelivered' }>['reason'],
  ): void {
    if (peer.session !== undefined) this.#world.endpoint.open(peer.session)?.cancelMessage(sequence);
    this.#world.emit({ kind: 'undelivered', peer: peer.nodeId, sequence, sent, reason });
  }
}
