import { ClusterError } from '../base/index.js';
import type { AeadKey } from '../crypto/provider.js';
import { type SodiumMemory, WORKSPACE_LENGTH } from './sodium-memory.js';

/** Bytes of a Poly1305 tag. */
const TAG_LENGTH = 16;

/** No slot is at address 0; it marks a destroyed key. */
const DESTROYED = 0;

/** A ChaCha20-Poly1305 key in libsodium's memory. Sealing and opening allocate nothing for packets up to 2048 bytes. */
export class SodiumAeadKey implements AeadKey {
  readonly #memory: SodiumMemory;
  #slot: number;

  constructor(memory: SodiumMemory, key: Uint8Array) {
    this.#memory = memory;
    this.#slot = memory.takeKeySlot(key);
  }

  sealInPlace(
    nonceHigh: number,
    nonceLow: number,
    buffer: Uint8Array,
    adLength: number,
    plaintextLength: number,
  ): number {
    const textEnd = adLength + plaintextLength;
    const total = textEnd + TAG_LENGTH;
    if (!(adLength >= 0) || !(plaintextLength >= 0) || total > buffer.length || total > WORKSPACE_LENGTH)
      throw badLength('seal', adLength, plaintextLength, buffer.length);
    if (this.#slot === DESTROYED) throw destroyed();
    const memory = this.#memory;
    memory.loadPacket(buffer, textEnd);
    memory.setCounterNonce(nonceHigh, nonceLow);
    const text = memory.workspace + adLength;
    memory.raw._crypto_aead_chacha20poly1305_ietf_encrypt(
      text,
      0,
      text,
      plaintextLength,
      0,
      memory.workspace,
      adLength,
      0,
      0,
      memory.nonce,
      this.#slot,
    );
    memory.storePacket(buffer, total);
    return total;
  }

  openInPlace(
    nonceHigh: number,
    nonceLow: number,
    buffer: Uint8Array,
    adLength: number,
    length: number,
  ): number {
    if (!(adLength >= 0) || !(length >= 0) || length > buffer.length || length > WORKSPACE_LENGTH)
      throw badLength('open', adLength, length, buffer.length);
    if (this.#slot === DESTROYED) throw destroyed();
    const plaintextLength = length - adLength - TAG_LENGTH;
    if (plaintextLength < 0) return -1;
    const memory = this.#memory;
    memory.loadPacket(buffer, length);
    memory.setCounterNonce(nonceHigh, nonceLow);
    const text = memory.workspace + adLength;
    const failed = memory.raw._crypto_aead_chacha20poly1305_ietf_decrypt(
      text,
      0,
      0,
      text,
      plaintextLength + TAG_LENGTH,
      0,
      memory.workspace,
      adLength,
      0,
      memory.nonce,
      this.#slot,
    );
    if (failed !== 0) return -1;
    memory.storePacket(buffer, adLength + plaintextLength);
    return plaintextLength;
  }

  destroy(): void {
    if (this.#slot === DESTROYED) return;
    this.#memory.returnKeySlot(this.#slot);
    this.#slot = DESTROYED;
  }
}

function destroyed(): ClusterError {
  return new ClusterError('INVALID_STATE', 'this AEAD key was destroyed; make a new one with aeadKey()');
}

function badLength(verb: string, adLength: number, length: number, bufferLength: number): ClusterError {
  return new ClusterError(
    'INVALID_ARGUMENT',
    `cannot ${verb} ${length} bytes after ${adLength} bytes of associated data in a buffer of ${bufferLength}: ` +
      `the buffer must hold both and a tag of ${TAG_LENGTH}, and at most ${WORKSPACE_LENGTH} bytes are sealed at once`,
  );
}
