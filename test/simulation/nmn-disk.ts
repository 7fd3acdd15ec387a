import { toHex } from '@coconet/cluster-protocol/core';
import type { NetworkContents, StorageChange } from '../../packages/nmn/src/membership/storage-change.js';

/** What an NMN has made durable, in memory: the disk of a simulated NMN. */
export class NmnDisk {
  readonly #networks = new Map<string, Draft>();

  apply(changes: readonly StorageChange[]): void {
    for (const change of changes) {
      if (!('networkKey' in change) && change.kind !== 'network') continue;
      if (change.kind === 'network') {
        this.#networks.set(change.network.key, emptyDraft(change.network));
        continue;
      }
      const draft = this.#networks.get(change.networkKey);
      if (!draft) throw new Error(`a change of the unknown network ${change.networkKey}`);
      switch (change.kind) {
        case 'invitation':
          draft.invitations.set(toHex(change.invitation.claimId), change.invitation);
          break;
        case 'invitationRemoved':
          draft.invitations.delete(toHex(change.claimId));
          break;
        case 'member':
          draft.members.set(change.member.nodeId, change.member);
          break;
        case 'record':
          draft.records.set(change.record.name, change.record);
          break;
        case 'head':
          draft.head = change.bytes;
          break;
        case 'secret':
          draft.secrets.set(change.epoch, change.secret);
          break;
        case 'secretsBefore':
          for (const epoch of draft.secrets.keys()) if (epoch < change.epoch) draft.secrets.delete(epoch);
          break;
        case 'counter':
          draft.version = change.value;
      }
    }
  }

  /** What a restarted NMN finds. */
  load(): NetworkContents[] {
    return [...this.#networks.values()].map(draft => ({
      network: draft.network,
      head: draft.head,
      version: draft.version,
      invitations: [...draft.invitations.values()],
      members: [...draft.members.values()],
      records: [...draft.records.values()],
      secrets: new Map(draft.secrets),
    }));
  }
}

interface Draft {
  readonly network: NetworkContents['network'];
  head: Uint8Array | undefined;
  version: number;
  readonly invitations: Map<string, NetworkContents['invitations'][number]>;
  readonly members: Map<number, NetworkContents['members'][number]>;
  readonly records: Map<string, NetworkContents['records'][number]>;
  readonly secrets: Map<number, Uint8Array>;
}

const emptyDraft = (network: NetworkContents['network']): Draft => ({
  network,
  head: undefined,
  version: 0,
  invitations: new Map(),
  members: new Map(),
  records: new Map(),
  secrets: new Map(),
});
