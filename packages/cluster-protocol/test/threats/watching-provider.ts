import { toHex } from '../../src/base/index.js';
import type { AeadKey, CryptoProvider, HashFunction, HashName, KeyPair } from '../../src/crypto/provider.js';

/** A crypto provider that does what another one does, and tells who watches what passes. */
export class WatchingProvider implements CryptoProvider {
  /** Called with every AEAD key, ephemeral key and shared secret that is made; the bytes are about to be overwritten. */
  onKey: (key: Uint8Array) => void = () => undefined;
  /** Called with key and nonce of everything that is sealed, as hexadecimal text. */
  onSeal: (key: string, nonce: string) => void = () => undefined;
  protected readonly inner: CryptoProvider;

  constructor(inner: CryptoProvider) {
    this.inner = inner;
  }

  aeadKey(bytes: Uint8Array): AeadKey {
    this.onKey(bytes);
    const key = this.inner.aeadKey(bytes);
    const name = this.inner.blake2b(16, bytes);
    return {
      sealInPlace: (high, low, ...rest) => {
        this.onSeal(toHex(name), `${high}:${low}`);
        return key.sealInPlace(high, low, ...rest);
      },
      openInPlace: (...all) => key.openInPlace(...all),
      destroy: () => key.destroy(),
    };
  }

  xSeal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    this.onSeal(toHex(this.inner.blake2b(16, key)), toHex(nonce));
    return this.inner.xSeal(key, nonce, ad, plaintext);
  }

  xOpen(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.inner.xOpen(key, nonce, ad, sealed);
  }

  dhKeyPair(privateKey: Uint8Array): KeyPair {
    this.onKey(privateKey);
    return this.inner.dhKeyPair(privateKey);
  }

  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    const shared = this.inner.dh(privateKey, publicKey);
    if (shared) this.onKey(shared);
    return shared;
  }

  signingKeyPair(seed: Uint8Array): KeyPair {
    return this.inner.signingKeyPair(seed);
  }

  sign(key: KeyPair, message: Uint8Array): Uint8Array {
    return this.inner.sign(key, message);
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return this.inner.verify(publicKey, message, signature);
  }

  hash(name: HashName): HashFunction {
    return this.inner.hash(name);
  }

  blake2b(length: number, message: Uint8Array, key?: Uint8Array): Uint8Array {
    return this.inner.blake2b(length, message, key);
  }

  equal(a: Uint8Array, b: Uint8Array): boolean {
    return this.inner.equal(a, b);
  }

  zero(bytes: Uint8Array): void {
    this.inner.zero(bytes);
  }
}

/** The provider of somebody who has stolen one private key and poses as the holder of another, of which he has none. */
export class ImpostorProvider extends WatchingProvider {
  readonly #stolen: KeyPair;
  readonly #posedAs: Uint8Array;

  constructor(inner: CryptoProvider, stolen: KeyPair, posedAs: Uint8Array) {
    super(inner);
    this.#stolen = stolen;
    this.#posedAs = posedAs;
  }

  /** What stands for the private key that he has not. */
  get pretended(): KeyPair {
    return { publicKey: this.#posedAs, privateKey: PRETENDED };
  }

  override dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    if (!this.inner.equal(privateKey, PRETENDED)) return this.inner.dh(privateKey, publicKey);
    // With the stolen key he knows one product of the key that he lacks; for the others he can only guess.
    return this.inner.equal(publicKey, this.#stolen.publicKey)
      ? this.inner.dh(this.#stolen.privateKey, this.#posedAs)
      : new Uint8Array(32).fill(1);
  }
}

const PRETENDED = new Uint8Array(32).fill(0xfe);
