import {
  decodeSyncMessage,
  type DropReason,
  type Instant,
  type SendOptions,
  SERVICES,
  type SessionHandle,
  type StateRecord,
  StateSync,
  type WallTime,
} from '@coconet/cluster-protocol/core';

import type { NetworkLedger } from './network-ledger.js';
import { Turn } from './turn.js';

/** Sends a message of a service in a session. */
export type SendMessage = (
  now: Instant,
  session: SessionHandle,
  service: number,
  bytes: Uint8Array,
  options?: SendOptions,
) => void;

interface Tie {
  readonly networkKey: string;
  sync: StateSync;
}

/** Keeps the state of each network the same here and at its members, session by session. */
export class StateSpreader {
  readonly #send: SendMessage;
  readonly #ties = new Map<SessionHandle, Tie>();

  constructor(send: SendMessage) {
    this.#send = send;
  }

  /** A member is there. It is told what our clock reads, which confirms its own. */
  open(now: Instant, session: SessionHandle, ledger: NetworkLedger, wall: WallTime): void {
    const sync = new StateSync(ledger.state);
    this.#ties.set(session, { networkKey: ledger.key, sync });
    this.#sendAll(now, session, sync.start(ledger.clock(wall)).send);
  }

  close(session: SessionHandle): void {
    this.#ties.delete(session);
  }

  /** Sessions of the members of a network. */
  sessionsOf(networkKey: string): SessionHandle[] {
    return [...this.#ties].filter(([, tie]) => tie.networkKey === networkKey).map(([session]) => session);
  }

  /** The memory of a network was read again: its members are compared anew. */
  replace(now: Instant, ledger: NetworkLedger, wall: WallTime): void {
    for (const session of this.sessionsOf(ledger.key)) this.open(now, session, ledger, wall);
  }

  /**
   * A message of service 1. What it changes is in `turn`, signed over where this NMN may sign; `send` is the answer to
   * be sent after it.
   */
  receive(
    now: Instant,
    session: SessionHandle,
    ledger: NetworkLedger,
    bytes: Uint8Array,
    wall: WallTime,
  ): {
    readonly turn: Turn;
    readonly send: readonly Uint8Array[];
    readonly dropped: DropReason | undefined;
  } {
    const turn = new Turn();
    const tie = this.#ties.get(session);
    const decoded = decodeSyncMessage(bytes);
    // A session begins with heads; before one has come after a start, nothing can be signed over what is merged.
    const early = ledger.versions.state === 'settling' && decoded.ok && decoded.value.type !== 'heads';
    if (!tie || early) return { turn, send: [], dropped: 'unexpected' };
    const output = tie.sync.handleMessage(now, bytes);
    ledger.merge(turn, output.applied, output.events);
    const { head } = ledger.state;
    if (head && ledger.versions.observe(ledger.ownVersion(head.order)))
      turn.changes.push(ledger.headChange(head));
    if (ledger.versions.state === 'ready') {
      // Somebody knew of more than we did, signed by ourselves before a backup was restored: a head over the whole.
      const foreign = output.events.some(event => event.kind === 'headChanged');
      if (output.applied.length > 0) ledger.conclude(turn, wall);
      else if (foreign && !ledger.state.complete) ledger.signHead(turn, wall);
    }
    return { turn, send: output.send, dropped: output.dropped };
  }

  /** Passes on what is news, or the new head alone. */
  announce(now: Instant, ledger: NetworkLedger, records: readonly StateRecord[], changed: boolean): void {
    if (records.length === 0 && !changed) return;
    for (const [session, { networkKey, sync }] of this.#ties)
      if (networkKey === ledger.key) this.#sendAll(now, session, sync.announce(records).send);
  }

  /** A head over the state as it is, and a new secret where a restored backup has lost the current one. */
  freshHead(ledger: NetworkLedger, wall: WallTime): Turn {
    const turn = new Turn();
    if (ledger.state.currentEpoch > ledger.secrets.epoch) ledger.rollSecret(turn, wall);
    ledger.signHead(turn, wall);
    return turn;
  }

  #sendAll(now: Instant, session: SessionHandle, messages: readonly Uint8Array[]): void {
    for (const bytes of messages) this.#send(now, session, SERVICES.networkState, bytes);
  }
}
