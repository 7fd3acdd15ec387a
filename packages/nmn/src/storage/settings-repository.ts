import { wallTime } from '@coconet/cluster-protocol/core';
import type { Knex } from 'knex';

import type { OperatorToken, TokenUse } from '../membership/operator-tokens.js';
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

  /** The operator tokens that may be used, or repeated by whoever used them. */
  async operatorTokens(): Promise<OperatorToken[]> {
    const rows = await this.#database<TokenRow>(TOKENS);
    return rows.map(({ id, psk, expires_at: expiresAt, network, static_key: staticKey }) => ({
      id: fromBlob(id),
      psk: fromBlob(psk),
      expiresAt: wallTime(expiresAt),
      use:
        network === null || staticKey === null
          ? undefined
          : { network: fromBlob(network), staticKey: fromBlob(staticKey) },
    }));
  }

  /** A fresh token. */
  async putOperatorToken({ id, psk, expiresAt }: OperatorToken): Promise<void> {
    const row = { id: toBlob(id), psk: toBlob(psk), expires_at: expiresAt };
    await this.#database(TOKENS).insert(row).onConflict('id').ignore();
  }

  /** Whether the token was there and unused: of two who use it at once, one gets true. */
  async useOperatorToken(id: Uint8Array, { network, staticKey }: TokenUse): Promise<boolean> {
    const changed = await this.#database(TOKENS)
      .where({ id: toBlob(id), network: null })
      .update({ network: toBlob(network), static_key: toBlob(staticKey) });
    return changed === 1;
  }

  async removeOperatorToken(id: Uint8Array): Promise<void> {
    await this.#database(TOKENS)
      .where({ id: toBlob(id) })
      .delete();
  }
}

interface TokenRow {
  readonly id: Buffer;
  readonly psk: Buffer;
  readonly expires_at: number;
  readonly network: Buffer | null;
  readonly static_key: Buffer | null;
}
