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
  readonly networkKeys: readonly string[];
  readonly effect: Effect;
}

/** What may wait for the disk in one network: more means that the disk has stopped. */
const MAX_WAITING = 4_096;

/**
 * Sees to it that nothing tells the world of changes that are not on disk yet. While a network has changes under way,
 * whatever else concerns it waits, so that what is in memory and what is on disk differ only while nobody can see it.
 * Networks do not wait for each other, and their commits share the flushes of the disk.
 */
export class CommitQueue {
  readonly #commits: Commit[] = [];
  readonly #pending = new Map<number, Pending>();
  /** Commits under way, by network. */
  readonly #busy = new Map<string, number>();
  readonly #waiting = new Map<string, ((now: Instant) => void)[]>();
  #next = 1;

  /** Hands changes to the disk. */
  begin(networkKeys: readonly string[], changes: readonly StorageChange[], effect: Effect): void {
    const id = this.#next++;
    this.#commits.push({ id, changes });
    this.#pending.set(id, { networkKeys, effect });
    for (const key of networkKeys) this.hold(key);
  }

  /**
   * Does `action` when nothing of the network is under way: at once, or after the disk has answered. False: too much
   * waits already, and it never will be done.
   */
  whenSettled(now: Instant, networkKey: string, action: (now: Instant) => void): boolean {
    if (!this.#busy.has(networkKey) && !this.#waiting.has(networkKey)) {
      action(now);
      return true;
    }
    const waiting = this.#waiting.get(networkKey) ?? [];
    this.#waiting.set(networkKey, waiting);
    return waiting.length < MAX_WAITING && waiting.push(action) > 0;
  }

  /** Commits that are waiting for the disk. */
  get size(): number {
    return this.#pending.size;
  }

  poll(): Commit | undefined {
    return this.#commits.shift();
  }

  /** The disk has answered. Returns the networks of the commit, which are to be read again when it was not kept. */
  settle(now: Instant, id: number, kept: boolean): readonly string[] {
    const pending = this.#pending.get(id);
    if (!pending) return [];
    this.#pending.delete(id);
    const { networkKeys } = pending;
    for (const key of networkKeys) this.release(key);
    pending.effect(now, kept);
    return networkKeys;
  }

  /** Does what waited for this network, in order, up to the first that changes something again. */
  resume(now: Instant, networkKey: string): void {
    while (!this.#busy.has(networkKey)) {
      const action = this.#waiting.get(networkKey)?.shift();
      if (!action) {
        this.#waiting.delete(networkKey);
        return;
      }
      action(now);
    }
  }

  /** Lets everything of a network wait as if it had changes under way, until as many calls of {@link release}. */
  hold(networkKey: string): void {
    this.#busy.set(networkKey, (this.#busy.get(networkKey) ?? 0) + 1);
  }

  /** The end of a {@link hold}; to be followed by `resume`. */
  release(networkKey: string): void {
    const left = (this.#busy.get(networkKey) ?? 1) - 1;
    if (left > 0) this.#busy.set(networkKey, left);
    else this.#busy.delete(networkKey);
  }
}
