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
  for (const change of changes)
    if ('networkKey' in change) await changeNetwork(transaction, change);
    else await changeNmn(transaction, change);
}

type OfNetwork = Extract<StorageChange, { readonly networkKey: string }>;

async function changeNmn(
  transaction: Knex.Transaction,
  change: Exclude<StorageChange, OfNetwork>,
): Promise<void> {
  const settings = new SettingsRepository(transaction);
  switch (change.kind) {
    case 'network':
      return new NetworkRepository(transaction, change.network.key).create(change.network);
    case 'operatorToken':
      return settings.putOperatorToken(change.token);
    case 'operatorTokenUsed':
      if (await settings.useOperatorToken(change.id, change.use)) return;
      throw new NmnError('INVALID_STATE', 'the operator token was used already');
    case 'operatorTokenForgotten':
      return settings.removeOperatorToken(change.id);
  }
}

async function changeNetwork(transaction: Knex.Transaction, change: OfNetwork): Promise<void> {
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
