import { wallTime } from '@coconet/cluster-protocol/core';
import type { Knex } from 'knex';

import type { OperatorToken } from '../membership/operator-tokens.js';
import { fromBlob, toBlob } from './columns.js';

/** What belongs to the NMN as a whole. */
export type SettingName = 'staticKey' | 'resetSecret' | 'starts';

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
    await this.#database(SETTINGS)
      .insert({ name, value: toBlob(value) })
      .onConflict('name')
      .merge();
  }

  /** The operator tokens that were not used yet. */
  async operatorTokens(): Promise<OperatorToken[]> {
    const rows = await this.#database<{ id: Buffer; psk: Buffer; expires_at: number }>(TOKENS);
    return rows.map(row => ({
      id: fromBlob(row.id),
      psk: fromBlob(row.psk),
      expiresAt: wallTime(row.expires_at),
    }));
  }

  async putOperatorToken({ id, psk, expiresAt }: OperatorToken): Promise<void> {
    const row = { id: toBlob(id), psk: toBlob(psk), expires_at: expiresAt };
    await this.#database(TOKENS).insert(row).onConflict('id').ignore();
  }

  /** Whether the token was there: of two who use it at once, one gets true. */
  async removeOperatorToken(id: Uint8Array): Promise<boolean> {
    return (
      (await this.#database(TOKENS)
        .where({ id: toBlob(id) })
        .delete()) === 1
    );
  }
}
