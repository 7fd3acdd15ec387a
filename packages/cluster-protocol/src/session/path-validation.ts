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

const NONE: readonly never[] = [];

interface Challenge {
  readonly high: number;
  readonly low: number;
}

interface SentChallenge extends Challenge {
  readonly sentAt: Instant;
}

/** Challenges and responses of one path (RFC 9000, section 8.2). Rare: each is an object, and most paths hold none. */
export class PathValidation {
  /** Ours that may still be answered, the newest first. */
  #sent: readonly SentChallenge[] = NONE;
  /** The peer's that wait for their answer, the oldest first. */
  #owed: readonly Challenge[] = NONE;
  #attemptsLeft = 0;
  #interval: Duration = milliseconds(0);
  #repeatAt: Instant | undefined;

  /** Whether a challenge should be sent as soon as possible. */
  challengeDue = false;
  /** Whether that packet is padded to the working size, so that the answer proves the size as well. */
  full = false;

  /** Responses that wait to be sent. */
  get owed(): number {
    return this.#owed.length;
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
    const challenge = { high: readUint32(scratch, 0), low: readUint32(scratch, 4), sentAt: now };
    this.#sent = [challenge, ...this.#sent].slice(0, REMEMBERED_CHALLENGES);
    this.challengeDue = false;
    this.full = false;
  }

  /** The newest challenge made. */
  get challengeHigh(): number {
    return this.#sent[0]?.high ?? 0;
  }

  /** The newest challenge made, last four bytes. */
  get challengeLow(): number {
    return this.#sent[0]?.low ?? 0;
  }

  /** The round trip that a response proves, or `undefined` when no challenge of ours asked for it. */
  answered(now: Instant, high: number, low: number): Duration | undefined {
    const challenge = this.#sent.find(each => each.high === high && each.low === low);
    if (challenge === undefined) return undefined;
    this.#sent = NONE;
    this.#attemptsLeft = 0;
    this.#repeatAt = undefined;
    return elapsed(challenge.sentAt, now);
  }

  /** Remembers a challenge of the peer. The oldest waiting one gives way when there are too many. */
  owe(high: number, low: number): void {
    this.#owed = [...this.#owed, { high, low }].slice(-WAITING_RESPONSES);
  }

  owedHigh(index: number): number {
    return this.#owed[index]!.high;
  }

  owedLow(index: number): number {
    return this.#owed[index]!.low;
  }

  /** The first `count` responses were sent. They are never repeated: the peer repeats its challenge. */
  paid(count: number): void {
    this.#owed = count === this.#owed.length ? NONE : this.#owed.slice(count);
  }
}
