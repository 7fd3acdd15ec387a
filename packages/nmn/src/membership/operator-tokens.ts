import {
  claimIdOf,
  claimPskOf,
  type CryptoProvider,
  days,
  type Duration,
  OPERATOR_TOKEN_LENGTH,
  randomBytes,
  type RandomSource,
  type WallTime,
  wallTime,
} from '@coconet/cluster-protocol/core';

import { BlindNames } from './blind-names.js';
import { MAX_WRONG_PROOFS } from './invitations.js';

/** Tokens that may wait at once; the oldest makes room. An operator makes one at a time. */
const MAX_TOKENS = 64;

/** A used token is kept so long after its end for a creator that never came back: it may still want its answer. */
const KEEP_USED = days(1);

/** For what a token was used: nobody else can use it, and its user may repeat until its answer is in hand. */
export interface TokenUse {
  /** The network that it made, 16 bytes. */
  readonly network: Uint8Array;
  /** X25519 key of the session in which it was used. */
  readonly staticKey: Uint8Array;
}

/** What is kept of a token: two hashes of it, the second the pre-shared key of the call in which it is used. */
export interface OperatorToken {
  readonly id: Uint8Array;
  readonly psk: Uint8Array;
  readonly expiresAt: WallTime;
  readonly use: TokenUse | undefined;
}

/** Why a token leads to no session. */
export type TokenRefusal = 'claimUnknown' | 'claimUsed' | 'claimExpired';

/** One-time tokens with which an operator lets somebody create a network. */
export class OperatorTokens {
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  readonly #life: Duration;
  readonly #names: BlindNames;
  readonly #tokens = new Map<string, OperatorToken>();
  /** Sessions that named a token and proved nothing; of this process only, because no token lives long. */
  readonly #wrongProofs = new Map<string, number>();

  constructor(
    provider: CryptoProvider,
    random: RandomSource,
    life: Duration,
    tokens: readonly OperatorToken[] = [],
  ) {
    this.#provider = provider;
    this.#random = random;
    this.#names = new BlindNames(provider, random);
    this.#life = life;
    for (const token of tokens) this.#tokens.set(this.#names.of(token.id), token);
  }

  /** A fresh token, what to keep of it, and the ids of tokens that made room. */
  create(wall: WallTime): {
    readonly token: Uint8Array;
    readonly kept: OperatorToken;
    readonly forgotten: readonly Uint8Array[];
  } {
    const token = randomBytes(this.#random, OPERATOR_TOKEN_LENGTH);
    const expiresAt = wallTime(Math.floor(wall) + this.#life);
    const id = claimIdOf(this.#provider, token);
    const kept = { id, psk: claimPskOf(this.#provider, token), expiresAt, use: undefined };
    const forgotten: Uint8Array[] = [];
    for (const known of this.#tokens.values()) {
      const end = known.use ? known.expiresAt + KEEP_USED : known.expiresAt;
      if (end < wall || this.#tokens.size >= MAX_TOKENS) forgotten.push(this.#forget(known));
    }
    this.#tokens.set(this.#names.of(id), kept);
    return { token, kept, forgotten };
  }

  /** The pre-shared key for a call of the holder of `staticKey` with the token of this id, or why there will be none. */
  pskFor(wall: WallTime, id: Uint8Array, staticKey: Uint8Array): Uint8Array | TokenRefusal {
    const kept = this.#tokens.get(this.#names.of(id));
    if (!kept) return 'claimUnknown';
    if (kept.use) return this.#provider.equal(kept.use.staticKey, staticKey) ? kept.psk : 'claimUsed';
    return wall <= kept.expiresAt ? kept.psk : 'claimExpired';
  }

  /** The token of this id as it is kept. */
  get(id: Uint8Array): OperatorToken | undefined {
    return this.#tokens.get(this.#names.of(id));
  }

  /** Binds an unused token to what it makes. */
  use(id: Uint8Array, use: TokenUse): void {
    const kept = this.#tokens.get(this.#names.of(id));
    if (kept) this.#tokens.set(this.#names.of(id), { ...kept, use });
  }

  /** The network was never kept: its token is as it was before. */
  release(network: Uint8Array): void {
    for (const [key, token] of this.#tokens)
      if (token.use && this.#provider.equal(token.use.network, network))
        this.#tokens.set(key, { ...token, use: undefined });
  }

  /** Its user came as a member of the network it made: nothing more can be had for the token. Returns its id. */
  complete({ network, staticKey }: TokenUse): Uint8Array | undefined {
    for (const token of this.#tokens.values()) {
      const { use } = token;
      if (use && this.#isSame(use, { network, staticKey })) return this.#forget(token);
    }
    return undefined;
  }

  /** Somebody named the token and did not prove that it holds it. Returns the id when that was once too often. */
  unproven(id: Uint8Array): Uint8Array | undefined {
    const key = this.#names.of(id);
    const token = this.#tokens.get(key);
    if (!token || token.use) return undefined;
    const wrong = (this.#wrongProofs.get(key) ?? 0) + 1;
    this.#wrongProofs.set(key, wrong);
    return wrong >= MAX_WRONG_PROOFS ? this.#forget(token) : undefined;
  }

  #isSame(one: TokenUse, other: TokenUse): boolean {
    const isSameNetwork = this.#provider.equal(one.network, other.network);
    return isSameNetwork && this.#provider.equal(one.staticKey, other.staticKey);
  }

  #forget({ id }: OperatorToken): Uint8Array {
    this.#tokens.delete(this.#names.of(id));
    this.#wrongProofs.delete(this.#names.of(id));
    return id;
  }
}
