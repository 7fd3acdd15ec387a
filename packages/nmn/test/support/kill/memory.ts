import {
  type Credential,
  decodeCredential,
  formatNetworkId,
  type MemoryStore,
  NetworkState,
  type NodeKind,
  type StateRecord,
  type Store,
  toHex,
} from '@coconet/cluster-protocol/core';

import type { NetworkLedger } from '../../../src/membership/network-ledger.js';
import type { NetworkContents } from '../../../src/membership/storage-change.js';
import type { Owner } from '../members.js';

/** What a node may be invited as. */
export type Variety = 'Device' | 'Guest' | 'Admin';

/** The kind of node of each variety. */
export const KIND_OF: Readonly<Record<Variety, NodeKind>> = {
  Device: 'device',
  Guest: 'client',
  Admin: 'client',
};

/** An invitation that the NMN has acknowledged. */
export interface RememberedInvitation {
  readonly variety: Variety;
  readonly claimId: Uint8Array;
  readonly uri: string;
  /** Where its node keeps its keys, so that it may ask again after its answer was lost. */
  readonly store: MemoryStore;
  /** Its node is a member. One that was not told so asks again in the next life. */
  joined: boolean;
  /** Its node is asking. */
  busy: boolean;
}

/** A member whose admission the NMN has acknowledged. */
export interface RememberedMember {
  readonly nodeId: number;
  readonly kind: NodeKind;
  readonly store: Store;
  /** What was acknowledged last. */
  credential: Credential;
  /** `asked`: a change is under way, and only the disk knows. */
  standing: 'in' | 'out' | 'asked';
  /** The record that cut it off last. */
  revocation: StateRecord | undefined;
  /** Somebody does something with it. */
  busy: boolean;
}

/** A network as its clients remember it: everything in here was acknowledged. */
export class RememberedNetwork {
  readonly owner: Owner;
  readonly key: string;
  readonly invitations: RememberedInvitation[] = [];
  readonly members: RememberedMember[] = [];

  constructor(owner: Owner) {
    this.owner = owner;
    this.key = formatNetworkId(owner.genesis.network);
  }

  /** The acknowledged things that the disk does not show. What only the disk can know is learnt from it. */
  missingFrom(contents: NetworkContents, ledger: NetworkLedger): string[] {
    const missing: string[] = [];
    const claims = new Set(contents.invitations.map(({ claimId }) => toHex(claimId)));
    for (const invitation of this.invitations) {
      const { claimId, variety } = invitation;
      if (!claims.has(toHex(claimId))) missing.push(`invite${variety} ${toHex(claimId)} is lost`);
      invitation.busy = false;
    }
    for (const member of this.members) missing.push(...missingOf(member, contents, ledger));
    return missing;
  }

  /** What the owner has taken in, for a comparison with what the disk holds. */
  async ownersView(): Promise<NetworkState | undefined> {
    const { runtime, genesis } = this.owner;
    const bytes = await runtime.store.read('network/state');
    const anchor = { network: genesis.network, rootKey: genesis.root.publicKey };
    const state = bytes && NetworkState.restore(runtime.host.crypto, anchor, bytes);
    return state?.ok === true ? state.value : undefined;
  }
}

function missingOf(member: RememberedMember, contents: NetworkContents, ledger: NetworkLedger): string[] {
  const { nodeId } = member;
  const row = contents.members.find(stored => stored.nodeId === nodeId);
  const kept = row && decodeCredential(row.credential);
  if (kept?.ok !== true) return [`the join of ${nodeId} is lost`];
  const missing: string[] = [];
  const [onDisk, acknowledged] = [kept.value.leaf, member.credential.leaf];
  // A newer one may have been issued to it without an answer; an older one may not come back.
  if (onDisk.serial !== acknowledged.serial && onDisk.issuedAt <= acknowledged.issuedAt)
    missing.push(`the renewal of ${nodeId} is lost`);
  member.credential = kept.value;
  const standing = ledger.state.member(nodeId) ? 'in' : 'out';
  if (member.standing !== 'asked' && member.standing !== standing)
    missing.push(`${nodeId} was acknowledged to be ${member.standing}, and is ${standing}`);
  member.standing = standing;
  member.busy = false;
  return missing;
}

/** An operator's token that the NMN has acknowledged. */
export interface RememberedToken {
  readonly id: string;
  readonly uri: string;
}

/** Everything that an NMN has acknowledged in all its lives on one folder. */
export class Memory {
  readonly networks: RememberedNetwork[] = [];
  readonly tokens: RememberedToken[] = [];
}
