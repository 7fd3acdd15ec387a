import type { Migration } from './index.js';

/** For what an operator token was used: its user may ask again after a lost answer. */
export const membershipTokenUse: Migration = {
  name: '20261121000000-membership-token-use',
  async up(database) {
    await database.schema.alterTable('membership_operator_tokens', table => {
      table.binary('network');
      table.binary('static_key');
    });
  },
};
