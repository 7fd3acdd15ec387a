import {
  type CryptoProvider,
  type KeyPair,
  randomBytes,
  type RandomSource,
} from '@coconet/cluster-protocol/core';

import { ChangeStore } from './change-store.js';
import { DataFolder } from './data-folder.js';
import { Database } from './database.js';
import type { Migration } from './migrations/index.js';
import { type SettingName, SettingsRepository } from './settings-repository.js';
import { SignedVersions } from './signed-versions.js';

/** What belongs to the NMN as a whole. */
export interface NmnIdentity {
  /** X25519: the key that join URIs pin. */
  readonly staticKey: KeyPair;
  readonly resetSecret: Uint8Array;
  /** Starts of this NMN, the present one included. */
  readonly starts: number;
}

/** Everything of an NMN that is on disk, held by this process alone. */
export class NmnStore {
  readonly folder: DataFolder;
  readonly changes: ChangeStore;
  readonly #database: Database;

  private constructor(folder: DataFolder, database: Database, changes: ChangeStore) {
    this.folder = folder;
    this.#database = database;
    this.changes = changes;
  }

  /** Throws `DATA_FOLDER_…`, `DATABASE_…` or `SQLITE_UNAVAILABLE`; nothing is held then. */
  static async open(path: string, migrations: readonly Migration[]): Promise<NmnStore> {
    const folder = await DataFolder.open(path);
    try {
      const signed = await SignedVersions.open(folder);
      const database = await Database.open(folder, migrations);
      return new NmnStore(folder, database, new ChangeStore(database, signed));
    } catch (error) {
      await folder.discard();
      throw error;
    }
  }

  /** What belongs to the NMN as a whole, the operator tokens included. */
  get settings(): SettingsRepository {
    return new SettingsRepository(this.#database.reader);
  }

  /** Counts this start, and makes the NMN's keys at the first one. */
  identify(crypto: CryptoProvider, random: RandomSource): Promise<NmnIdentity> {
    return this.#database.transact(async transaction => {
      const settings = new SettingsRepository(transaction);
      const readOrMake = async (name: SettingName): Promise<Uint8Array> => {
        const known = await settings.read(name);
        if (known) return known;
        const made = randomBytes(random, 32);
        await settings.put(name, made);
        return made;
      };
      const staticKey = crypto.dhKeyPair(await readOrMake('staticKey'));
      const resetSecret = await readOrMake('resetSecret');
      const before = await settings.read('starts');
      const starts = (before ? Buffer.from(before).readUInt32BE() : 0) + 1;
      const count = Buffer.alloc(4);
      count.writeUInt32BE(starts);
      await settings.put('starts', count);
      return { staticKey, resetSecret, starts };
    });
  }

  /** After what is under way. */
  async close(): Promise<void> {
    await this.#closeFiles();
    await this.folder.close();
  }

  /** As `close`, after a start that failed: a folder that it began is taken away again. */
  async discard(): Promise<void> {
    await this.#closeFiles();
    await this.folder.discard();
  }

  async #closeFiles(): Promise<void> {
    await this.changes.close();
    await this.#database.close();
  }
}
