import type { Instant } from '@coconet/cluster-protocol/core';

import type { StorageChange } from './membership/storage-change.js';

/** Changes on their way to the disk. */
export interface Commit {
  readonly id: number;
  readonly changes: readonly StorageChange[];
}

/** Something to do once what it depends on is durable; `kept` is false when that could not be written. */
export type Effect = (now: Instant, kept: boolean) => void;

interface Pending {
  readonly networkKeys: ReadonlySet<string>;
  readonly effects: Effect[];
}

/**
 * Holds back everything that would tell the world of changes that are not on disk yet: what is deferred for a network
 * happens after the last commit of it that was under way, and in order.
 */
export class CommitQueue {
  readonly #commits: Commit[] = [];
  readonly #pending = new Map<number, Pending>();
  #next = 1;

  /** Hands changes to the disk. */
  begin(networkKeys: readonly string[], changes: readonly StorageChange[], effect: Effect): void {
    const id = this.#next++;
    this.#commits.push({ id, changes });
    this.#pending.set(id, { networkKeys: new Set(networkKeys), effects: [effect] });
  }

  /** Runs `effect` now if nothing of the network is under way, else after it. */
  defer(now: Instant, networkKey: string, effect: Effect): void {
    let last: Pending | undefined;
    for (const pending of this.#pending.values()) if (pending.networkKeys.has(networkKey)) last = pending;
    if (last) last.effects.push(effect);
    else effect(now, true);
  }

  /** Commits that are waiting for the disk. */
  get size(): number {
    return this.#pending.size;
  }

  poll(): Commit | undefined {
    return this.#commits.shift();
  }

  /** The disk has answered. Returns the networks of the commit, which are to be read again when it was not kept. */
  settle(now: Instant, id: number, kept: boolean): ReadonlySet<string> {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    for (const effect of pending?.effects ?? []) effect(now, kept);
    return pending?.networkKeys ?? new Set();
  }
}
