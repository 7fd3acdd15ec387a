import type { Knex } from 'knex';

import { NmnError } from '../errors.js';
import type { StorageChange } from '../membership/storage-change.js';
import { NetworkRepository } from './network-repository.js';
import { SettingsRepository } from './settings-repository.js';

/** Writes the changes of one turn, in their order, inside a transaction of the caller's. */
export async function applyChanges(
  transaction: Knex.Transaction,
  changes: readonly StorageChange[],
): Promise<void> {
  for (const change of changes) await applyChange(transaction, change);
}

async function applyChange(transaction: Knex.Transaction, change: StorageChange): Promise<void> {
  switch (change.kind) {
    case 'operatorToken':
      return new SettingsRepository(transaction).putOperatorToken(change.token);
    case 'operatorTokenUsed':
      if (await new SettingsRepository(transaction).removeOperatorToken(change.id)) return;
      throw new NmnError('INVALID_STATE', 'the operator token was used already');
    case 'operatorTokenForgotten':
      await new SettingsRepository(transaction).removeOperatorToken(change.id);
      return;
    case 'network':
      return new NetworkRepository(transaction, change.network.key).create(change.network);
  }
  const repository = new NetworkRepository(transaction, change.networkKey);
  switch (change.kind) {
    case 'invitation':
      return repository.putInvitation(change.invitation);
    case 'invitationRemoved':
      return repository.removeInvitation(change.claimId);
    case 'member':
      return repository.putMember(change.member);
    case 'record':
      return repository.putRecord(change.record);
    case 'head':
      return repository.putHead(change.bytes);
    case 'secret':
      return repository.putSecret(change.epoch, change.secret);
    case 'secretsBefore':
      return repository.removeSecretsBefore(change.epoch);
    case 'counter':
      return repository.raiseCounter(change.name, change.value);
  }
}
