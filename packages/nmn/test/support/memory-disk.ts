import { toHex } from '@coconet/cluster-protocol/core';

import type { OperatorToken } from '../../src/membership/operator-tokens.js';
import type { NetworkContents, StorageChange } from '../../src/membership/storage-change.js';

/** What a database would hold, without one: for tests of what happens around it. */
export class MemoryDisk {
  readonly #networks = new Map<string, NetworkContents>();
  readonly tokens = new Map<string, OperatorToken>();
  /** While set, nothing is kept. */
  broken = false;
  /** While set, commits wait; `release` lets them through. */
  held = false;
  readonly #waiting: (() => void)[] = [];

  release(): void {
    this.held = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Calls `done` when the changes are kept, or were not. */
  commit(changes: readonly StorageChange[], done: (kept: boolean) => void): void {
    if (this.held) {
      this.#waiting.push(() => this.commit(changes, done));
      return;
    }
    if (!this.broken) for (const change of changes) this.#apply(change);
    done(!this.broken);
  }

  load(networkKey: string): NetworkContents | undefined {
    return this.#networks.get(networkKey);
  }

  all(): NetworkContents[] {
    return [...this.#networks.values()];
  }

  #apply(change: StorageChange): void {
    if (change.kind === 'operatorToken') this.tokens.set(toHex(change.token.id), change.token);
    else if (change.kind === 'operatorTokenUsed') {
      const token = this.tokens.get(toHex(change.id));
      if (token) this.tokens.set(toHex(change.id), { ...token, use: change.use });
    } else if (change.kind === 'operatorTokenForgotten') this.tokens.delete(toHex(change.id));
    else if (change.kind === 'network')
      this.#networks.set(change.network.key, {
        network: change.network,
        head: undefined,
        version: 0,
        invitations: [],
        members: [],
        records: [],
        secrets: new Map(),
      });
    else this.#networks.set(change.networkKey, applied(this.#networks.get(change.networkKey)!, change));
  }
}

type OfNetwork = Extract<StorageChange, { readonly networkKey: string }>;

function applied(before: NetworkContents, change: OfNetwork): NetworkContents {
  switch (change.kind) {
    case 'invitation': {
      const { invitation } = change;
      const others = before.invitations.filter(({ claimId }) => toHex(claimId) !== toHex(invitation.claimId));
      return { ...before, invitations: [...others, invitation] };
    }
    case 'invitationRemoved':
      return {
        ...before,
        invitations: before.invitations.filter(({ claimId }) => toHex(claimId) !== toHex(change.claimId)),
      };
    case 'member': {
      const others = before.members.filter(({ nodeId }) => nodeId !== change.member.nodeId);
      return { ...before, members: [...others, change.member] };
    }
    case 'record':
      return {
        ...before,
        records: [...before.records.filter(({ name }) => name !== change.record.name), change.record],
      };
    case 'head':
      return { ...before, head: change.bytes };
    case 'secret':
      return { ...before, secrets: new Map([...before.secrets, [change.epoch, change.secret]]) };
    case 'secretsBefore':
      return { ...before, secrets: new Map([...before.secrets].filter(([epoch]) => epoch >= change.epoch)) };
    case 'counter':
      return { ...before, version: Math.max(before.version, change.value) };
  }
}
