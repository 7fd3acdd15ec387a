import { toHex } from '../base/index.js';
import type { AeadKey, CryptoProvider, HashFunction, HashName, KeyPair } from '../crypto/provider.js';

/** The highest nonce so far under one key. */
interface Mark {
  high: number;
  low: number;
}

/**
 * A crypto provider that does what another one does and sees to it that no nonce comes twice under one key, whichever
 * object or process of the run holds the key. Nonces of our packets only ever rise, so that the highest one is enough.
 */
export class NonceWatch implements CryptoProvider {
  /** What was sealed twice under one nonce, or under a lower one than before; empty in a sound run. */
  readonly reused: string[] = [];
  readonly #inner: CryptoProvider;
  readonly #marks = new Map<string, Mark>();
  readonly #extended = new Set<string>();

  constructor(inner: CryptoProvider) {
    this.#inner = inner;
  }

  /** Keys that were ever used. */
  get keys(): number {
    return this.#marks.size;
  }

  aeadKey(bytes: Uint8Array): AeadKey {
    const name = toHex(bytes);
    const mark = this.#marks.get(name) ?? { high: -1, low: -1 };
    this.#marks.set(name, mark);
    const key = this.#inner.aeadKey(bytes);
    return {
      sealInPlace: (high, low, buffer, adLength, plaintextLength) => {
        if (high < mark.high || (high === mark.high && low <= mark.low))
          this.reused.push(`nonce ${high}:${low} after ${mark.high}:${mark.low} under ${name.slice(0, 8)}…`);
        mark.high = high;
        mark.low = low;
        return key.sealInPlace(high, low, buffer, adLength, plaintextLength);
      },
      openInPlace: (high, low, buffer, adLength, length) =>
        key.openInPlace(high, low, buffer, adLength, length),
      destroy: () => {
        key.destroy();
      },
    };
  }

  xSeal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const name = `${toHex(key)}/${toHex(nonce)}`;
    if (this.#extended.has(name)) this.reused.push(`extended nonce ${toHex(nonce)}`);
    this.#extended.add(name);
    return this.#inner.xSeal(key, nonce, ad, plaintext);
  }

  xOpen(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.#inner.xOpen(key, nonce, ad, sealed);
  }

  dhKeyPair(privateKey: Uint8Array): KeyPair {
    return this.#inner.dhKeyPair(privateKey);
  }

  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    return this.#inner.dh(privateKey, publicKey);
  }

  signingKeyPair(seed: Uint8Array): KeyPair {
    return this.#inner.signingKeyPair(seed);
  }

  sign(key: KeyPair, message: Uint8Array): Uint8Array {
    return this.#inner.sign(key, message);
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return this.#inner.verify(publicKey, message, signature);
  }

  hash(name: HashName): HashFunction {
    return this.#inner.hash(name);
  }

  blake2b(length: number, message: Uint8Array, key?: Uint8Array): Uint8Array {
    return this.#inner.blake2b(length, message, key);
  }

  equal(a: Uint8Array, b: Uint8Array): boolean {
    return this.#inner.equal(a, b);
  }

  zero(bytes: Uint8Array): void {
    this.#inner.zero(bytes);
  }
}
