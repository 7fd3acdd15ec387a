import { encodeText, type Instant, type RandomSource, randomBytes, toHex } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { addressBytes } from '../wire/index.js';
import type { Path } from './endpoint-paths.js';

/** Initiations of one source in a second, and at one moment: WireGuard's limits. A NAT with hundred members gets them through in 5 s. */
const PER_SECOND = 20;
const BURST = 5;
/**
 * Sources remembered. One is forgotten as soon as its allowance is whole again, at the latest after a quarter of a
 * second, so 1,024 serve 20,480 handshakes a second; who comes beyond that waits.
 */
const MAX_SOURCES = 1_024;

const INTERVAL_MS = 1_000 / PER_SECOND;
const TOLERANCE_MS = (BURST - 1) * INTERVAL_MS;

/**
 * Limits what one source may have opened while the endpoint is loaded (docs/spec/02-handshake.md, "Load"). A source is
 * an IPv4 address, the /64 of an IPv6 address (whoever has one address of it has them all), or a relay channel. Only
 * sources that proved to be real are counted, so nobody can use up the allowance of another.
 */
export class SourceLimits {
  /** When the allowance of a source is whole again. */
  readonly #wholeAt = new Map<string, number>();
  #sweptAt = -Infinity;

  /** Sources remembered now. */
  get size(): number {
    return this.#wholeAt.size;
  }

  /** Whether one more initiation of this source may be opened; if so it is counted. */
  allows(now: Instant, path: Path): boolean {
    const source = sourceOf(path);
    const wholeAt = this.#wholeAt.get(source);
    if (wholeAt === undefined && this.#wholeAt.size >= MAX_SOURCES && !this.#forget(now)) return false;
    const from = Math.max(wholeAt ?? now, now);
    if (from > now + TOLERANCE_MS) return false;
    this.#wholeAt.set(source, from + INTERVAL_MS);
    return true;
  }

  // Looks through all of them, hence not for each packet of a flood.
  #forget(now: Instant): boolean {
    if (now < this.#sweptAt + INTERVAL_MS) return false;
    this.#sweptAt = now;
    for (const [source, wholeAt] of this.#wholeAt) if (wholeAt <= now) this.#wholeAt.delete(source);
    return this.#wholeAt.size < MAX_SOURCES;
  }
}

/**
 * Cookies for one source in a second, and at one moment. Sending one costs as much as reading ten packets, and a source
 * that floods has no use for more; yet who spoofs the address of a newcomer has to send a thousand a second to keep nine
 * of ten cookies from him.
 */
const COOKIES_PER_SECOND = 100;
const COOKIE_BURST = 32;
/** Sources share this many slots: 64 KiB, made under load only, whoever invents addresses. */
const SLOTS = 8_192;

/**
 * Limits the cookies that go to one source, which has proved nothing: no third party gets more of them than these. Slots
 * are chosen by a keyed hash, so nobody can aim at that of another.
 */
export class CookieLimits {
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  #wholeAt: Float64Array | undefined;
  #secret: Uint8Array | undefined;

  constructor(provider: CryptoProvider, random: RandomSource) {
    this.#provider = provider;
    this.#random = random;
  }

  /** Whether one more cookie may go to the source of this path; if so it is counted. */
  allows(now: Instant, path: Path): boolean {
    this.#secret ??= randomBytes(this.#random, 16);
    const hash = this.#provider.blake2b(2, encodeText(sourceOf(path)), this.#secret);
    const slot = ((hash[0]! << 8) | hash[1]!) % SLOTS;
    this.#wholeAt ??= new Float64Array(SLOTS);
    const from = Math.max(this.#wholeAt[slot]!, now);
    const interval = 1_000 / COOKIES_PER_SECOND;
    if (from > now + (COOKIE_BURST - 1) * interval) return false;
    this.#wholeAt[slot] = from + interval;
    return true;
  }
}

function sourceOf({ remote, channel, link }: Path): string {
  if (channel !== undefined) return `${link}|${remote.key}|${channel}`;
  return remote.family === 4 ? remote.host : toHex(addressBytes(remote).subarray(0, 8));
}
