import {
  type CryptoProvider,
  type Duration,
  encodeText,
  fromHex,
  randomBytes,
  type RandomSource,
  toHex,
  type WallTime,
  wallTime,
} from '@coconet/cluster-protocol/core';

/** Bytes of an operator token: as unguessable as a claim. */
const TOKEN_LENGTH = 16;

/** Tokens that may wait at once; the oldest makes room. An operator makes one at a time. */
const MAX_TOKENS = 64;

const KEY = encodeText('coconet operator token v1');

/** A token in the hand of the operator, and what the NMN keeps of it. */
export interface FreshToken {
  readonly token: Uint8Array;
  readonly hash: Uint8Array;
  readonly expiresAt: WallTime;
  /** Hashes of tokens that made room. */
  readonly forgotten: readonly Uint8Array[];
}

/** One-time tokens with which an operator lets somebody create a network. Kept as hashes only. */
export class OperatorTokens {
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  readonly #life: Duration;
  readonly #expiry = new Map<string, WallTime>();

  constructor(
    provider: CryptoProvider,
    random: RandomSource,
    life: Duration,
    tokens: readonly { readonly hash: Uint8Array; readonly expiresAt: WallTime }[] = [],
  ) {
    this.#provider = provider;
    this.#random = random;
    this.#life = life;
    for (const { hash, expiresAt } of tokens) this.#expiry.set(toHex(hash), expiresAt);
  }

  create(wall: WallTime): FreshToken {
    const token = randomBytes(this.#random, TOKEN_LENGTH);
    const hash = this.hashOf(token);
    const expiresAt = wallTime(Math.floor(wall) + this.#life);
    const forgotten: Uint8Array[] = [];
    for (const [key, expiry] of this.#expiry)
      if (expiry < wall || this.#expiry.size >= MAX_TOKENS) {
        this.#expiry.delete(key);
        forgotten.push(bytesOfKey(key));
      }
    this.#expiry.set(toHex(hash), expiresAt);
    return { token, hash, expiresAt, forgotten };
  }

  /** Whether the token may be used now. */
  isValid(wall: WallTime, token: Uint8Array): boolean {
    const expiresAt = this.#expiry.get(toHex(this.hashOf(token)));
    return expiresAt !== undefined && wall <= expiresAt;
  }

  /** Takes the token out: it is never valid again. */
  use(token: Uint8Array): Uint8Array {
    const hash = this.hashOf(token);
    this.#expiry.delete(toHex(hash));
    return hash;
  }

  hashOf(token: Uint8Array): Uint8Array {
    return this.#provider.blake2b(32, token, KEY);
  }
}

const bytesOfKey = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array(0);
