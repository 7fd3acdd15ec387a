import { after, elapsed, type Duration, type Instant } from '../base/index.js';
import { MAX_ACK_RANGES, type AckSource } from '../wire/index.js';
import { RangeSet } from './range-set.js';

/** An ack is sent for every second packet that asks for one (RFC 9000, section 13.2.2). */
const ACK_EVERY = 2;

/** What we received and what the peer still has to be told of it. It is itself the source of the ack frame. */
export class AckTracker implements AckSource {
  readonly #received = new RangeSet();
  readonly #maxDelay: Duration;
  #largest = -1;
  #largestAt: Instant | undefined;
  /** Packets that ask for an ack since the last one was sent. */
  #unacknowledged = 0;
  #dueAt: Instant | undefined;
  #asked = false;

  constructor(maxDelay: Duration) {
    this.#maxDelay = maxDelay;
  }

  /** The largest packet number received; −1 before the first. */
  get largest(): number {
    return this.#largest;
  }

  /** Whether a packet that asks for an ack waits for one: an ack may ride along with anything. */
  get pending(): boolean {
    return this.#unacknowledged > 0;
  }

  /** When an ack must go even by itself; `undefined`: nothing to acknowledge. */
  get dueAt(): Instant | undefined {
    return this.#dueAt;
  }

  get ranges(): number {
    return this.#received.ranges;
  }

  first(range: number): number {
    return this.#received.start(this.#received.ranges - 1 - range);
  }

  last(range: number): number {
    return this.#received.end(this.#received.ranges - 1 - range) - 1;
  }

  /** Milliseconds that the largest number has waited: the delay of the ack frame. */
  delay(now: Instant): Duration {
    return elapsed(this.#largestAt ?? now, now);
  }

  /** A packet passed and was acted on; `eliciting` when it carries anything that asks for an ack. */
  receive(now: Instant, number: number, eliciting: boolean): void {
    const inOrder = number === this.#largest + 1;
    this.#received.insert(number, number + 1);
    this.#received.dropLowest(MAX_ACK_RANGES);
    if (number > this.#largest) {
      this.#largest = number;
      this.#largestAt = now;
    }
    if (!eliciting) return;
    this.#unacknowledged++;
    // Out of order or behind a gap: at once, so that the peer sees the loss (RFC 9000, section 13.2.1). The very first
    // as well: it is the peer's first round-trip sample, which nothing could free of our delay.
    if (!inOrder || !this.#asked || this.#unacknowledged >= ACK_EVERY) this.#dueAt = now;
    else this.#dueAt ??= after(now, this.#maxDelay);
    this.#asked = true;
  }

  /** An ack frame with the newest ranges was sent. */
  sent(): void {
    this.#unacknowledged = 0;
    this.#dueAt = undefined;
  }

  /** The peer has an ack of ours with this largest number: what lies below need not be told again (RFC 9000, 13.2.4). */
  confirm(largest: number): void {
    // The newest range stays whole: an ack always begins with it.
    this.#received.dropBelow(Math.min(largest + 1, this.#largest));
  }
}
