import type { Duration, Instant } from '../base/index.js';

/**
 * Finds out that a path carried nothing for long (RFC 9002, section 7.6): packets one after the other that were lost, with
 * none between them acknowledged, however many acks and timeouts it took to tell. Packets are told by their place among
 * the ack-eliciting ones of the path.
 */
export class PersistentCongestion {
  /** When the first packet of the present run was sent. */
  #start = 0;
  #end = 0;
  /** The place of the run's last packet; −2: there is no run. */
  #last = -2;

  /** Time between the first and the last packet of the run. */
  get duration(): Duration {
    return (this.#end - this.#start) as Duration;
  }

  /** The packet in a place, sent at `sentAt`, was lost. Packets sent before the first sample of the path do not count. */
  lost(place: number, sentAt: Instant): void {
    if (place !== this.#last + 1) this.#start = sentAt;
    this.#end = sentAt;
    this.#last = place;
  }

  /** A packet that counted as lost came after all: no run may reach over it. */
  late(place: number): void {
    if (place <= this.#last) this.clear();
  }

  /** The run has had its effect. */
  clear(): void {
    this.#start = 0;
    this.#end = 0;
    this.#last = -2;
  }
}
