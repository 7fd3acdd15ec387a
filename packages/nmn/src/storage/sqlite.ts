import knex, { type Knex } from 'knex';

import { NmnError } from '../errors.js';
import { loadSqliteDriver } from './sqlite-driver.js';

/** Has the fix of a rare corruption of the write-ahead log at a checkpoint (SQLite 3.51.3). */
const OLDEST_SQLITE = [3, 51, 3] as const;

/** How long to wait for another program that reads the file, a backup for instance. */
const BUSY_TIMEOUT = 5_000;

/**
 * One connection to a SQLite file, made and kept until closed: with more, the order of writes would be anybody's guess.
 * `pragmas` are names and values from our own code.
 */
export async function openSqlite(file: string, pragmas: readonly string[]): Promise<Knex> {
  await loadSqliteDriver();
  return knex({
    client: 'sqlite3',
    connection: { filename: file },
    useNullAsDefault: true,
    // An error message with the values of its statement would carry keys into whatever log it ends in.
    compileSqlOnError: false,
    log: { warn: silence, error: silence, deprecate: silence, debug: silence },
    pool: {
      min: 1,
      max: 1,
      afterCreate: (connection: SqliteConnection, done: (error: Error | null) => void) => {
        connection.exec(
          [`busy_timeout = ${BUSY_TIMEOUT}`, ...pragmas].map(p => `PRAGMA ${p};`).join(' '),
          done,
        );
      },
    },
  });
}

/** Throws `DATABASE_UNSUPPORTED` when the bundled SQLite is older than what we rely on. */
export async function checkSqliteVersion(database: Knex): Promise<void> {
  const row = (await database.select(database.raw('sqlite_version() as version')).first()) as {
    version: string;
  };
  const version = row.version.split('.').map(Number);
  for (let i = 0; i < OLDEST_SQLITE.length; i++) {
    if (version[i]! > OLDEST_SQLITE[i]!) return;
    if (version[i]! < OLDEST_SQLITE[i]!)
      throw new NmnError(
        'DATABASE_UNSUPPORTED',
        `SQLite ${row.version} is too old: ${OLDEST_SQLITE.join('.')} or newer is needed; run: npm install sqlite3@6`,
      );
  }
}

/** What the `sqlite3` package puts behind an error's `code`, or '' for another kind of error. */
export function sqliteCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Knex prints what it also throws; whoever catches it decides what is said. */
const silence = (): void => undefined;

interface SqliteConnection {
  exec(sql: string, done: (error: Error | null) => void): void;
}
