import type { StateEvent, StateRecord } from '@coconet/cluster-protocol/core';

import type { NmnEvent } from '../subsystem.js';
import type { StorageChange } from './storage-change.js';

/**
 * What one request or message brings about in one network: what must be kept, and what may be told once it is. Nothing
 * of it leaves the NMN before the changes are durable.
 */
export class Turn {
  readonly changes: StorageChange[] = [];
  /** What changed in the meaning of the network state. */
  readonly events: StateEvent[] = [];
  /** Records that are news to the other members. */
  readonly records: StateRecord[] = [];

  /** Whether anything is to be kept. */
  get empty(): boolean {
    return this.changes.length === 0;
  }
}

/** What a turn means to the other sub-systems. */
export function newsOf(networkKey: string, turn: Turn): NmnEvent[] {
  const news: NmnEvent[] = [];
  for (const event of turn.events)
    if (event.kind === 'revoked') news.push({ kind: 'memberRevoked', networkKey, nodeId: event.nodeId });
  for (const change of turn.changes)
    if (change.kind === 'network') news.push({ kind: 'networkAdded', networkKey });
    else if (change.kind === 'member')
      news.push({ kind: 'memberAdmitted', networkKey, nodeId: change.member.nodeId });
  return news;
}
