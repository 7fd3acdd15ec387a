import { concatBytes, encodeText } from '../base/index.js';
import type { CryptoProvider } from './provider.js';

/** Bytes of mac1. */
export const MAC1_LENGTH = 16;

/** Separates this use of BLAKE2b from all others. */
const LABEL: Uint8Array = encodeText('Coconet mac1 v1');

const KEY_LENGTH = 32;

/**
 * The key of mac1 for packets to one node: BLAKE2b-256(label ‖ that node's static public key). Whoever knows that public
 * key can make a mac1, so it keeps out scanners and spoofed floods, not members. Make the object once for each static
 * key and keep it: the derivation is most of the work.
 */
export class Mac1Key {
  readonly #provider: CryptoProvider;
  readonly #key: Uint8Array;

  constructor(provider: CryptoProvider, receiverStatic: Uint8Array) {
    this.#provider = provider;
    this.#key = provider.blake2b(KEY_LENGTH, concatBytes(LABEL, receiverStatic));
  }

  /** mac1 of a packet that ends with it: BLAKE2b-128, keyed, over all bytes before it. */
  compute(bytesBefore: Uint8Array): Uint8Array {
    return this.#provider.blake2b(MAC1_LENGTH, bytesBefore, this.#key);
  }

  /** Whether `mac1` belongs to the bytes before it, in constant time. */
  verify(bytesBefore: Uint8Array, mac1: Uint8Array): boolean {
    return this.#provider.equal(this.compute(bytesBefore), mac1);
  }
}
