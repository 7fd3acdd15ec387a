import { ClusterError } from '../base/index.js';
import type { HashFunction } from '../crypto/provider.js';
import { type SodiumMemory, WORKSPACE_LENGTH } from './sodium-memory.js';

/** Longest digest and longest key of BLAKE2b (RFC 7693, section 2.1). */
const MAX_LENGTH = 64;

/** BLAKE2b by libsodium: the hash of the Noise protocol name, and the keyed one. */
export class SodiumBlake2b implements HashFunction {
  readonly name = 'BLAKE2b';
  readonly hashLength = 64;
  readonly blockLength = 128;
  readonly #memory: SodiumMemory;

  constructor(memory: SodiumMemory) {
    this.#memory = memory;
  }

  digest(...parts: readonly Uint8Array[]): Uint8Array {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length > WORKSPACE_LENGTH) return this.#digestInPieces(parts);
    const memory = this.#memory;
    const heap = memory.raw.HEAPU8;
    let end = memory.workspace;
    for (const part of parts) {
      heap.set(part, end);
      end += part.length;
    }
    memory.raw._crypto_generichash(memory.result, MAX_LENGTH, memory.workspace, length, 0, 0, 0);
    const digest = memory.copyOut(memory.result, MAX_LENGTH);
    memory.giveBack(memory.workspace, length);
    return digest;
  }

  /** BLAKE2b with an output of `length` bytes (1–64) and a key of at most 64 bytes. */
  keyedDigest(length: number, message: Uint8Array, key: Uint8Array | undefined): Uint8Array {
    const keyLength = key?.length ?? 0;
    if (!Number.isInteger(length) || length < 1 || length > MAX_LENGTH || keyLength > MAX_LENGTH)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `BLAKE2b gives 1 to 64 bytes under a key of at most 64, not ${length} under ${keyLength}`,
      );
    const memory = this.#memory;
    const { raw, keyA, result } = memory;
    const at = memory.borrow(message.length);
    raw.HEAPU8.set(message, at);
    if (key !== undefined) raw.HEAPU8.set(key, keyA);
    raw._crypto_generichash(result, length, at, message.length, 0, keyLength === 0 ? 0 : keyA, keyLength);
    const digest = memory.copyOut(result, length);
    memory.giveBack(at, message.length);
    memory.wipeOperands();
    return digest;
  }

  #digestInPieces(parts: readonly Uint8Array[]): Uint8Array {
    const { raw, state, result, workspace } = this.#memory;
    raw._crypto_generichash_init(state, 0, 0, MAX_LENGTH);
    for (const part of parts)
      for (let at = 0; at < part.length; at += WORKSPACE_LENGTH) {
        const piece = part.subarray(at, at + WORKSPACE_LENGTH);
        raw.HEAPU8.set(piece, workspace);
        raw._crypto_generichash_update(state, workspace, piece.length, 0);
      }
    raw._crypto_generichash_final(state, result, MAX_LENGTH);
    const digest = this.#memory.copyOut(result, MAX_LENGTH);
    this.#memory.giveBack(workspace, WORKSPACE_LENGTH);
    this.#memory.wipeOperands();
    return digest;
  }
}
