import { ClusterError } from '../base/index.js';
import type { AeadKey, CryptoProvider, HashFunction, HashName, KeyPair } from '../crypto/provider.js';
import { loadRawSodium } from './raw-sodium.js';
import { SodiumAeadKey } from './sodium-aead-key.js';
import { SodiumBlake2b } from './sodium-blake2b.js';
import { KEY_LENGTH, SodiumMemory } from './sodium-memory.js';

const SIGNATURE_LENGTH = 64;
const X_NONCE_LENGTH = 24;
const TAG_LENGTH = 16;

/**
 * Cryptography by libsodium's WebAssembly, the same on every host. It has BLAKE2b; a host adds the other hashes it
 * wants by handing them in.
 */
export class SodiumProvider implements CryptoProvider {
  readonly #memory: SodiumMemory;
  readonly #blake2b: SodiumBlake2b;
  readonly #hashes: ReadonlyMap<HashName, HashFunction>;

  private constructor(memory: SodiumMemory, hostHashes: readonly HashFunction[]) {
    this.#memory = memory;
    this.#blake2b = new SodiumBlake2b(memory);
    this.#hashes = new Map([...hostHashes, this.#blake2b].map(hash => [hash.name, hash]));
  }

  /** Waits for libsodium to be compiled. `hostHashes`: hash functions that libsodium's standard build does not have. */
  static async create(hostHashes: readonly HashFunction[]): Promise<SodiumProvider> {
    return new SodiumProvider(new SodiumMemory(await loadRawSodium()), hostHashes);
  }

  dhKeyPair(privateKey: Uint8Array): KeyPair {
    checkLength('an X25519 private key', privateKey, KEY_LENGTH);
    const { raw, keyA, result } = this.#memory;
    raw.HEAPU8.set(privateKey, keyA);
    raw._crypto_scalarmult_base(result, keyA);
    const publicKey = this.#memory.copyOut(result, KEY_LENGTH);
    this.#memory.wipeOperands();
    return { publicKey, privateKey: privateKey.slice() };
  }

  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    checkLength('an X25519 private key', privateKey, KEY_LENGTH);
    checkLength('an X25519 public key', publicKey, KEY_LENGTH);
    const { raw, keyA, keyB, result } = this.#memory;
    raw.HEAPU8.set(privateKey, keyA);
    raw.HEAPU8.set(publicKey, keyB);
    const failed = raw._crypto_scalarmult(result, keyA, keyB);
    const shared = failed === 0 ? this.#memory.copyOut(result, KEY_LENGTH) : undefined;
    this.#memory.wipeOperands();
    return shared;
  }

  signingKeyPair(seed: Uint8Array): KeyPair {
    checkLength('an Ed25519 seed', seed, KEY_LENGTH);
    const { raw, keyA, keyB, result } = this.#memory;
    raw.HEAPU8.set(seed, keyB);
    raw._crypto_sign_seed_keypair(result, keyA, keyB);
    const publicKey = this.#memory.copyOut(result, KEY_LENGTH);
    this.#memory.wipeOperands();
    return { publicKey, privateKey: seed.slice() };
  }

  sign(key: KeyPair, message: Uint8Array): Uint8Array {
    checkLength('an Ed25519 seed', key.privateKey, KEY_LENGTH);
    checkLength('an Ed25519 public key', key.publicKey, KEY_LENGTH);
    const { raw, keyA, result } = this.#memory;
    const at = this.#lend(message);
    raw.HEAPU8.set(key.privateKey, keyA); // libsodium's secret key is the seed and the public key after it.
    raw.HEAPU8.set(key.publicKey, keyA + KEY_LENGTH);
    raw._crypto_sign_detached(result, 0, at, message.length, 0, keyA);
    const signature = this.#memory.copyOut(result, SIGNATURE_LENGTH);
    this.#memory.giveBack(at, message.length);
    this.#memory.wipeOperands();
    return signature;
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== KEY_LENGTH || signature.length !== SIGNATURE_LENGTH) return false;
    const { raw, keyA, result } = this.#memory;
    const at = this.#lend(message);
    raw.HEAPU8.set(publicKey, keyA);
    raw.HEAPU8.set(signature, result);
    const failed = raw._crypto_sign_verify_detached(result, at, message.length, 0, keyA);
    this.#memory.giveBack(at, message.length);
    return failed === 0;
  }

  hash(name: HashName): HashFunction {
    const hash = this.#hashes.get(name);
    if (hash === undefined)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `this provider has no ${name}; it has ${[...this.#hashes.keys()].join(', ')}`,
      );
    return hash;
  }

  blake2b(length: number, message: Uint8Array, key?: Uint8Array): Uint8Array {
    return this.#blake2b.keyedDigest(length, message, key);
  }

  aeadKey(key: Uint8Array): AeadKey {
    checkLength('a ChaCha20-Poly1305 key', key, KEY_LENGTH);
    return new SodiumAeadKey(this.#memory, key);
  }

  xSeal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const at = this.#lendForX(key, nonce, ad, plaintext, TAG_LENGTH);
    const { raw, keyA, nonce: nonceAt } = this.#memory;
    const text = at + ad.length;
    raw._crypto_aead_xchacha20poly1305_ietf_encrypt(
      text,
      0,
      text,
      plaintext.length,
      0,
      at,
      ad.length,
      0,
      0,
      nonceAt,
      keyA,
    );
    const sealed = this.#memory.copyOut(text, plaintext.length + TAG_LENGTH);
    this.#memory.giveBack(at, ad.length + plaintext.length + TAG_LENGTH);
    this.#memory.wipeOperands();
    return sealed;
  }

  xOpen(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < TAG_LENGTH) return undefined;
    const at = this.#lendForX(key, nonce, ad, sealed, 0);
    const { raw, keyA, nonce: nonceAt } = this.#memory;
    const text = at + ad.length;
    const failed = raw._crypto_aead_xchacha20poly1305_ietf_decrypt(
      text,
      0,
      0,
      text,
      sealed.length,
      0,
      at,
      ad.length,
      0,
      nonceAt,
      keyA,
    );
    const plaintext = failed === 0 ? this.#memory.copyOut(text, sealed.length - TAG_LENGTH) : undefined;
    this.#memory.giveBack(at, ad.length + sealed.length);
    this.#memory.wipeOperands();
    return plaintext;
  }

  equal(a: Uint8Array, b: Uint8Array): boolean {
    if (a.length !== b.length) return false;
    let difference = 0;
    for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
    return difference === 0;
  }

  zero(bytes: Uint8Array): void {
    bytes.fill(0);
  }

  /** Copies a message to where libsodium reads it; `giveBack` with its length. */
  #lend(message: Uint8Array): number {
    const at = this.#memory.borrow(message.length);
    this.#memory.raw.HEAPU8.set(message, at);
    return at;
  }

  #lendForX(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, text: Uint8Array, spare: number): number {
    checkLength('an XChaCha20-Poly1305 key', key, KEY_LENGTH);
    checkLength('an XChaCha20 nonce', nonce, X_NONCE_LENGTH);
    const { raw, keyA, nonce: nonceAt } = this.#memory;
    const at = this.#memory.borrow(ad.length + text.length + spare);
    raw.HEAPU8.set(key, keyA);
    raw.HEAPU8.set(nonce, nonceAt);
    raw.HEAPU8.set(ad, at);
    raw.HEAPU8.set(text, at + ad.length);
    return at;
  }
}

function checkLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length)
    throw new ClusterError('INVALID_ARGUMENT', `${what} has ${length} bytes, but ${bytes.length} were given`);
}
