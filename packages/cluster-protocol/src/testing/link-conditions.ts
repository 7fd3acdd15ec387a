import { after, elapsed, milliseconds } from '../base/index.js';
import type { Duration, Instant } from '../base/index.js';
import type { SeededRandom } from './seeded-random.js';
import type { Timeline } from './timeline.js';

/** Loss in bursts (Gilbert and Elliott): a link is good or bad, and changes with these probabilities at each packet. */
export interface BurstLoss {
  readonly enter: number;
  readonly leave: number;
  /** Probability of loss while bad. */
  readonly loss: number;
}

/** What one direction of a link does to packets. Probabilities are 0 to 1, each packet on its own. */
export interface LinkConditions {
  /** One way. */
  readonly delay: Duration;
  /** Up to so much is added, evenly spread. It alone never changes the order of packets. */
  readonly jitter: Duration;
  readonly loss: number;
  readonly burst: BurstLoss | undefined;
  /** Probability that a packet is held back for up to {@link reorderBy}, so that later ones overtake it. */
  readonly reorder: number;
  readonly reorderBy: Duration;
  readonly duplicate: number;
  /** Probability that one bit of a packet is turned over. */
  readonly corrupt: number;
  /** Probability that a packet loses its end. */
  readonly truncate: number;
  /** Bytes per second, IP and UDP headers included; `undefined`: without limit. */
  readonly bandwidth: number | undefined;
  /** Bytes that wait for their turn at {@link bandwidth}; what does not fit is lost. */
  readonly queue: number;
  /** The largest IP packet that passes. Larger ones vanish without a word: a black hole. */
  readonly mtu: number;
  /** Nothing passes. */
  readonly down: boolean;
}

/** A good link of no length. */
export const PERFECT_LINK: LinkConditions = {
  delay: milliseconds(0),
  jitter: milliseconds(0),
  loss: 0,
  burst: undefined,
  reorder: 0,
  reorderBy: milliseconds(20),
  duplicate: 0,
  corrupt: 0,
  truncate: 0,
  bandwidth: undefined,
  queue: 64 * 1024,
  mtu: 1_500,
  down: false,
};

/** Why a packet did not arrive. */
export type LossCause =
  | 'down'
  | 'tooLong'
  | 'lost'
  | 'queueFull'
  | 'partitioned'
  | 'noRoute'
  | 'noListener'
  | 'noMapping'
  | 'filtered'
  | 'noHairpin'
  | 'natFull'
  | 'loop';

/** One direction of a link, with its memory: what is queued, and whether a burst of loss is on. */
export class SimulatedPipe {
  #conditions: LinkConditions;
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;
  #bad = false;
  /** When the last byte queued so far has left at the given bandwidth. */
  #idleAt: Instant;
  #lastArrival: Instant;

  constructor(timeline: Timeline, random: SeededRandom, conditions: Partial<LinkConditions>) {
    this.#timeline = timeline;
    this.#random = random;
    this.#conditions = { ...PERFECT_LINK, ...conditions };
    this.#idleAt = timeline.now;
    this.#lastArrival = timeline.now;
  }

  get conditions(): LinkConditions {
    return this.#conditions;
  }

  /** Changes some conditions from now on; what is under way arrives as it would have. */
  set(conditions: Partial<LinkConditions>): void {
    this.#conditions = { ...this.#conditions, ...conditions };
  }

  /**
   * Carries a packet of `bytes` behind a header of `header` bytes. `arrive` is called for each copy that comes out, and
   * returns whether promises may have been settled. Returns why nothing will come out.
   */
  carry(bytes: Uint8Array, header: number, arrive: (bytes: Uint8Array) => boolean): LossCause | undefined {
    const { down, mtu, loss, duplicate, queue, bandwidth } = this.#conditions;
    const size = bytes.length + header;
    if (down) return 'down';
    if (size > mtu) return 'tooLong';
    if (this.#isInBurst() || this.#happens(loss)) return 'lost';
    const { now } = this.#timeline;
    if (bandwidth !== undefined) {
      const waiting = (Math.max(0, elapsed(now, this.#idleAt)) * bandwidth) / 1_000;
      if (waiting + size > queue) return 'queueFull';
      this.#idleAt = after(this.#idleAt > now ? this.#idleAt : now, milliseconds((size / bandwidth) * 1_000));
    }
    this.#release(bytes, arrive);
    if (this.#happens(duplicate)) this.#release(bytes, arrive);
    return undefined;
  }

  #release(bytes: Uint8Array, arrive: (bytes: Uint8Array) => boolean): void {
    const { delay, jitter, reorder, reorderBy } = this.#conditions;
    const { now } = this.#timeline;
    const leaves = this.#idleAt > now ? this.#idleAt : now;
    const arrival = after(leaves, milliseconds(delay + (jitter > 0 ? jitter * this.#random.fraction() : 0)));
    let due = arrival > this.#lastArrival ? arrival : this.#lastArrival;
    if (this.#happens(reorder)) due = after(due, milliseconds(reorderBy * this.#random.fraction()));
    else this.#lastArrival = due;
    const copy = this.#damage(new Uint8Array(bytes));
    this.#timeline.at(due, () => arrive(copy));
  }

  #damage(bytes: Uint8Array): Uint8Array {
    const { corrupt, truncate } = this.#conditions;
    if (bytes.length > 0 && this.#happens(corrupt)) {
      const at = this.#random.below(bytes.length);
      bytes[at] = bytes[at]! ^ (1 << this.#random.below(8));
    }
    return this.#happens(truncate) ? bytes.slice(0, this.#random.below(bytes.length)) : bytes;
  }

  #isInBurst(): boolean {
    const { burst } = this.#conditions;
    if (burst === undefined) return false;
    this.#bad = this.#bad ? !this.#happens(burst.leave) : this.#happens(burst.enter);
    return this.#bad && this.#happens(burst.loss);
  }

  /** Draws nothing for what cannot happen, so that conditions that are off cost nothing and change nothing. */
  #happens(probability: number): boolean {
    return probability > 0 && (probability >= 1 || this.#random.fraction() < probability);
  }
}
