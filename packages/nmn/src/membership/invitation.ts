import type { WallTime } from '@coconet/cluster-protocol/core';

/** The two public keys that first used a claim. */
export interface BoundKeys {
  /** Ed25519, 32 bytes. */
  readonly signingKey: Uint8Array;
  /** X25519, 32 bytes. */
  readonly staticKey: Uint8Array;
}

/**
 * Where an invitation stands: `open` until keys used it, `bound` to these keys and no others until their node has its
 * certificate in hand, `used` from its first ordinary session on, `killed` after too many wrong proofs or by its maker.
 */
export type InvitationState =
  | { readonly kind: 'open' }
  | { readonly kind: 'bound'; readonly keys: BoundKeys }
  | { readonly kind: 'used'; readonly keys: BoundKeys }
  | { readonly kind: 'killed' };

/** One invitation as the NMN keeps it: hashes of the claim, from which nobody finds the claim itself. */
export interface Invitation {
  /** 16 bytes: hash of the claim. */
  readonly claimId: Uint8Array;
  /** 32 bytes: another hash of the claim, the pre-shared key of the join handshake. */
  readonly claimPsk: Uint8Array;
  /** The id that the invited node will have; no other node of the network ever gets it. */
  readonly nodeId: number;
  readonly kind: 'device' | 'client' | 'service';
  readonly role: 'none' | 'guest' | 'admin' | 'owner';
  /** Suggested to the node; may be empty. */
  readonly name: string;
  readonly user: string;
  /** The owner's or admin's signed invitation; empty where the role needs none. */
  readonly certificate: Uint8Array;
  /** Node that made it. */
  readonly inviter: number;
  readonly createdAt: WallTime;
  readonly expiresAt: WallTime;
  /** Sessions and requests that named the claim and did not prove that they hold it. */
  readonly wrongProofs: number;
  readonly state: InvitationState;
}
