import { randomFillSync } from 'node:crypto';

import type { RandomSource } from '../base/index.js';

/** Bytes fetched at once: a call into OpenSSL costs more than the bytes do. */
const POOL_LENGTH = 4_096;

/** Random bytes of the operating system, from a pool. What was handed out is overwritten in the pool. */
export class SystemRandom implements RandomSource {
  readonly #pool = new Uint8Array(POOL_LENGTH);
  #used = POOL_LENGTH;

  fill(into: Uint8Array): void {
    if (into.length > POOL_LENGTH / 4) {
      randomFillSync(into);
      return;
    }
    if (this.#used + into.length > POOL_LENGTH) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const end = this.#used + into.length;
    into.set(this.#pool.subarray(this.#used, end));
    this.#pool.fill(0, this.#used, end);
    this.#used = end;
  }
}
