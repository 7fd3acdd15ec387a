import type { Migration } from './index.js';

/** Networks, who is in them, who is invited, what was signed. */
export const membershipInitial: Migration = {
  name: '20261101000100-membership-initial',
  async up(database) {
    await database.schema.createTable('membership_networks', table => {
      table.text('network').primary();
      table.text('name').notNullable();
      table.binary('root_key').notNullable();
      table.bigInteger('authority_number').notNullable();
      table.binary('authority_certificate').notNullable();
      table.binary('nmn_credential').notNullable();
      table.binary('signing_seed').notNullable();
      table.bigInteger('created_at').notNullable();
      table.binary('head');
    });
    await database.schema.createTable('membership_counters', table => {
      table.text('network').notNullable().references('network').inTable('membership_networks');
      table.text('name').notNullable();
      table.bigInteger('value').notNullable();
      table.primary(['network', 'name']);
    });
    await database.schema.createTable('membership_secrets', table => {
      table.text('network').notNullable().references('network').inTable('membership_networks');
      table.bigInteger('epoch').notNullable();
      table.binary('secret').notNullable();
      table.primary(['network', 'epoch']);
    });
    await database.schema.createTable('membership_records', table => {
      table.text('network').notNullable().references('network').inTable('membership_networks');
      table.text('name').notNullable();
      table.bigInteger('authority_number').notNullable();
      table.bigInteger('version').notNullable();
      table.binary('bytes').notNullable();
      table.primary(['network', 'name']);
    });
    await database.schema.createTable('membership_members', table => {
      table.text('network').notNullable().references('network').inTable('membership_networks');
      table.bigInteger('node_id').notNullable();
      table.binary('claim_id').notNullable();
      table.bigInteger('serial').notNullable();
      table.bigInteger('admitted_at').notNullable();
      table.binary('credential').notNullable();
      table.primary(['network', 'node_id']);
      table.unique(['network', 'serial']);
    });
    await database.schema.createTable('membership_invitations', table => {
      table.text('network').notNullable().references('network').inTable('membership_networks');
      table.binary('claim_id').notNullable();
      table.binary('claim_psk').notNullable();
      table.bigInteger('node_id').notNullable();
      table.text('kind').notNullable();
      table.text('role').notNullable();
      table.text('name').notNullable();
      table.text('user').notNullable();
      table.binary('certificate').notNullable();
      table.bigInteger('inviter').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('expires_at').notNullable();
      table.integer('wrong_proofs').notNullable();
      table.text('state').notNullable();
      table.binary('signing_key');
      table.binary('static_key');
      table.primary(['network', 'claim_id']);
      table.unique(['network', 'node_id']);
    });
    await database.schema.createTable('membership_operator_tokens', table => {
      table.binary('id').primary();
      table.binary('psk').notNullable();
      table.bigInteger('expires_at').notNullable();
    });
  },
};
