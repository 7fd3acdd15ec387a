import type { CryptoProvider, RandomSource, WallTime } from '@coconet/cluster-protocol/core';

import { BlindNames } from './blind-names.js';
import type { BoundKeys, Invitation } from './invitation.js';

/** So many wrong proofs on one invitation or operator token end it: whoever holds the claim makes none. */
export const MAX_WRONG_PROOFS = 5;

/** Why a claim does not lead to a membership; codes of the management service. */
export type ClaimRefusal = 'claimUnknown' | 'claimUsed' | 'claimExpired' | 'claimKilled';

/** The outcome of one attempt to use a claim. `changed` is to be kept before anything is answered. */
export type ClaimOutcome =
  | { readonly ok: true; readonly invitation: Invitation; readonly changed: Invitation | undefined }
  | { readonly ok: false; readonly code: ClaimRefusal; readonly changed: Invitation | undefined };

/**
 * The invitations of one network. A claim is a secret of 128 bits that the NMN never sees, only hashes of it. It works
 * once: the first keys that prove it own it, may repeat their request until their node has its certificate, and no
 * others get anything (threat T29).
 */
export class Invitations {
  readonly #provider: CryptoProvider;
  /** How many may wait to be used; it bounds what a member can make us keep. */
  readonly #limit: number;
  readonly #names: BlindNames;
  readonly #byClaim = new Map<string, Invitation>();

  constructor(
    provider: CryptoProvider,
    random: RandomSource,
    limit: number,
    invitations: readonly Invitation[] = [],
  ) {
    this.#provider = provider;
    this.#names = new BlindNames(provider, random);
    this.#limit = limit;
    for (const invitation of invitations) this.#byClaim.set(this.#names.of(invitation.claimId), invitation);
  }

  /** Takes a new one in, unless its claim id is taken or too many wait to be used. */
  add(wall: WallTime, invitation: Invitation): 'added' | 'claimTaken' | 'tooMany' {
    const key = this.#names.of(invitation.claimId);
    if (this.#byClaim.has(key)) return 'claimTaken';
    let waiting = 0;
    for (const known of this.#byClaim.values()) if (isWaiting(known, wall)) waiting++;
    if (waiting >= this.#limit) return 'tooMany';
    this.#byClaim.set(key, invitation);
    return 'added';
  }

  get(claimId: Uint8Array): Invitation | undefined {
    return this.#byClaim.get(this.#names.of(claimId));
  }

  /** Those that may still be used, or repeated by the node that used them. */
  list(): Invitation[] {
    return [...this.#byClaim.values()];
  }

  /** The pre-shared key for a handshake of the holder of `staticKey`, or why there will be none. Changes nothing. */
  pskFor(wall: WallTime, claimId: Uint8Array, staticKey: Uint8Array): Uint8Array | ClaimRefusal {
    const invitation = this.get(claimId);
    const refusal = this.#refusal(wall, invitation, staticKey);
    return refusal ?? invitation!.claimPsk;
  }

  /**
   * A join request whose handshake proved knowledge of the pre-shared key. `proven`: its further proof, where the
   * invitation asks for one, is right as well.
   */
  use(wall: WallTime, claimId: Uint8Array, keys: BoundKeys, proven: boolean): ClaimOutcome {
    const invitation = this.get(claimId);
    const refusal = this.#refusal(wall, invitation, keys.staticKey, keys.signingKey);
    if (refusal !== undefined || invitation === undefined)
      return { ok: false, code: refusal ?? 'claimUnknown', changed: undefined };
    if (!proven) {
      const changed = this.#wrongProof(invitation);
      return { ok: false, code: changed.state.kind === 'killed' ? 'claimKilled' : 'claimUnknown', changed };
    }
    if (invitation.state.kind === 'bound') return { ok: true, invitation, changed: undefined };
    const bound = this.#put({ ...invitation, state: { kind: 'bound', keys } });
    return { ok: true, invitation: bound, changed: bound };
  }

  /**
   * A handshake named the claim, was answered, and its initiator never proved that it holds the pre-shared key. Only who
   * knows the claim, or a hash of it that nobody sends in clear, can name it; so a stranger ends no invitation with this.
   */
  unproven(claimId: Uint8Array): Invitation | undefined {
    const invitation = this.get(claimId);
    return invitation?.state.kind === 'open' ? this.#wrongProof(invitation) : undefined;
  }

  /** The node that used the claim has its certificate: it came with it. Nothing more can be had for this claim. */
  complete(nodeId: number): Invitation | undefined {
    for (const invitation of this.#byClaim.values())
      if (invitation.nodeId === nodeId && invitation.state.kind === 'bound')
        return this.#put({ ...invitation, state: { kind: 'used', keys: invitation.state.keys } });
    return undefined;
  }

  /**
   * A node with this id is among the members already: a restored backup has forgotten that its claim was used. Ends the
   * invitation, so that the claim does not admit a second one.
   */
  endIfOpen(nodeId: number): Invitation | undefined {
    for (const invitation of this.#byClaim.values())
      if (invitation.nodeId === nodeId && invitation.state.kind === 'open')
        return this.#put({ ...invitation, state: { kind: 'killed' } });
    return undefined;
  }

  /** Drops what nobody can use any more and whose node id lives on in the list of members. Returns the claim ids. */
  removeExpired(wall: WallTime): Uint8Array[] {
    const gone: Uint8Array[] = [];
    for (const [key, invitation] of this.#byClaim) {
      if (invitation.expiresAt + KEEP_EXPIRED > wall || invitation.state.kind === 'bound') continue;
      this.#byClaim.delete(key);
      gone.push(invitation.claimId);
    }
    return gone;
  }

  #refusal(
    wall: WallTime,
    invitation: Invitation | undefined,
    staticKey: Uint8Array,
    signingKey?: Uint8Array,
  ): ClaimRefusal | undefined {
    switch (invitation?.state.kind) {
      case undefined:
        return 'claimUnknown';
      case 'killed':
        return 'claimKilled';
      case 'used':
        return 'claimUsed';
      case 'open':
        return wall > invitation.expiresAt ? 'claimExpired' : undefined;
      case 'bound': {
        // Its node was in time; how long it needs to take the answer in is its own business.
        const { keys } = invitation.state;
        const same =
          this.#provider.equal(keys.staticKey, staticKey) &&
          (signingKey === undefined || this.#provider.equal(keys.signingKey, signingKey));
        return same ? undefined : 'claimUsed';
      }
    }
  }

  #wrongProof(invitation: Invitation): Invitation {
    const wrongProofs = invitation.wrongProofs + 1;
    const killed = wrongProofs >= MAX_WRONG_PROOFS && invitation.state.kind === 'open';
    return this.#put({ ...invitation, wrongProofs, state: killed ? { kind: 'killed' } : invitation.state });
  }

  #put(invitation: Invitation): Invitation {
    this.#byClaim.set(this.#names.of(invitation.claimId), invitation);
    return invitation;
  }
}

/** An expired or used one is kept so long, so that its holder is told why rather than that it never was: 30 days. */
const KEEP_EXPIRED = 30 * 86_400_000;

const isWaiting = (invitation: Invitation, wall: WallTime): boolean =>
  invitation.state.kind === 'open' && invitation.expiresAt >= wall;
