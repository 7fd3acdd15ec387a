import type { StateEvent, StateRecord } from '@coconet/cluster-protocol/core';

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
