import { encodeText, type Instant, type RandomSource, randomBytes } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { NONCE_LENGTH } from './handshake-packets.js';
import type { Path } from './endpoint-paths.js';

/** How long a nonce is good: two of these at most. Longer than any path's round trip, too short to collect replays. */
const PERIOD_MS = 10_000;

/**
 * Nonces that prove an initiation to be no replay, without remembering any: each is a MAC over the path it was given to
 * and the period it was given in (docs/spec/02-handshake.md, "Replay of message 1").
 */
export class Freshness {
  readonly #provider: CryptoProvider;
  readonly #secret: Uint8Array;

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
    return (
      this.#provider.equal(nonce, this.#mac(path, period)) ||
      this.#provider.equal(nonce, this.#mac(path, period - 1))
    );
  }

  // Over a relay the address is the relay's and says nothing: there the channel stands for the sender.
  #mac(path: Path, period: number): Uint8Array {
    const source = encodeText(`${period}|${path.link}|${path.remote.key}|${path.channel ?? '-'}`);
    return this.#provider.blake2b(NONCE_LENGTH, source, this.#secret);
  }
}
