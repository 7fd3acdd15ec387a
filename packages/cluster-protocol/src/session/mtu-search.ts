import { after, instant, seconds, type Duration, type Instant } from '../base/index.js';
import { MAX_DATAGRAM, MIN_PATH_DATAGRAM } from '../wire/index.js';
import { SizeFailure } from './size-failure.js';

/**
 * Sizes to try, in bytes of UDP payload: IPv6's minimum link, common tunnels, DSL, and Ethernet under IPv6
 * (docs/spec/03-session.md, section 12). Above the last, only what the driver proved the link to carry is tried.
 */
export const MTU_LADDER: readonly number[] = [1_280, 1_360, 1_400, 1_452];

/** Where no size is left to try, it is looked again after this: the driver may have learnt more. */
const RETRY: Duration = seconds(600);

/**
 * Below the base nothing is cut up by anybody, and what made it look narrow was more likely bad luck: the base is tried again
 * soon.
 */
const BASE_RETRY: Duration = seconds(30);

/** Bursts of losses among large packets alone, with none of them acknowledged in between, that betray a black hole. */
const SUSPICIOUS_BURSTS = 3;

/** Nearly every path carries the base: this much bad luck in a row is needed to believe otherwise. */
const SUSPICIOUS_BURSTS_AT_BASE = 8;

type SearchState =
  /** Nobody filled a packet yet: nothing is tried for a node that has little to say. */
  | { readonly kind: 'idle' }
  /** A size waits to be probed, or its probe is on its way. */
  | { readonly kind: 'searching'; readonly candidate: number; readonly sent: boolean }
  /** Nothing larger is tried before `retryAt`. */
  | { readonly kind: 'settled'; readonly retryAt: Instant };

/** The largest size that one path carries, by probing (RFC 8899), with detection of black holes. */
export class MtuSearch {
  #state: SearchState = { kind: 'idle' };
  #size: number;
  #limit: number;
  readonly #failure: SizeFailure;
  #suspicious = 0;
  #probedAt: Instant = instant(0);
  /** Whether the size fell because nothing at all was heard, which a cut link explains as well. */
  #silenced = false;

  /** Whether the latest probe left in pieces: that it arrives proves nothing. */
  #isVoid = false;

  /** `limit` is what may be tried at most, in bytes of UDP payload; `failure` what is known of the host. */
  constructor(limit: number, failure: SizeFailure = new SizeFailure()) {
    this.#limit = limit;
    this.#failure = failure;
    this.#size = Math.min(MAX_DATAGRAM, limit);
  }

  /** Bytes of UDP payload that packets may have. */
  get size(): number {
    return this.#size;
  }

  /** What may be tried at most. */
  get limit(): number {
    return this.#limit;
  }

  /** The driver knows another limit: that of the interface through which the path leads now. */
  setLimit(limit: number): void {
    if (limit === this.#limit) return;
    this.#limit = limit;
    this.#size = Math.min(this.#size, limit);
    this.#state = { kind: 'idle' };
  }

  /** A packet was filled: a larger one would be of use. */
  wanted(now: Instant): void {
    if (this.#state.kind === 'searching' || (this.#state.kind === 'settled' && now < this.#state.retryAt))
      return;
    this.#search(now);
  }

  /** The size of the probe that is to be sent now. */
  get probeDue(): number | undefined {
    return this.#state.kind === 'searching' && !this.#state.sent ? this.#state.candidate : undefined;
  }

  /** A probe of that size went out. */
  probed(now: Instant): void {
    this.#probedAt = now;
    this.#isVoid = false;
    if (this.#state.kind === 'searching') this.#state = { ...this.#state, sent: true };
  }

  /** The probe of that size counts as lost: it is too large, as far as we can know. */
  probeLost(size: number): void {
    if (this.#state.kind === 'searching' && this.#state.candidate === size) this.#fail(this.#probedAt, size);
  }

  /** A probe of that size arrived. */
  probeArrived(size: number): void {
    if (size > this.#limit || size <= this.#size || this.#isVoid) return;
    this.#size = size;
    this.#suspicious = 0;
    this.#failure.arrived(size);
    this.#search(this.#probedAt);
  }

  /** The operating system refused a packet: a probe, or what it took before. Tells whether the size fell. */
  refused(now: Instant): boolean {
    if (this.#state.kind !== 'searching' || !this.#state.sent) return this.#fall(now);
    this.#fail(now, this.#state.candidate);
    return false;
  }

  /** The operating system cut a packet above the base into pieces, a probe or another. Tells whether the size fell. */
  cut(now: Instant): boolean {
    this.#isVoid = true;
    const falls = this.#size > MAX_DATAGRAM;
    if (falls) this.#size = MAX_DATAGRAM;
    this.#fail(now, falls || this.#state.kind !== 'searching' ? MAX_DATAGRAM + 1 : this.#state.candidate);
    return falls;
  }

  /** A packet of that size was acknowledged. */
  acknowledged(now: Instant, size: number): void {
    if (size > this.#lower) this.#suspicious = 0;
    if (!this.#silenced) return;
    this.#silenced = false;
    this.#search(now);
  }

  /** Packets were lost in one go, the smallest of that size. Tells whether the size fell. */
  lost(now: Instant, smallest: number): boolean {
    const size = this.#size;
    if (smallest <= this.#lower || ++this.#suspicious < this.#patience || !this.#fall(now)) return false;
    if (size > MAX_DATAGRAM) this.#fail(now, size);
    return true;
  }

  /** Probe timeouts in a row, nothing is heard: large packets may be what does not pass. Tells whether the size fell. */
  silent(now: Instant): boolean {
    if (++this.#suspicious < this.#patience || !this.#fall(now)) return false;
    this.#silenced = true;
    return true;
  }

  /** What is left if the size turns out to be too large. */
  get #lower(): number {
    return this.#size > MAX_DATAGRAM ? MAX_DATAGRAM : MIN_PATH_DATAGRAM;
  }

  get #patience(): number {
    return this.#size > MAX_DATAGRAM ? SUSPICIOUS_BURSTS : SUSPICIOUS_BURSTS_AT_BASE;
  }

  #fall(now: Instant): boolean {
    this.#suspicious = 0;
    if (this.#size <= MIN_PATH_DATAGRAM) return false;
    this.#size = this.#lower;
    this.#settle(now);
    return true;
  }

  #search(now: Instant): void {
    const candidate = [MAX_DATAGRAM, ...MTU_LADDER, this.#limit].find(
      size => size > this.#size && size <= this.#limit,
    );
    const until = candidate === undefined ? undefined : this.#failure.forbids(now, candidate);
    if (until !== undefined) this.#state = { kind: 'settled', retryAt: until };
    else if (candidate === undefined) this.#settle(now);
    else this.#state = { kind: 'searching', candidate, sent: false };
  }

  /** A size failed: it is not tried again for a while, on this path and on others to the same host. */
  #fail(now: Instant, size: number): void {
    this.#settle(now);
    if (size > MAX_DATAGRAM) this.#failure.note(now, size);
  }

  #settle(now: Instant): void {
    this.#state = { kind: 'settled', retryAt: after(now, this.#size < MAX_DATAGRAM ? BASE_RETRY : RETRY) };
  }
}
