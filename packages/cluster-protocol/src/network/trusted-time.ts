import { days, malformed, minutes, parsed, wallTime } from '../base/index.js';
import type { Duration, Instant, Parsed, WallTime } from '../base/index.js';
import { Reader } from '../wire/reader.js';
import { encodeWith } from '../wire/writer.js';

/** How far a wall clock may be from a signed time and still be believed, and how early a certificate may be used. */
export const CLOCK_TOLERANCE: Duration = minutes(5);

/** Life of a membership certificate unless the network says otherwise. */
export const DEFAULT_CERTIFICATE_LIFE: Duration = days(180);

/** How long after its end a certificate is still good between members that could not reach the NMN since. */
export const DEFAULT_OFFLINE_GRACE: Duration = days(400);

/** When to ask for a new certificate: at two thirds of its life. */
export const renewalTime = (certificate: {
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
}): WallTime =>
  wallTime(Math.floor(certificate.notBefore + ((certificate.notAfter - certificate.notBefore) * 2) / 3));

/** What a moment means for a certificate. `graceful`: past its end, but good among members without contact to the NMN. */
export type TimeVerdict = 'valid' | 'graceful' | 'expired' | 'notYetValid';

/** What decides about certificates past their end. */
export interface GracePolicy {
  /** Default {@link DEFAULT_OFFLINE_GRACE}. */
  readonly offlineGrace?: Duration;
  /** When this node last heard from its NMN, by its trusted time; absent: never. */
  readonly lastNmnContact?: WallTime;
}

/** The time as one node may believe it at one moment. */
export interface TimeView {
  /** The confirmed wall clock, else the lower bound. */
  readonly time: WallTime;
  /** Whether a signed time agreed with the wall clock since boot. */
  readonly confirmed: boolean;
  judge(notBefore: WallTime, notAfter: WallTime): TimeVerdict;
}

/** Judges a validity span against `time` (docs/spec/05-network.md, section 7). */
export function judgeTime(
  time: WallTime,
  confirmed: boolean,
  span: { readonly notBefore: WallTime; readonly notAfter: WallTime },
  policy: GracePolicy = {},
): TimeVerdict {
  const { offlineGrace = DEFAULT_OFFLINE_GRACE, lastNmnContact } = policy;
  if (confirmed && span.notBefore - CLOCK_TOLERANCE > time) return 'notYetValid';
  if (time <= span.notAfter) return 'valid';
  const inTouchSince = lastNmnContact !== undefined && lastNmnContact > span.notAfter;
  return !inTouchSince && time - span.notAfter <= offlineGrace ? 'graceful' : 'expired';
}

const FORMAT = 1;

/**
 * What a node may believe about civil time. It keeps a lower bound that only moves up: the newest time that the
 * network's authority signed, plus uptime since. The wall clock counts from the moment on when a signed time agreed
 * with it, until it jumps.
 */
export class TrustedTime {
  #bound: WallTime;
  #boundAt: Instant;
  #clock: { readonly at: Instant; readonly wall: WallTime } | undefined;
  #confirmed = false;

  constructor(now: Instant, bound: WallTime = wallTime(0)) {
    this.#bound = bound;
    this.#boundAt = now;
  }

  /** A time kept by {@link snapshot}; the clock is unconfirmed, as after every boot. */
  static restore(now: Instant, bytes: Uint8Array): Parsed<TrustedTime> {
    const reader = new Reader(bytes);
    const format = reader.uint8();
    const bound = wallTime(reader.uint48());
    return reader.complete && format === FORMAT ? parsed(new TrustedTime(now, bound)) : malformed;
  }

  /** What must survive a restart: the lower bound as of `now`. Write it at least once an hour and after each rise. */
  snapshot(now: Instant): Uint8Array {
    return encodeWith(7, writer => writer.uint8(FORMAT).uint48(Math.floor(this.lowerBound(now))));
  }

  /** It is certainly not earlier than this. */
  lowerBound(now: Instant): WallTime {
    return wallTime(this.#bound + Math.max(0, now - this.#boundAt));
  }

  /**
   * The wall clock reads `wall`; to be called at start, before each judgement that matters, and whenever the driver
   * is told that the clock was set. A jump against uptime of more than the tolerance, or a reading before the lower
   * bound, makes the clock unconfirmed again.
   */
  handleClock(now: Instant, wall: WallTime): void {
    const expected = this.#wallAt(now);
    if (expected !== undefined && Math.abs(wall - expected) > CLOCK_TOLERANCE) this.#confirmed = false;
    if (wall < this.lowerBound(now) - CLOCK_TOLERANCE) this.#confirmed = false;
    this.#clock = { at: now, wall };
  }

  /**
   * Something that the network's authority signed says it is at least `signed`: raises the lower bound, and confirms a
   * wall clock that agrees. Only for signatures that were checked.
   */
  observeAuthority(now: Instant, signed: WallTime): void {
    if (signed > this.lowerBound(now)) {
      this.#bound = signed;
      this.#boundAt = now;
      const wall = this.#wallAt(now);
      if (wall !== undefined && wall < signed - CLOCK_TOLERANCE) this.#confirmed = false;
    }
    this.#confirm(now, signed);
  }

  /** A member says inside its session that it is `stated` now: confirms a wall clock that agrees and does nothing else. */
  observeMember(now: Instant, stated: WallTime): void {
    this.#confirm(now, stated);
  }

  /** What to believe at `now`. */
  at(now: Instant, policy: GracePolicy = {}): TimeView {
    const wall = this.#wallAt(now);
    const bound = this.lowerBound(now);
    const confirmed = this.#confirmed && wall !== undefined;
    const time = confirmed && wall > bound ? wall : bound;
    return {
      time,
      confirmed,
      judge: (notBefore, notAfter) => judgeTime(time, confirmed, { notBefore, notAfter }, policy),
    };
  }

  #confirm(now: Instant, signed: WallTime): void {
    const wall = this.#wallAt(now);
    if (wall === undefined || wall < this.lowerBound(now) - CLOCK_TOLERANCE) return;
    if (Math.abs(wall - signed) <= CLOCK_TOLERANCE) this.#confirmed = true;
  }

  #wallAt(now: Instant): WallTime | undefined {
    return this.#clock && wallTime(this.#clock.wall + (now - this.#clock.at));
  }
}
