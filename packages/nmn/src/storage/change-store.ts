import type { NetworkContents, StorageChange } from '../membership/storage-change.js';
import { applyChanges } from './apply-changes.js';
import type { Database } from './database.js';
import { networkKeys, NetworkRepository } from './network-repository.js';
import type { SignedVersions } from './signed-versions.js';
import { WriteQueue } from './write-queue.js';

/** Keeps what the machine decides: first the reservation of what it signed, then everything else in one transaction. */
export class ChangeStore {
  readonly #database: Database;
  readonly #signed: SignedVersions;
  readonly #queue: WriteQueue<readonly StorageChange[]>;

  constructor(database: Database, signed: SignedVersions) {
    this.#database = database;
    this.#signed = signed;
    this.#queue = new WriteQueue(turns => this.#commit(turns.flat()));
  }

  /**
   * Resolves when all of `changes` are durable, or rejects when none is. Commits keep their order; when one fails, those
   * behind it fail as well.
   */
  commit(changes: readonly StorageChange[]): Promise<void> {
    return this.#queue.write(changes);
  }

  /** All networks; `version` is the highest that either the database or the side file knows. */
  async load(): Promise<NetworkContents[]> {
    const loaded: NetworkContents[] = [];
    for (const key of await networkKeys(this.#database.reader)) {
      const contents = await this.loadNetwork(key);
      if (contents) loaded.push(contents);
    }
    return loaded;
  }

  /** `undefined` when there is no such network. */
  async loadNetwork(networkKey: string): Promise<NetworkContents | undefined> {
    const contents = await new NetworkRepository(this.#database.reader, networkKey).load();
    return contents && { ...contents, version: Math.max(contents.version, this.#signed.highest(networkKey)) };
  }

  /** Resolves when everything that was asked for is kept or has failed. */
  async close(): Promise<void> {
    await this.#queue.idle();
  }

  async #commit(changes: readonly StorageChange[]): Promise<void> {
    for (const change of changes)
      if (change.kind === 'counter') await this.#signed.reserve(change.networkKey, change.value);
    await this.#database.transact(transaction => applyChanges(transaction, changes));
  }
}
