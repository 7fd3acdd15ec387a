import { DropCounters, type DropReason } from '@coconet/cluster-protocol/core';
import { decodeStun, encodeStun, type SocketAddress } from '@coconet/cluster-protocol/wire';

/**
 * Tells whoever asks where its packets come from (RFC 8489). Anybody may ask, so the answer is never longer than the
 * question: a client that wants one fills its request up, for which the attribute SOFTWARE serves. A forged source
 * thereby gains nothing (threat T3).
 */
export class StunResponder {
  readonly #drops = new DropCounters();
  #answered = 0;

  /** The answer to a datagram that `isStun` says is one, or why there is none. */
  respond(from: SocketAddress, datagram: Uint8Array): Uint8Array | DropReason {
    const outcome = this.#respond(from, datagram);
    if (typeof outcome === 'string') this.#drops.count(outcome);
    else this.#answered++;
    return outcome;
  }

  /** Requests answered since the start. */
  get answered(): number {
    return this.#answered;
  }

  /** Requests left unanswered, by reason. */
  get dropped(): Partial<Record<DropReason, number>> {
    return this.#drops.snapshot();
  }

  #respond(from: SocketAddress, datagram: Uint8Array): Uint8Array | DropReason {
    const request = decodeStun(datagram);
    if (request === undefined) return 'malformed';
    if (request.kind !== 'request') return 'unexpected';
    const { transactionId } = request;
    const response = encodeStun({ kind: 'success', transactionId, address: from });
    return response.length <= datagram.length ? response : 'wouldAmplify';
  }
}
