import { ClusterError } from '../base/index.js';
import type { AeadKey, CryptoProvider } from './provider.js';

/** Bytes of a tag. */
export const TAG_LENGTH = 16;

/** Bytes of a cipher key. */
export const KEY_LENGTH = 32;

const WORD = 0x1_0000_0000;
const LAST_WORD = WORD - 1;

/**
 * CipherState of the Noise paper (section 5.1): a key, or none yet, and a 64-bit nonce that counts up. The nonce is two
 * unsigned 32-bit words.
 */
export class CipherState {
  readonly #provider: CryptoProvider;
  #key: AeadKey | undefined;
  #nonceHigh = 0;
  #nonceLow = 0;

  constructor(provider: CryptoProvider) {
    this.#provider = provider;
  }

  /** Sets the key (32 bytes, copied) and the nonce to 0; the previous key is overwritten. */
  initializeKey(key: Uint8Array): void {
    this.#key?.destroy();
    this.#key = this.#provider.aeadKey(key);
    this.setNonce(0, 0);
  }

  hasKey(): boolean {
    return this.#key !== undefined;
  }

  /** The next nonce as its high and its low word. */
  get nonce(): readonly [high: number, low: number] {
    return [this.#nonceHigh, this.#nonceLow];
  }

  /** Sets the next nonce, as `high · 2^32 + low`. For transports whose packets may be lost or come out of order. */
  setNonce(high: number, low: number): void {
    this.#nonceHigh = high;
    this.#nonceLow = low;
  }

  /**
   * Ciphertext and tag in a new array; without a key, a copy of the plaintext. Throws `INVALID_STATE` when all nonces
   * are used up (the last one is reserved).
   */
  encryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.#key === undefined) return plaintext.slice();
    this.#refuseLastNonce();
    const buffer = new Uint8Array(ad.length + plaintext.length + TAG_LENGTH);
    buffer.set(ad);
    buffer.set(plaintext, ad.length);
    this.#key.sealInPlace(this.#nonceHigh, this.#nonceLow, buffer, ad.length, plaintext.length);
    this.#countUp();
    return buffer.subarray(ad.length);
  }

  /** The plaintext; `undefined` when the tag is wrong, and then the nonce stays. Without a key, a copy of the text. */
  decryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    if (this.#key === undefined) return ciphertext.slice();
    this.#refuseLastNonce();
    const buffer = new Uint8Array(ad.length + ciphertext.length);
    buffer.set(ad);
    buffer.set(ciphertext, ad.length);
    const length = this.#key.openInPlace(this.#nonceHigh, this.#nonceLow, buffer, ad.length, buffer.length);
    if (length < 0) return undefined;
    this.#countUp();
    return buffer.subarray(ad.length, ad.length + length);
  }

  /** REKEY of section 4.2: the new key is what the old one makes of zeros under the reserved nonce. The nonce stays. */
  rekey(): void {
    if (this.#key === undefined) throw new ClusterError('INVALID_STATE', 'there is no key to replace yet');
    const buffer = new Uint8Array(KEY_LENGTH + TAG_LENGTH);
    this.#key.sealInPlace(LAST_WORD, LAST_WORD, buffer, 0, KEY_LENGTH);
    this.#key.destroy();
    this.#key = this.#provider.aeadKey(buffer.subarray(0, KEY_LENGTH));
    this.#provider.zero(buffer);
  }

  /** Overwrites the key. The object is then as before `initializeKey`. */
  destroy(): void {
    this.#key?.destroy();
    this.#key = undefined;
  }

  #refuseLastNonce(): void {
    if (this.#nonceHigh === LAST_WORD && this.#nonceLow === LAST_WORD)
      throw new ClusterError(
        'INVALID_STATE',
        'all nonces of this key are used up; a new handshake is needed',
      );
  }

  #countUp(): void {
    this.#nonceLow = (this.#nonceLow + 1) % WORD;
    if (this.#nonceLow === 0) this.#nonceHigh++;
  }
}
