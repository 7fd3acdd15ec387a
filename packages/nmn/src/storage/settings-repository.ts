import { type WallTime, wallTime } from '@coconet/cluster-protocol/core';
import type { Knex } from 'knex';

import { fromBlob, toBlob } from './columns.js';

/** What belongs to the NMN as a whole. */
export type SettingName = 'staticKey' | 'resetSecret' | 'starts' | 'outboxIncarnation' | 'inboxIncarnation';

const SETTINGS = 'nmn_settings';
const TOKENS = 'membership_operator_tokens';

/** Settings of the process and its operator's one-time tokens: what no network owns. */
export class SettingsRepository {
  readonly #database: Knex;

  constructor(database: Knex) {
    this.#database = database;
  }

  async read(name: SettingName): Promise<Uint8Array | undefined> {
    const row = (await this.#database(SETTINGS).where({ name }).first()) as { value: Buffer } | undefined;
    return row && fromBlob(row.value);
  }

  async put(name: SettingName, value: Uint8Array): Promise<void> {
    await this.#database(SETTINGS).insert({ name, value: toBlob(value) }).onConflict('name').merge();
  }

  /** Hashes of the operator tokens that are still good, and until when. */
  async operatorTokens(): Promise<{ readonly hash: Uint8Array; readonly expiresAt: WallTime }[]> {
    const rows = (await this.#database(TOKENS)) as { hash: Buffer; expires_at: number }[];
    return rows.map(row => ({ hash: fromBlob(row.hash), expiresAt: wallTime(row.expires_at) }));
  }

  async putOperatorToken(hash: Uint8Array, expiresAt: WallTime): Promise<void> {
    await this.#database(TOKENS).insert({ hash: toBlob(hash), expires_at: expiresAt }).onConflict('hash').ignore();
  }

  /** Whether the token was there: of two who use it at once, one gets true. */
  async removeOperatorToken(hash: Uint8Array): Promise<boolean> {
    return (await this.#database(TOKENS).where({ hash: toBlob(hash) }).delete()) === 1;
  }
}
