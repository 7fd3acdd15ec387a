import type { Migration } from './index.js';

/** What belongs to the NMN as a whole: its static key, its reset secret, its starts. */
export const settingsInitial: Migration = {
  name: '20261101000000-settings-initial',
  async up(database) {
    await database.schema.createTable('nmn_settings', table => {
      table.text('name').primary();
      table.binary('value').notNullable();
    });
  },
};
