import { ClusterError, type Instant, Outbox, type Session } from '@coconet/cluster-protocol/core';

/**
 * Messages of the NMN to one node, for the life of one session: what the node has not got by its end, it asks for again
 * in the next one.
 */
export class SessionMail {
  readonly #outbox = new Outbox(1);

  /** False when too much waits for this node already: it takes nothing in. */
  send(now: Instant, session: Session, service: number, bytes: Uint8Array): boolean {
    try {
      const { entry } = this.#outbox.push(now, service, bytes, {});
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
