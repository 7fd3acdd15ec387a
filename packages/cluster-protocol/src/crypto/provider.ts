/** A hash function by its name in a Noise protocol name. */
export type HashName = 'BLAKE2b' | 'BLAKE2s' | 'SHA256' | 'SHA512';

/** One hash function. */
export interface HashFunction {
  readonly name: HashName;
  /** Bytes of a digest (HASHLEN of the Noise paper). */
  readonly hashLength: 32 | 64;
  /** Bytes of an inner block, which HMAC needs (BLOCKLEN). */
  readonly blockLength: 64 | 128;
  /** The digest of all parts one after the other, in a new array. */
  digest(...parts: readonly Uint8Array[]): Uint8Array;
}

/** An X25519 or Ed25519 key pair; 32 bytes each. For Ed25519 `privateKey` is the seed of RFC 8032. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/**
 * One ChaCha20-Poly1305 key (RFC 8439), kept where the provider likes. The nonce is Noise's: four zero bytes, then the
 * 64-bit counter in little-endian order, given as two unsigned 32-bit numbers so that no bigint is made per packet.
 */
export interface AeadKey {
  /**
   * Encrypts `buffer[adLength, adLength + plaintextLength)` in place, with `buffer[0, adLength)` as associated data,
   * and writes the 16-byte tag behind it. Returns the length of the whole: `adLength + plaintextLength + 16`.
   */
  sealInPlace(
    nonceHigh: number,
    nonceLow: number,
    buffer: Uint8Array,
    adLength: number,
    plaintextLength: number,
  ): number;
  /**
   * The inverse, over `buffer[0, length)`. Returns the length of the plaintext, which then begins at `adLength`, or
   * −1 when the tag is wrong; the buffer's content is then undefined and must not be used.
   */
  openInPlace(
    nonceHigh: number,
    nonceLow: number,
    buffer: Uint8Array,
    adLength: number,
    length: number,
  ): number;
  /** Overwrites the key. Using the object afterwards throws. */
  destroy(): void;
}

/** All cryptography that the core uses. Every implementation passes the same vectors. */
export interface CryptoProvider {
  /** The X25519 key pair of a 32-byte private key. */
  dhKeyPair(privateKey: Uint8Array): KeyPair;
  /** X25519. `undefined` when the result would be all zero (a public key of low order, RFC 7748 section 6.1). */
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
  /** The Ed25519 key pair of a 32-byte seed. */
  signingKeyPair(seed: Uint8Array): KeyPair;
  /** An Ed25519 signature, 64 bytes. */
  sign(key: KeyPair, message: Uint8Array): Uint8Array;
  /** Strict Ed25519 verification: refuses S ≥ L and keys of small order. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** A hash function, or a `ClusterError` `INVALID_ARGUMENT` when this provider has none of that name. */
  hash(name: HashName): HashFunction;
  /** BLAKE2b with an output of `length` bytes (1–64) and an optional key (≤ 64 bytes): a MAC and a key derivation. */
  blake2b(length: number, message: Uint8Array, key?: Uint8Array): Uint8Array;
  /** A ChaCha20-Poly1305 key; the 32 bytes are copied. */
  aeadKey(key: Uint8Array): AeadKey;
  /** XChaCha20-Poly1305 (24-byte nonce): ciphertext and tag in a new array. */
  xSeal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext, or `undefined` when the tag is wrong. */
  xOpen(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** Whether two secrets are the same, in time that depends on their length alone. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** Overwrites a secret that is no longer needed. */
  zero(bytes: Uint8Array): void;
}
