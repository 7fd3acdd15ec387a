import type { Knex } from 'knex';

import { NmnError } from '../errors.js';
import type { DataFolder } from './data-folder.js';
import { CORE_MIGRATIONS, migrate, type Migration } from './migrations/index.js';
import { checkSqliteVersion, openSqlite, sqliteCode } from './sqlite.js';

/**
 * Write-ahead log, so that a commit is one flush; flushed at every commit, so that what was acknowledged survives a power
 * cut as well as `kill -9`; references between tables checked.
 */
const PRAGMAS = ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'];

/** The NMN's database: one SQLite file in its data folder, one connection, one writer. */
export class Database {
  readonly #knex: Knex;

  private constructor(knex: Knex) {
    this.#knex = knex;
  }

  /**
   * Opens, checks and, where needed, migrates the database. Throws `DATABASE_DAMAGED`, `DATABASE_UNSUPPORTED`,
   * `DATA_FOLDER_NEWER`, or `SQLITE_UNAVAILABLE` from the driver.
   */
  static async open(folder: DataFolder, migrations: readonly Migration[] = []): Promise<Database> {
    const file = folder.file('database');
    const knex = await openSqlite(file, PRAGMAS);
    try {
      await checkSqliteVersion(knex);
      await checkIntegrity(knex, file);
      await migrate(knex, folder.path, [...CORE_MIGRATIONS, ...migrations]);
    } catch (error) {
      await knex.destroy();
      throw sqliteCode(error) === 'SQLITE_NOTADB' || sqliteCode(error) === 'SQLITE_CORRUPT'
        ? damaged(file, sqliteCode(error))
        : error;
    }
    return new Database(knex);
  }

  /** For reading. Every query goes through a repository bound to one network. */
  get reader(): Knex {
    return this.#knex;
  }

  /** All of `write` or nothing, durable when this resolves. Rejects with `STORAGE_FAILED` when nothing was kept. */
  async transact<T>(write: (transaction: Knex.Transaction) => Promise<T>): Promise<T> {
    // A full disk makes SQLite take the transaction back by itself; what is said about that afterwards helps nobody.
    const first: { error?: unknown } = {};
    try {
      return await this.#knex.transaction(async transaction => {
        try {
          return await write(transaction);
        } catch (error) {
          first.error = error;
          throw error;
        }
      });
    } catch (error) {
      const cause = first.error ?? error;
      if (cause instanceof NmnError) throw cause;
      throw new NmnError('STORAGE_FAILED', `the database could not be written: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }

  /** Closes the file, after what is under way. */
  async close(): Promise<void> {
    await this.#knex.destroy();
  }
}

async function checkIntegrity(knex: Knex, file: string): Promise<void> {
  const rows = await knex.raw<{ integrity_check: string }[]>('PRAGMA integrity_check(3)');
  if (rows.length === 1 && rows[0]!.integrity_check === 'ok') return;
  throw damaged(file, rows.map(row => row.integrity_check).join('; '));
}

/** What SQLite says, without the statement that the query builder puts before it. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const code = sqliteCode(error);
  return code === '' ? text : text.slice(Math.max(0, text.lastIndexOf(code)));
}

function damaged(file: string, what: string): NmnError {
  return new NmnError(
    'DATABASE_DAMAGED',
    `the database ${file} is damaged (${what}); restore the data folder from a backup`,
  );
}
