import { encodeText, type Instant, type RandomSource, randomBytes } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { type Path, pathName } from './endpoint-paths.js';
import { NONCE_LENGTH } from './handshake-packets.js';

/** How long a nonce is good: two of these at most. Longer than any path's round trip, too short to collect replays. */
const PERIOD_MS = 10_000;

/**
 * Nonces that prove an initiation to be no replay, without remembering any: each is a MAC over the path it was given to,
 * under a key of the period it was given in (docs/spec/02-handshake.md, "Replay of message 1"). The lowest bit tells an
 * even period from an odd one, so that a flood of false nonces costs one MAC each.
 */
export class Freshness {
  readonly #provider: CryptoProvider;
  readonly #secret: Uint8Array;
  /** Keys of the even and of the odd period used last. */
  readonly #keys: { period: number; key: Uint8Array }[] = [];

  constructor(provider: CryptoProvider, random: RandomSource) {
    this.#provider = provider;
    this.#secret = randomBytes(random, 32);
  }

  /** The nonce for whoever sends on `path` now. */
  nonce(now: Instant, path: Path): Uint8Array {
    return this.#mac(path, Math.floor(now / PERIOD_MS));
  }

  /** Whether `nonce` was given to `path` in this period or the one before. */
  proves(now: Instant, path: Path, nonce: Uint8Array): boolean {
    const period = Math.floor(now / PERIOD_MS);
    const isOfThis = (nonce[NONCE_LENGTH - 1]! & 1) === (period & 1);
    return this.#provider.equal(nonce, this.#mac(path, isOfThis ? period : period - 1));
  }

  #mac(path: Path, period: number): Uint8Array {
    const nonce = this.#provider.blake2b(NONCE_LENGTH, pathName(path), this.#keyOf(period));
    nonce[NONCE_LENGTH - 1] = (nonce[NONCE_LENGTH - 1]! & 0xfe) | (period & 1);
    return nonce;
  }

  #keyOf(period: number): Uint8Array {
    const parity = period & 1;
    const known = this.#keys[parity];
    if (known?.period === period) return known.key;
    const key = this.#provider.blake2b(32, encodeText(String(period)), this.#secret);
    this.#keys[parity] = { period, key };
    return key;
  }
}
