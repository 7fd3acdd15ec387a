import {
  after,
  elapsed,
  milliseconds,
  type Duration,
  type Instant,
  type RandomSource,
} from '../base/index.js';
import { PATH_CHALLENGE, readUint32 } from '../wire/index.js';

/** Challenges that may be answered late: four cover the repetitions within one slow round trip. */
const REMEMBERED_CHALLENGES = 4;

/** Challenges of the peer that wait for their answer; more at once are not honest, and each costs a frame. */
const WAITING_RESPONSES = 4;

/** How often a challenge that the session sends by itself is repeated before it gives the path up until it hears from it again. */
const ATTEMPTS = 5;

/** Challenges and responses of one path (RFC 9000, section 8.2). */
export class PathValidation {
  /** high, low, and when it was sent; a ring. */
  readonly #sentHigh = new Uint32Array(REMEMBERED_CHALLENGES);
  readonly #sentLow = new Uint32Array(REMEMBERED_CHALLENGES);
  readonly #sentAt = new Float64Array(REMEMBERED_CHALLENGES).fill(-Infinity);
  #sent = 0;
  readonly #owedHigh = new Uint32Array(WAITING_RESPONSES);
  readonly #owedLow = new Uint32Array(WAITING_RESPONSES);
  #owed = 0;
  #attemptsLeft = 0;
  #interval: Duration = milliseconds(0);
  #repeatAt: Instant | undefined;

  /** Whether a challenge should be sent as soon as possible. */
  challengeDue = false;
  /** Whether that packet is padded to the working size, so that the answer proves the size as well. */
  full = false;

  /** Responses that wait to be sent. */
  get owed(): number {
    return this.#owed;
  }

  /** When a challenge of the session's own is repeated. */
  get repeatAt(): Instant | undefined {
    return this.#repeatAt;
  }

  /** Asks for one challenge. */
  request(full: boolean): void {
    this.challengeDue = true;
    this.full ||= full;
  }

  /** Asks for challenges until one is answered or the attempts are used up; no effect while that goes on. */
  requestRepeated(now: Instant, interval: Duration): void {
    if (this.#attemptsLeft > 0 || this.#repeatAt !== undefined) return;
    this.challengeDue = true;
    this.#attemptsLeft = ATTEMPTS - 1;
    this.#interval = interval;
    this.#repeatAt = after(now, interval);
  }

  /** The time for a repetition came; intervals double. */
  repeat(now: Instant): void {
    if (this.#attemptsLeft === 0) {
      this.#repeatAt = undefined;
      return;
    }
    this.#attemptsLeft--;
    this.challengeDue = true;
    this.#interval = milliseconds(2 * this.#interval);
    this.#repeatAt = after(now, this.#interval);
  }

  /** Makes the challenge that now goes out: its 8 bytes as `challengeHigh` and `challengeLow`. */
  makeChallenge(now: Instant, random: RandomSource, scratch: Uint8Array): void {
    random.fill(scratch.subarray(0, PATH_CHALLENGE));
    const slot = this.#sent++ % REMEMBERED_CHALLENGES;
    this.#sentHigh[slot] = readUint32(scratch, 0);
    this.#sentLow[slot] = readUint32(scratch, 4);
    this.#sentAt[slot] = now;
    this.challengeDue = false;
    this.full = false;
  }

  /** The newest challenge made. */
  get challengeHigh(): number {
    return this.#sentHigh[(this.#sent - 1) % REMEMBERED_CHALLENGES]!;
  }

  /** The newest challenge made, last four bytes. */
  get challengeLow(): number {
    return this.#sentLow[(this.#sent - 1) % REMEMBERED_CHALLENGES]!;
  }

  /** The round trip that a response proves, or `undefined` when no challenge of ours asked for it. */
  answered(now: Instant, high: number, low: number): Duration | undefined {
    for (let slot = 0; slot < REMEMBERED_CHALLENGES; slot++) {
      const sentAt = this.#sentAt[slot]!;
      if (sentAt === -Infinity || this.#sentHigh[slot] !== high || this.#sentLow[slot] !== low) continue;
      this.#sentAt.fill(-Infinity);
      this.#attemptsLeft = 0;
      this.#repeatAt = undefined;
      return elapsed(sentAt as Instant, now);
    }
    return undefined;
  }

  /** Remembers a challenge of the peer. The oldest waiting one gives way when there are too many. */
  owe(high: number, low: number): void {
    if (this.#owed === WAITING_RESPONSES) this.paid(1);
    this.#owedHigh[this.#owed] = high;
    this.#owedLow[this.#owed] = low;
    this.#owed++;
  }

  owedHigh(index: number): number {
    return this.#owedHigh[index]!;
  }

  owedLow(index: number): number {
    return this.#owedLow[index]!;
  }

  /** The first `count` responses were sent. They are never repeated: the peer repeats its challenge. */
  paid(count: number): void {
    this.#owedHigh.copyWithin(0, count);
    this.#owedLow.copyWithin(0, count);
    this.#owed -= count;
  }
}
