import type { WallTime } from '@coconet/cluster-protocol/core';

import type { Invitation } from './invitation.js';
import type { OperatorToken, TokenUse } from './operator-tokens.js';

/** A network as the NMN keeps it. */
export interface StoredNetwork {
  /** 16 bytes. */
  readonly network: Uint8Array;
  /** Text form, 22 characters. */
  readonly key: string;
  readonly name: string;
  /** Ed25519 public key of the root, which the NMN never sees the private half of. */
  readonly rootKey: Uint8Array;
  /** Number of the authority certificate. */
  readonly authorityNumber: number;
  /** Encoded authority certificate. */
  readonly authorityCertificate: Uint8Array;
  /** Encoded credential of this NMN as a node of the network. */
  readonly nmnCredential: Uint8Array;
  /** Seed of the authority's Ed25519 key. */
  readonly signingSeed: Uint8Array;
  readonly createdAt: WallTime;
}

/** What the NMN issued to one node; kept after the node is gone, so that no id is given twice. */
export interface StoredMember {
  readonly nodeId: number;
  /** Claim that admitted it; empty for the owner who came with the network. */
  readonly claimId: Uint8Array;
  readonly serial: number;
  readonly admittedAt: WallTime;
  /** Encoded credential, as last issued. */
  readonly credential: Uint8Array;
}

/** A record of the network state under the name that replaces and is replaced. */
export interface StoredRecord {
  /** Unique in its network: kind and key of the record. */
  readonly name: string;
  readonly authorityNumber: number;
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** Numbers that outlive a process, each by name. */
export type CounterName = 'version';

/**
 * What one turn wants to keep. All changes of a turn are durable together or not at all, and nothing that depends on
 * them is sent before.
 */
export type StorageChange =
  | { readonly kind: 'network'; readonly network: StoredNetwork }
  | { readonly kind: 'invitation'; readonly networkKey: string; readonly invitation: Invitation }
  | { readonly kind: 'invitationRemoved'; readonly networkKey: string; readonly claimId: Uint8Array }
  | { readonly kind: 'member'; readonly networkKey: string; readonly member: StoredMember }
  | { readonly kind: 'record'; readonly networkKey: string; readonly record: StoredRecord }
  | { readonly kind: 'head'; readonly networkKey: string; readonly bytes: Uint8Array }
  | {
      readonly kind: 'secret';
      readonly networkKey: string;
      readonly epoch: number;
      readonly secret: Uint8Array;
    }
  | { readonly kind: 'secretsBefore'; readonly networkKey: string; readonly epoch: number }
  | {
      readonly kind: 'counter';
      readonly networkKey: string;
      readonly name: CounterName;
      readonly value: number;
    }
  | { readonly kind: 'operatorToken'; readonly token: OperatorToken }
  | { readonly kind: 'operatorTokenUsed'; readonly id: Uint8Array; readonly use: TokenUse }
  | { readonly kind: 'operatorTokenForgotten'; readonly id: Uint8Array };

/** Everything that is kept about one network. */
export interface NetworkContents {
  readonly network: StoredNetwork;
  readonly head: Uint8Array | undefined;
  readonly version: number;
  readonly invitations: readonly Invitation[];
  readonly members: readonly StoredMember[];
  readonly records: readonly StoredRecord[];
  readonly secrets: ReadonlyMap<number, Uint8Array>;
}
