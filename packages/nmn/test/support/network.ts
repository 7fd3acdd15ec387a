import {
  authorizeNmn,
  claimIdOf,
  claimMacOf,
  claimPskOf,
  createNetwork,
  createNodeKeys,
  type ManagementContent,
  type NetworkGenesis,
  type NodeKeys,
  randomBytes,
  type RandomSource,
  signClaim,
  type WallTime,
  wallTime,
} from '@coconet/cluster-protocol/core';
import { SeededRandom } from '@coconet/cluster-protocol/testing';

import { DEFAULT_CONFIG, type MembershipConfig } from '../../src/config.js';
import { Founding, type Networks } from '../../src/membership/founding.js';
import type { NetworkLedger } from '../../src/membership/network-ledger.js';
import { OperatorTokens } from '../../src/membership/operator-tokens.js';
import { MembershipRequests } from '../../src/membership/requests.js';
import type { StorageChange } from '../../src/membership/storage-change.js';
import { Turn } from '../../src/membership/turn.js';
import { on, provider } from './surroundings.js';

/** A network that was just founded, without sockets or disk. */
export interface Home {
  readonly genesis: NetworkGenesis;
  readonly ledger: NetworkLedger;
  readonly requests: MembershipRequests;
  readonly random: RandomSource;
  readonly nmnStatic: NodeKeys;
  /** What would have been written so far. */
  readonly written: StorageChange[];
}

const nobody: Networks = { has: () => false, welcome: () => undefined, full: false };

/** Founds a network at `wall`. */
export function foundHome(
  options: { seed?: number; wall?: WallTime; config?: Partial<MembershipConfig> } = {},
): Home {
  const { seed = 1, wall = on(0) } = options;
  const random = new SeededRandom(seed);
  const config = { ...DEFAULT_CONFIG.membership, ...options.config };
  const surroundings = { provider, random, config };
  const tokens = new OperatorTokens(provider, random, config.operatorTokenLife);
  const nmnStatic = createNodeKeys(provider, random);
  const founding = new Founding(surroundings, tokens, nmnStatic.static.publicKey);
  const { token, kept } = tokens.create(wall);
  const genesis = createNetwork(provider, random, { user: 'Ada', now: wall });
  const creator = { tokenId: kept.id, staticKey: genesis.ownerKeys.static.publicKey };
  const prepared = founding.prepare(wall, creator, token);
  if (prepared.type !== 'networkPrepared') throw new Error(prepared.type);
  const keys = { authorityKey: prepared.authorityKey, staticKey: prepared.nmnStaticKey };
  const authorized = authorizeNmn(provider, random, genesis.root, keys, { number: 1, now: wall });
  const founded = founding.create(
    wall,
    creator,
    {
      type: 'createNetwork',
      challenge: prepared.challenge,
      operatorToken: token,
      name: 'home',
      rootKey: genesis.root.publicKey,
      authority: authorized.authority,
      nmnCredential: authorized.nmnCredential,
      ownerName: 'Ada',
      ownerCredential: genesis.ownerCredential,
    },
    nobody,
  );
  if (!founded.created) throw new Error(JSON.stringify(founded.reply));
  const { ledger, turn } = founded;
  const requests = new MembershipRequests(provider, config, ledger);
  return {
    genesis,
    ledger,
    requests,
    random,
    nmnStatic,
    written: [{ kind: 'operatorToken', token: kept }, ...turn.changes],
  };
}

/** Runs one request and keeps what it wants written. */
export function ask(
  home: Home,
  request: (turn: Turn) => ManagementContent,
): ManagementContent & { readonly turn: Turn } {
  const turn = new Turn();
  const reply = request(turn);
  home.written.push(...turn.changes);
  return { ...reply, turn };
}

/** A plain invitation of the owner; the claim. */
export function invite(
  home: Home,
  options: { wall?: WallTime; life?: number; name?: string } = {},
): Uint8Array {
  const { wall = on(0), life = 3_600_000, name = '' } = options;
  const claim = randomBytes(home.random, 16);
  const reply = ask(home, turn =>
    home.requests.createInvitation(turn, wall, home.genesis.ownerCredential.leaf.nodeId, {
      type: 'createInvitation',
      claimId: claimIdOf(provider, claim),
      claimPsk: claimPskOf(provider, claim),
      name,
      grant: { type: 'plain', kind: 'device', role: 'none', user: '', expiresAt: wallTime(wall + life) },
    }),
  );
  if (reply.type !== 'invitationCreated') throw new Error(JSON.stringify(reply));
  return claim;
}

/** What a node with these keys sends for a claim. */
export function joinRequest(
  home: Home,
  claim: Uint8Array,
  keys: NodeKeys,
  name = 'lamp',
): Extract<ManagementContent, { type: 'join' }> {
  const joiner = { signingKey: keys.signing.publicKey, staticKey: keys.static.publicKey };
  const { network } = home.genesis;
  return {
    type: 'join',
    kind: 'device',
    name,
    signingKey: joiner.signingKey,
    claimMac: claimMacOf(provider, claim, network, joiner),
    claimSignature: signClaim(provider, claim, network, joiner),
  };
}

/** Uses a claim with fresh or given keys. */
export function join(
  home: Home,
  claim: Uint8Array,
  options: { wall?: WallTime; keys?: NodeKeys; name?: string } = {},
): ManagementContent & { readonly turn: Turn } {
  const { wall = on(0), keys = createNodeKeys(provider, home.random), name } = options;
  const joiner = { claimId: claimIdOf(provider, claim), staticKey: keys.static.publicKey };
  return ask(home, turn => home.requests.join(turn, wall, joiner, joinRequest(home, claim, keys, name)));
}
