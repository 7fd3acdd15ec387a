import type { Knex } from 'knex';

import { NmnError } from '../../errors.js';
import { membershipInitial } from './0001-membership-initial.js';
import { membershipTokenUse } from './0002-membership-token-use.js';
import { settingsInitial } from './0000-settings-initial.js';

/**
 * One step of the database's form. The name begins with the time it was written, so that the steps of all sub-systems
 * have one order, and names the sub-system whose tables it touches. A step that was published is never changed.
 */
export interface Migration {
  readonly name: string;
  up(database: Knex): Promise<void>;
}

/** The steps of what is always there; sub-systems bring their own. */
export const CORE_MIGRATIONS: readonly Migration[] = [settingsInitial, membershipInitial, membershipTokenUse];

const TABLE = 'nmn_migrations';

/**
 * Brings the database to the form that `migrations` describe, each step with its mark in one transaction, so that a
 * process killed between them goes on where it was. Throws `DATA_FOLDER_NEWER` when a newer program was here.
 */
export async function migrate(
  database: Knex,
  folder: string,
  migrations: readonly Migration[],
): Promise<void> {
  const known = new Map([...migrations].sort(byName).map(migration => [migration.name, migration]));
  if (!(await database.schema.hasTable(TABLE)))
    await database.schema.createTable(TABLE, table => {
      table.text('name').primary();
    });
  const rows = await database<{ name: string }>(TABLE).select('name');
  const done = new Set(rows.map(row => row.name));
  const newer = [...done].find(name => !known.has(name));
  if (newer !== undefined)
    throw new NmnError(
      'DATA_FOLDER_NEWER',
      `the database in ${folder} was written by a newer program (it has the step ${newer}); start the newer program, ` +
        'or restore a backup that is as old as this one',
    );
  for (const [name, migration] of known) {
    if (done.has(name)) continue;
    await database.transaction(async transaction => {
      await migration.up(transaction);
      await transaction(TABLE).insert({ name });
    });
  }
}

const byName = (a: Migration, b: Migration): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
