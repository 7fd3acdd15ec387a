import { createHash } from 'node:crypto';

import type { CryptoProvider, HashFunction } from '../crypto/provider.js';
import { SodiumProvider } from '../sodium/index.js';

/** A hash function of OpenSSL. */
class OpenSslHash implements HashFunction {
  readonly name: HashFunction['name'];
  readonly hashLength: HashFunction['hashLength'];
  readonly blockLength: HashFunction['blockLength'];
  readonly #algorithm: string;

  constructor(
    name: HashFunction['name'],
    algorithm: string,
    hashLength: HashFunction['hashLength'],
    blockLength: HashFunction['blockLength'],
  ) {
    this.name = name;
    this.hashLength = hashLength;
    this.blockLength = blockLength;
    this.#algorithm = algorithm;
  }

  digest(...parts: readonly Uint8Array[]): Uint8Array {
    const hash = createHash(this.#algorithm);
    for (const part of parts) hash.update(part);
    // A plain array of its own: a Buffer would share the pool of its process.
    return new Uint8Array(hash.digest());
  }
}

/**
 * The crypto provider of Node: libsodium, with SHA-256, SHA-512 and BLAKE2s from OpenSSL.
 *
 * X25519 and Ed25519 stay with libsodium although OpenSSL computes them faster: it wants key objects, and making one
 * of a fresh key costs as much as it saves, and leaves a copy of the key that cannot be overwritten.
 */
export async function createCryptoProvider(): Promise<CryptoProvider> {
  return SodiumProvider.create([
    new OpenSslHash('SHA256', 'sha256', 32, 64),
    new OpenSslHash('SHA512', 'sha512', 64, 128),
    new OpenSslHash('BLAKE2s', 'blake2s256', 32, 64),
  ]);
}
