import { encodeText } from '../base/index.js';
import { CipherState, KEY_LENGTH } from './cipher-state.js';
import { hkdf } from './hkdf.js';
import type { CryptoProvider, HashFunction, HashName } from './provider.js';

const EMPTY = new Uint8Array(0);

/**
 * Begins the input of every exported key. Longer than 32 bytes, so that with any label the input differs in length from
 * those of MixKey (32) and Split (0) and no exported key can equal one of theirs.
 */
const EXPORT_LABEL: Uint8Array = encodeText('Coconet handshake exported key v1: ');

/** SymmetricState of the Noise paper (section 5.2): chaining key, handshake hash and the cipher under them. */
export class SymmetricState {
  readonly #provider: CryptoProvider;
  readonly #hash: HashFunction;
  readonly #cipher: CipherState;
  readonly #chainingKey: Uint8Array;
  readonly #handshakeHash: Uint8Array;
  /** What `#cipher` works with, kept for {@link fork}. */
  readonly #cipherKey: Uint8Array = new Uint8Array(KEY_LENGTH);

  private constructor(
    provider: CryptoProvider,
    hash: HashFunction,
    chainingKey: Uint8Array,
    handshakeHash: Uint8Array,
  ) {
    this.#provider = provider;
    this.#hash = hash;
    this.#cipher = new CipherState(provider);
    this.#chainingKey = chainingKey;
    this.#handshakeHash = handshakeHash;
  }

  /** InitializeSymmetric: a short name is padded with zeros, a long one hashed. */
  static initialize(provider: CryptoProvider, hashName: HashName, protocolName: string): SymmetricState {
    const hash = provider.hash(hashName);
    const name = encodeText(protocolName);
    const start = name.length > hash.hashLength ? hash.digest(name) : new Uint8Array(hash.hashLength);
    if (name.length <= hash.hashLength) start.set(name);
    return new SymmetricState(provider, hash, start.slice(), start);
  }

  hasKey(): boolean {
    return this.#cipher.hasKey();
  }

  mixKey(inputKeyMaterial: Uint8Array): void {
    const [chainingKey, key] = hkdf(this.#hash, this.#chainingKey, inputKeyMaterial, 2);
    this.#advance(chainingKey!, key!);
  }

  mixHash(data: Uint8Array): void {
    this.#handshakeHash.set(this.#hash.digest(this.#handshakeHash, data));
  }

  mixKeyAndHash(inputKeyMaterial: Uint8Array): void {
    const [chainingKey, hashInput, key] = hkdf(this.#hash, this.#chainingKey, inputKeyMaterial, 3);
    this.mixHash(hashInput!);
    this.#provider.zero(hashInput!);
    this.#advance(chainingKey!, key!);
  }

  /** A copy of the hash over everything both sides have seen so far. */
  getHandshakeHash(): Uint8Array {
    return this.#handshakeHash.slice();
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipher.encryptWithAd(this.#handshakeHash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /** `undefined` when the tag is wrong. */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#cipher.decryptWithAd(this.#handshakeHash, ciphertext);
    if (plaintext !== undefined) this.mixHash(ciphertext);
    return plaintext;
  }

  /** Split: the initiator's sending key, then the responder's, 32 bytes each. The caller overwrites them. */
  split(): readonly [Uint8Array, Uint8Array] {
    const [first, second] = hkdf(this.#hash, this.#chainingKey, EMPTY, 2);
    return [this.#shorten(first!), this.#shorten(second!)];
  }

  /** 32 bytes for the use that `label` names, from the chaining key as it is now. */
  exportKey(label: string): Uint8Array {
    const text = encodeText(label);
    const input = new Uint8Array(EXPORT_LABEL.length + text.length);
    input.set(EXPORT_LABEL);
    input.set(text, EXPORT_LABEL.length);
    const [output] = hkdf(this.#hash, this.#chainingKey, input, 1);
    return this.#shorten(output!);
  }

  /** An independent copy in the same state. */
  fork(): SymmetricState {
    const copy = new SymmetricState(
      this.#provider,
      this.#hash,
      this.#chainingKey.slice(),
      this.#handshakeHash.slice(),
    );
    if (this.#cipher.hasKey()) {
      copy.#cipherKey.set(this.#cipherKey);
      copy.#cipher.initializeKey(copy.#cipherKey);
      copy.#cipher.setNonce(...this.#cipher.nonce);
    }
    return copy;
  }

  /** Overwrites keys and hash. */
  destroy(): void {
    this.#cipher.destroy();
    this.#provider.zero(this.#chainingKey);
    this.#provider.zero(this.#cipherKey);
    this.#provider.zero(this.#handshakeHash);
  }

  #advance(chainingKey: Uint8Array, key: Uint8Array): void {
    this.#chainingKey.set(chainingKey);
    this.#cipherKey.set(key.subarray(0, KEY_LENGTH));
    this.#cipher.initializeKey(this.#cipherKey);
    this.#provider.zero(chainingKey);
    this.#provider.zero(key);
  }

  /** The first 32 bytes of an HKDF output; the rest is overwritten. */
  #shorten(output: Uint8Array): Uint8Array {
    const key = output.slice(0, KEY_LENGTH);
    this.#provider.zero(output);
    return key;
  }
}
