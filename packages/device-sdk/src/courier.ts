import { encodeMessage } from '@coconet/capabilities';
import type { DeviceMessage } from '@coconet/capabilities';
import { ClusterError, SERVICES } from '@coconet/cluster-protocol';
import type { Duration } from '@coconet/cluster-protocol';

/** Messages that wait for room in the outbox of one peer: one per lane and command, which have bounds of their own. */
const MAX_WAITING = 512;

/** How a message travels. */
export interface CourierOptions {
  /** A newer message with the same key takes the place of one that is still on its way. */
  readonly key?: string | undefined;
  /** After this it is not sent any more. */
  readonly expiresIn?: Duration;
  /** It is of no use to the peer once the session has ended. */
  readonly endsWithSession?: boolean;
  /** 0 (first) to 7 (last). Default 4. */
  readonly priority?: number;
}

/** The two verbs of a cluster node that the courier uses. */
export interface CourierNode {
  send(
    peer: number,
    service: number,
    bytes: Uint8Array,
    options: { readonly expiresIn?: Duration; readonly priority?: number; readonly supersedes?: string },
  ): number;
  cancel(peer: number, sequence: number): void;
}

type Settled = (delivered: boolean) => void;

interface Parcel {
  readonly bytes: Uint8Array;
  readonly options: CourierOptions;
  readonly settled: Settled;
}

/** Messages on their way to one peer, and those for which its outbox has no room. */
interface Round {
  readonly sent: Map<number, Parcel>;
  waiting: Parcel[];
}

/** Hands messages to the cluster node and tells their senders what became of them. */
export class Courier {
  readonly #node: CourierNode;
  readonly #rounds = new Map<number, Round>();

  constructor(node: CourierNode) {
    this.#node = node;
  }

  /** Sends a message. `settled` is called once, never before this returns. Throws what {@link encodeMessage} throws. */
  send(peer: number, message: DeviceMessage, options: CourierOptions, settled: Settled): void {
    this.sendBytes(peer, encodeMessage(message), options, settled);
  }

  /** As {@link send}, with a message that was encoded before. */
  sendBytes(peer: number, bytes: Uint8Array, options: CourierOptions, settled: Settled): void {
    const round = this.#rounds.get(peer) ?? { sent: new Map<number, Parcel>(), waiting: [] };
    this.#rounds.set(peer, round);
    round.waiting.push({ bytes, options, settled });
    this.#handOver(peer, round);
  }

  /** The peer has the message, or never will. */
  handleSettled(peer: number, sequence: number, delivered: boolean): void {
    const round = this.#rounds.get(peer);
    const parcel = round?.sent.get(sequence);
    if (round === undefined || parcel === undefined) return;
    round.sent.delete(sequence);
    parcel.settled(delivered);
    this.#handOver(peer, round);
    if (round.sent.size + round.waiting.length === 0) this.#rounds.delete(peer);
  }

  /** The session with the peer ended. */
  handleSessionEnd(peer: number): void {
    const round = this.#rounds.get(peer);
    if (round === undefined) return;
    const lost = round.waiting.filter(({ options }) => options.endsWithSession === true);
    round.waiting = round.waiting.filter(({ options }) => options.endsWithSession !== true);
    for (const [sequence, { options }] of [...round.sent])
      if (options.endsWithSession === true) this.#node.cancel(peer, sequence);
    for (const { settled } of lost) settled(false);
  }

  #handOver(peer: number, round: Round): void {
    while (round.waiting.length > 0) {
      const parcel = round.waiting[0]!;
      const { key, expiresIn, priority } = parcel.options;
      try {
        const sequence = this.#node.send(peer, SERVICES.capability, parcel.bytes, {
          ...(expiresIn !== undefined && { expiresIn }),
          ...(priority !== undefined && { priority }),
          ...(key !== undefined && { supersedes: key }),
        });
        round.waiting.shift();
        round.sent.set(sequence, parcel);
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        // Room comes with the next acknowledgement; a peer that is no member any more will never have any.
        if (error.code === 'QUEUE_FULL' && round.waiting.length <= MAX_WAITING) return;
        round.waiting.shift();
        void Promise.resolve().then(() => {
          parcel.settled(false);
        });
      }
    }
  }
}
