import {
  ClusterError,
  type Instant,
  Outbox,
  type SendOptions,
  type Session,
} from '@coconet/cluster-protocol/core';

/**
 * Messages of the NMN to one node, for the life of one session: what the node has not got by its end, it asks for again
 * in the next one.
 */
export class SessionMail {
  readonly #outbox = new Outbox();

  /**
   * False when too much waits for this node already: it takes nothing in. What a newer message supersedes, and what has
   * expired by now, is not repeated any more; expiry is looked at here and nowhere else, because an old message that
   * waits for nobody costs nothing.
   */
  send(
    now: Instant,
    session: Session,
    service: number,
    bytes: Uint8Array,
    options: SendOptions = {},
  ): boolean {
    try {
      for (const { sequence } of this.#outbox.expire(now)) session.cancelMessage(sequence);
      const { entry, superseded } = this.#outbox.push(now, service, bytes, options);
      if (superseded) session.cancelMessage(superseded.sequence);
      session.sendMessage(now, { sequence: entry.sequence, floor: () => this.#outbox.floor, service, bytes });
      return true;
    } catch (error) {
      if (error instanceof ClusterError) return false; // QUEUE_FULL, or the session ended in this very turn.
      throw error;
    }
  }

  /** Whether the node has everything that was sent. */
  get empty(): boolean {
    return this.#outbox.size === 0;
  }

  acknowledged(sequence: number): void {
    this.#outbox.remove(sequence);
  }
}
