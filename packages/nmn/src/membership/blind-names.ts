import { type CryptoProvider, randomBytes, type RandomSource, toHex } from '@coconet/cluster-protocol/core';

/**
 * Names under which claims and tokens are looked up: MACs of their ids under a secret of this process. However long a
 * look-up takes, it tells nothing about how much of an id was guessed (threat T29).
 */
export class BlindNames {
  readonly #provider: CryptoProvider;
  readonly #secret: Uint8Array;

  constructor(provider: CryptoProvider, random: RandomSource) {
    this.#provider = provider;
    this.#secret = randomBytes(random, 32);
  }

  /** The name of an id; another one in each process. */
  of(id: Uint8Array): string {
    return toHex(this.#provider.blake2b(16, id, this.#secret));
  }
}
