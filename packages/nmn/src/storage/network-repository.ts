import { parseNetworkId, wallTime } from '@coconet/cluster-protocol/core';
import type { Knex } from 'knex';

import { NmnError } from '../errors.js';
import type { BoundKeys, Invitation, InvitationState } from '../membership/invitation.js';
import type {
  CounterName,
  NetworkContents,
  StoredMember,
  StoredNetwork,
  StoredRecord,
} from '../membership/storage-change.js';
import { fromBlob, toBlob } from './columns.js';

const VERSION: CounterName = 'version';
const NETWORKS = 'membership_networks';
const COUNTERS = 'membership_counters';
const SECRETS = 'membership_secrets';
const RECORDS = 'membership_records';
const MEMBERS = 'membership_members';
const INVITATIONS = 'membership_invitations';

/** The keys of all networks in the database. */
export async function networkKeys(database: Knex): Promise<string[]> {
  const rows = (await database(NETWORKS).select('network').orderBy('created_at')) as { network: string }[];
  return rows.map(row => row.network);
}

/**
 * Everything that is kept of one network, and nothing of any other: every query of it names the network. Works on the
 * database or inside a transaction.
 */
export class NetworkRepository {
  readonly #database: Knex;
  readonly #network: string;

  constructor(database: Knex, networkKey: string) {
    this.#database = database;
    this.#network = networkKey;
  }

  /** `undefined` when there is no such network. */
  async load(): Promise<NetworkContents | undefined> {
    const row = (await this.#table(NETWORKS).first()) as NetworkRow | undefined;
    if (row === undefined) return undefined;
    const counters = (await this.#table(COUNTERS)) as { name: string; value: number }[];
    const secrets = (await this.#table(SECRETS)) as { epoch: number; secret: Buffer }[];
    const records = (await this.#table(RECORDS).orderBy(['authority_number', 'version'])) as RecordRow[];
    const members = (await this.#table(MEMBERS)) as MemberRow[];
    const invitations = (await this.#table(INVITATIONS)) as InvitationRow[];
    return {
      network: readNetwork(row),
      head: row.head === null ? undefined : fromBlob(row.head),
      version: counters.find(({ name }) => name === VERSION)?.value ?? 0,
      secrets: new Map(secrets.map(({ epoch, secret }) => [epoch, fromBlob(secret)])),
      records: records.map(({ name, authority_number: authorityNumber, version, bytes }) => ({
        name,
        authorityNumber,
        version,
        bytes: fromBlob(bytes),
      })),
      members: members.map(readMember),
      invitations: invitations.map(readInvitation),
    };
  }

  /** Throws `NETWORK_EXISTS` when it is there already. */
  async create(network: StoredNetwork): Promise<void> {
    const made = await this.#database(NETWORKS)
      .insert({
        network: this.#network,
        name: network.name,
        root_key: toBlob(network.rootKey),
        authority_number: network.authorityNumber,
        authority_certificate: toBlob(network.authorityCertificate),
        nmn_credential: toBlob(network.nmnCredential),
        signing_seed: toBlob(network.signingSeed),
        created_at: network.createdAt,
        head: null,
      })
      .onConflict('network')
      .ignore()
      .returning('network');
    if (made.length === 0)
      throw new NmnError('NETWORK_EXISTS', `the network ${this.#network} is served by this NMN already`);
  }

  async putHead(bytes: Uint8Array): Promise<void> {
    await this.#table(NETWORKS).update({ head: toBlob(bytes) });
  }

  /** Counters only move up, whatever the order in which writes arrive. */
  async raiseCounter(name: CounterName, value: number): Promise<void> {
    const row = { network: this.#network, name, value };
    const rose = await this.#table(COUNTERS).where({ name }).where('value', '<', value).update({ value });
    if (rose === 0) await this.#database(COUNTERS).insert(row).onConflict(['network', 'name']).ignore();
  }

  async putSecret(epoch: number, secret: Uint8Array): Promise<void> {
    const row = { network: this.#network, epoch, secret: toBlob(secret) };
    await this.#database(SECRETS).insert(row).onConflict(['network', 'epoch']).merge();
  }

  async removeSecretsBefore(epoch: number): Promise<void> {
    await this.#table(SECRETS).where('epoch', '<', epoch).delete();
  }

  async putRecord(record: StoredRecord): Promise<void> {
    const { name, authorityNumber, version } = record;
    const row = {
      network: this.#network,
      name,
      authority_number: authorityNumber,
      version,
      bytes: toBlob(record.bytes),
    };
    await this.#database(RECORDS).insert(row).onConflict(['network', 'name']).merge();
  }

  async putMember(member: StoredMember): Promise<void> {
    const row = {
      network: this.#network,
      node_id: member.nodeId,
      claim_id: toBlob(member.claimId),
      serial: member.serial,
      admitted_at: member.admittedAt,
      credential: toBlob(member.credential),
    };
    await this.#database(MEMBERS).insert(row).onConflict(['network', 'node_id']).merge();
  }

  /**
   * Writes an invitation. One that is bound to keys keeps them: the statement itself refuses others, so that one claim
   * never admits two nodes whatever else goes wrong. Throws `INVALID_STATE` then.
   */
  async putInvitation(invitation: Invitation): Promise<void> {
    const { state } = invitation;
    const keys = state.kind === 'bound' || state.kind === 'used' ? state.keys : undefined;
    const row = {
      network: this.#network,
      claim_id: toBlob(invitation.claimId),
      claim_psk: toBlob(invitation.claimPsk),
      node_id: invitation.nodeId,
      kind: invitation.kind,
      role: invitation.role,
      name: invitation.name,
      user: invitation.user,
      certificate: toBlob(invitation.certificate),
      inviter: invitation.inviter,
      created_at: invitation.createdAt,
      expires_at: invitation.expiresAt,
      wrong_proofs: invitation.wrongProofs,
      state: state.kind,
      signing_key: keys ? toBlob(keys.signingKey) : null,
      static_key: keys ? toBlob(keys.staticKey) : null,
    };
    const written = await this.#database(INVITATIONS)
      .insert(row)
      .onConflict(['network', 'claim_id'])
      .merge()
      .where(existing => {
        existing.whereNull(`${INVITATIONS}.static_key`);
        if (row.static_key) existing.orWhere(`${INVITATIONS}.static_key`, row.static_key);
      })
      .returning('claim_id');
    if (written.length === 0)
      throw new NmnError('INVALID_STATE', 'the invitation is bound to the keys of another node');
  }

  async removeInvitation(claimId: Uint8Array): Promise<void> {
    await this.#table(INVITATIONS)
      .where({ claim_id: toBlob(claimId) })
      .delete();
  }

  #table(name: string): Knex.QueryBuilder {
    return this.#database(name).where({ network: this.#network });
  }
}

interface NetworkRow {
  readonly network: string;
  readonly name: string;
  readonly root_key: Buffer;
  readonly authority_number: number;
  readonly authority_certificate: Buffer;
  readonly nmn_credential: Buffer;
  readonly signing_seed: Buffer;
  readonly created_at: number;
  readonly head: Buffer | null;
}

interface RecordRow {
  readonly name: string;
  readonly authority_number: number;
  readonly version: number;
  readonly bytes: Buffer;
}

interface MemberRow {
  readonly node_id: number;
  readonly claim_id: Buffer;
  readonly serial: number;
  readonly admitted_at: number;
  readonly credential: Buffer;
}

interface InvitationRow {
  readonly claim_id: Buffer;
  readonly claim_psk: Buffer;
  readonly node_id: number;
  readonly kind: Invitation['kind'];
  readonly role: Invitation['role'];
  readonly name: string;
  readonly user: string;
  readonly certificate: Buffer;
  readonly inviter: number;
  readonly created_at: number;
  readonly expires_at: number;
  readonly wrong_proofs: number;
  readonly state: InvitationState['kind'];
  readonly signing_key: Buffer | null;
  readonly static_key: Buffer | null;
}

function readNetwork(row: NetworkRow): StoredNetwork {
  const network = parseNetworkId(row.network);
  if (network === undefined)
    throw new NmnError('DATABASE_DAMAGED', `the network id ${row.network} is malformed`);
  return {
    network,
    key: row.network,
    name: row.name,
    rootKey: fromBlob(row.root_key),
    authorityNumber: row.authority_number,
    authorityCertificate: fromBlob(row.authority_certificate),
    nmnCredential: fromBlob(row.nmn_credential),
    signingSeed: fromBlob(row.signing_seed),
    createdAt: wallTime(row.created_at),
  };
}

function readMember(row: MemberRow): StoredMember {
  return {
    nodeId: row.node_id,
    claimId: fromBlob(row.claim_id),
    serial: row.serial,
    admittedAt: wallTime(row.admitted_at),
    credential: fromBlob(row.credential),
  };
}

function readInvitation(row: InvitationRow): Invitation {
  return {
    claimId: fromBlob(row.claim_id),
    claimPsk: fromBlob(row.claim_psk),
    nodeId: row.node_id,
    kind: row.kind,
    role: row.role,
    name: row.name,
    user: row.user,
    certificate: fromBlob(row.certificate),
    inviter: row.inviter,
    createdAt: wallTime(row.created_at),
    expiresAt: wallTime(row.expires_at),
    wrongProofs: row.wrong_proofs,
    state: readState(row),
  };
}

function readState(row: InvitationRow): InvitationState {
  switch (row.state) {
    case 'open':
    case 'killed':
      return { kind: row.state };
    case 'bound':
    case 'used':
      return { kind: row.state, keys: readKeys(row) };
  }
}

function readKeys(row: InvitationRow): BoundKeys {
  if (row.signing_key === null || row.static_key === null)
    throw new NmnError('DATABASE_DAMAGED', `the invitation of node ${row.node_id} is bound to no keys`);
  return { signingKey: fromBlob(row.signing_key), staticKey: fromBlob(row.static_key) };
}
