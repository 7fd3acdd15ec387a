import {
  claimIdOf,
  claimPskOf,
  type CryptoProvider,
  type Duration,
  OPERATOR_TOKEN_LENGTH,
  randomBytes,
  type RandomSource,
  toHex,
  type WallTime,
  wallTime,
} from '@coconet/cluster-protocol/core';

/** Tokens that may wait at once; the oldest makes room. An operator makes one at a time. */
const MAX_TOKENS = 64;

/** What is kept of a token: two hashes of it, the second the pre-shared key of the call in which it is used. */
export interface OperatorToken {
  readonly id: Uint8Array;
  readonly psk: Uint8Array;
  readonly expiresAt: WallTime;
}

/** One-time tokens with which an operator lets somebody create a network. */
export class OperatorTokens {
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  readonly #life: Duration;
  readonly #tokens = new Map<string, OperatorToken>();

  constructor(
    provider: CryptoProvider,
    random: RandomSource,
    life: Duration,
    tokens: readonly OperatorToken[] = [],
  ) {
    this.#provider = provider;
    this.#random = random;
    this.#life = life;
    for (const token of tokens) this.#tokens.set(toHex(token.id), token);
  }

  /** A fresh token, what to keep of it, and the ids of tokens that made room. */
  create(wall: WallTime): {
    readonly token: Uint8Array;
    readonly kept: OperatorToken;
    readonly forgotten: readonly Uint8Array[];
  } {
    const token = randomBytes(this.#random, OPERATOR_TOKEN_LENGTH);
    const expiresAt = wallTime(Math.floor(wall) + this.#life);
    const kept = { id: claimIdOf(this.#provider, token), psk: claimPskOf(this.#provider, token), expiresAt };
    const forgotten: Uint8Array[] = [];
    for (const [key, known] of this.#tokens)
      if (known.expiresAt < wall || this.#tokens.size >= MAX_TOKENS) {
        this.#tokens.delete(key);
        forgotten.push(known.id);
      }
    this.#tokens.set(toHex(kept.id), kept);
    return { token, kept, forgotten };
  }

  /** The pre-shared key for a call with the token of this id, if it may be used now. */
  pskFor(wall: WallTime, id: Uint8Array): Uint8Array | undefined {
    const kept = this.#tokens.get(toHex(id));
    return kept !== undefined && wall <= kept.expiresAt ? kept.psk : undefined;
  }

  /** Whether the token may be used now. */
  isValid(wall: WallTime, token: Uint8Array): boolean {
    return this.pskFor(wall, claimIdOf(this.#provider, token)) !== undefined;
  }

  /** Takes the token out: it is never valid again. Returns its id. */
  use(token: Uint8Array): Uint8Array {
    const id = claimIdOf(this.#provider, token);
    this.#tokens.delete(toHex(id));
    return id;
  }
}
