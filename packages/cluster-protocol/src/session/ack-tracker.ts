import { after, elapsed, milliseconds, type Duration, type Instant } from '../base/index.js';
import { MAX_ACK_RANGES, type AckSource } from '../wire/index.js';
import { RangeSet } from './range-set.js';
import type { PathId } from './session-event.js';

/** An ack is sent for every second packet that asks for one, until the peer wants it otherwise (RFC 9000, section 13.2.2). */
const ACK_EVERY = 2;

/** No ack waits for less: hosts have no finer timers, and a peer cannot make us wake up more often. */
const LEAST_DELAY: Duration = milliseconds(1);

/** Packets acknowledged at once from a gap on, so that the peer's packet threshold (RFC 9002, section 6.1.1) is met soon. */
const ACKS_BEHIND_GAP = 3;

/** What we received and what the peer still has to be told of it. It is itself the source of the ack frame. */
export class AckTracker implements AckSource {
  readonly #received = new RangeSet();
  readonly #maxDelay: Duration;
  /** What the peer asked for, and the number of its request; −1: nothing yet. */
  #every = ACK_EVERY;
  #delay: Duration;
  #request = -1;
  /** Packets that are still to be acknowledged at once because of a gap before them. */
  #behindGap = 0;
  #path: PathId | undefined;
  #largest = -1;
  #largestAt: Instant | undefined;
  /** Packets that ask for an ack since the last one was sent. */
  #unacknowledged = 0;
  #dueAt: Instant | undefined;

  constructor(maxDelay: Duration) {
    this.#maxDelay = maxDelay;
    this.#delay = maxDelay;
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

  /** A packet passed on a path; `eliciting` when it carries anything that asks for an ack. */
  receive(now: Instant, number: number, eliciting: boolean, path: PathId): void {
    const next = this.#largest + 1;
    this.#received.insert(number, number + 1);
    this.#received.dropLowest(MAX_ACK_RANGES);
    if (number > this.#largest) {
      this.#largest = number;
      this.#largestAt = now;
    }
    if (number > next) this.#behindGap = ACKS_BEHIND_GAP;
    if (!eliciting) return;
    this.#unacknowledged++;
    // Out of order or behind a gap: at once, so that the peer sees the loss (RFC 9000, section 13.2.1). From another path
    // as well, and the very first: they are the peer's first samples of a round trip, which should be free of our delay.
    const news = number < next || this.#behindGap > 0 || path !== this.#path;
    if (news || this.#unacknowledged >= this.#every) this.#dueAt = now;
    else this.#dueAt ??= after(now, this.#delay);
    this.#behindGap = Math.max(0, this.#behindGap - 1);
    this.#path = path;
  }

  /** The peer asks for an ack of what it sent so far without delay. */
  hasten(now: Instant): void {
    if (this.pending) this.#dueAt = now;
  }

  /**
   * The peer asks for an ack after every `every` packets, 1–255, or after `delay`, whichever comes first. Of requests that
   * overtook each other the one with the highest number counts.
   */
  request(now: Instant, request: number, every: number, delay: Duration): void {
    if (request <= this.#request) return;
    this.#request = request;
    this.#every = every;
    this.#delay = milliseconds(Math.min(Math.max(delay, LEAST_DELAY), this.#maxDelay));
    this.hasten(now);
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
