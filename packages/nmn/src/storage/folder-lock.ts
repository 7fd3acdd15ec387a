import type { Knex } from 'knex';

import { NmnError } from '../errors.js';
import { makePrivateFile, unwritable } from './private-file.js';
import { openSqlite, sqliteCode } from './sqlite.js';

/**
 * Holds a folder for one process: an open exclusive transaction on an otherwise empty SQLite file. The operating system
 * ends it with the process, however that dies, so there is no stale lock to clean up, and it works the same everywhere.
 */
export class FolderLock {
  readonly #connection: Knex;

  private constructor(connection: Knex) {
    this.#connection = connection;
  }

  /** Throws `DATA_FOLDER_IN_USE` when another process, or another NMN of this process, holds the folder. */
  static async acquire(folder: string, file: string): Promise<FolderLock> {
    await makePrivateFile(file).catch((error: unknown) => Promise.reject(unwritable(folder, error)));
    const connection = await openSqlite(file, ['busy_timeout = 0']);
    try {
      await connection.raw('BEGIN EXCLUSIVE');
    } catch (error) {
      await connection.destroy();
      if (sqliteCode(error) !== 'SQLITE_BUSY') throw unwritable(folder, error);
      throw new NmnError(
        'DATA_FOLDER_IN_USE',
        `another NMN is running on the data folder ${folder}; stop it first, or name another folder`,
        { cause: error },
      );
    }
    return new FolderLock(connection);
  }

  async release(): Promise<void> {
    await this.#connection.destroy();
  }
}
