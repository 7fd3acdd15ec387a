import type { TransportKeys } from '../crypto/index.js';

/**
 * What a session needs to change its keys: who the two nodes are, and what earlier keys left for the next ones, are known
 * to whoever made this and not to the session.
 */
export interface RekeyNoise {
  /** Whether our offer stands when both sides make one at the same time. */
  readonly prevails: boolean;
  /** Message 1 of the exchange that makes the keys of a generation. */
  offer(generation: number): RekeyOffer;
  /** Answers a message 1; `undefined` when it is not the peer's for this generation. */
  answer(generation: number, message: Uint8Array): RekeyAnswer | undefined;
  /** Overwrites what it holds. No exchange is possible afterwards. */
  destroy(): void;
}

/** Our half of an exchange under way. */
export interface RekeyOffer {
  readonly message: Uint8Array;
  /** The new keys, or `undefined` when the answer is not the peer's to this offer. The offer is used up. */
  finish(answer: Uint8Array): TransportKeys | undefined;
  /** Overwrites what would make the keys. */
  destroy(): void;
}

/** Message 2, and the keys that both sides have once it arrived. */
export interface RekeyAnswer {
  readonly message: Uint8Array;
  readonly keys: TransportKeys;
}
