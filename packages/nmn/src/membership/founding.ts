import {
  encodeCertificate,
  encodeCredential,
  formatNetworkId,
  isSignedBy,
  type KeyPair,
  type ManagementContent,
  networkIdOf,
  nodeNameProblem,
  randomBytes,
  sameBytes,
  toHex,
  verifyChain,
  type WallTime,
} from '@coconet/cluster-protocol/core';

import { NetworkLedger, type LedgerSurroundings } from './network-ledger.js';
import type { OperatorTokens } from './operator-tokens.js';
import { refuse } from './requests.js';
import type { StoredNetwork } from './storage-change.js';
import { Turn } from './turn.js';

type Request<T extends ManagementContent['type']> = Extract<ManagementContent, { type: T }>;

/** Networks that are being created at once; whoever comes later makes the oldest begin again. */
const MAX_PREPARED = 64;
/** How long a person may take between the two steps: ten minutes. */
const PREPARED_LIFE = 600_000;
const CHALLENGE_LENGTH = 16;
/** Under this name an NMN stands among the members. */
const NMN_NAME = 'NMN';

interface Prepared {
  readonly key: KeyPair;
  readonly at: WallTime;
}

/** What {@link Founding.create} did. */
export type Founded =
  | {
      readonly created: true;
      readonly ledger: NetworkLedger;
      readonly turn: Turn;
      readonly reply: ManagementContent;
    }
  | { readonly created: false; readonly reply: ManagementContent };

/**
 * How a network comes to this NMN, in two steps, because the root key stays with whoever creates it: the NMN makes a
 * signing key for this network alone, the creator has the root sign it.
 */
export class Founding {
  readonly #surroundings: LedgerSurroundings;
  readonly #tokens: OperatorTokens;
  readonly #staticKey: Uint8Array;
  readonly #prepared = new Map<string, Prepared>();

  constructor(surroundings: LedgerSurroundings, tokens: OperatorTokens, staticKey: Uint8Array) {
    this.#surroundings = surroundings;
    this.#tokens = tokens;
    this.#staticKey = staticKey;
  }

  /** First step: a key to be signed. */
  prepare(wall: WallTime, token: Uint8Array): ManagementContent {
    if (!this.#tokens.isValid(wall, token)) return refuse('operatorTokenInvalid', TOKEN_SENTENCE);
    const { provider, random } = this.#surroundings;
    for (const [key, { at }] of this.#prepared)
      if (this.#prepared.size >= MAX_PREPARED || at + PREPARED_LIFE < wall) this.#prepared.delete(key);
    const challenge = randomBytes(random, CHALLENGE_LENGTH);
    const key = provider.signingKeyPair(randomBytes(random, 32));
    this.#prepared.set(toHex(challenge), { key, at: wall });
    return { type: 'networkPrepared', authorityKey: key.publicKey, nmnStaticKey: this.#staticKey, challenge };
  }

  /** Second step: what the root signed. The token is used up by success alone. */
  create(wall: WallTime, request: Request<'createNetwork'>, networks: Networks): Founded {
    const prepared = this.#prepared.get(toHex(request.challenge));
    const refusal = this.#refusal(wall, request, prepared, networks);
    if (refusal || !prepared)
      return { created: false, reply: refusal ?? refuse('invalid', CHALLENGE_SENTENCE, 'challenge') };

    const { provider } = this.#surroundings;
    const network = networkIdOf(provider, request.rootKey);
    const stored: StoredNetwork = {
      network,
      key: formatNetworkId(network),
      name: request.name,
      rootKey: request.rootKey,
      authorityNumber: request.authority.number,
      authorityCertificate: encodeCertificate(request.authority),
      nmnCredential: encodeCredential(request.nmnCredential),
      signingSeed: prepared.key.privateKey,
      createdAt: wall,
    };
    const nothing = {
      head: undefined,
      version: 0,
      invitations: [],
      members: [],
      records: [],
      secrets: new Map(),
    };
    const ledger = new NetworkLedger(this.#surroundings, { network: stored, ...nothing }, 'ready');
    const turn = new Turn();
    turn.changes.push({ kind: 'network', network: stored });
    turn.changes.push({ kind: 'operatorTokenUsed', id: this.#tokens.use(request.operatorToken) });
    this.#prepared.delete(toHex(request.challenge));
    ledger.publish(turn, wall, { kind: 'authority', certificate: request.authority, retired: false });
    const joinedAt = ledger.clock(wall);
    ledger.publish(turn, wall, {
      kind: 'member',
      name: NMN_NAME,
      joinedAt,
      credential: request.nmnCredential,
    });
    ledger.remember(turn, wall, request.ownerCredential, new Uint8Array(0));
    const owner = { name: request.ownerName, joinedAt, credential: request.ownerCredential };
    ledger.publish(turn, wall, { kind: 'member', ...owner });
    ledger.rollSecret(turn, wall);
    ledger.signHead(turn, wall);
    return { created: true, ledger, turn, reply: { type: 'networkCreated', ...ledger.welcome() } };
  }

  #refusal(
    wall: WallTime,
    request: Request<'createNetwork'>,
    prepared: Prepared | undefined,
    networks: Networks,
  ): Request<'error'> | undefined {
    const { provider } = this.#surroundings;
    const { rootKey, authority, nmnCredential, ownerCredential } = request;
    if (!this.#tokens.isValid(wall, request.operatorToken))
      return refuse('operatorTokenInvalid', TOKEN_SENTENCE);
    if (!prepared || prepared.at + PREPARED_LIFE < wall)
      return refuse('invalid', CHALLENGE_SENTENCE, 'challenge');
    const network = networkIdOf(provider, rootKey);
    for (const [field, name] of [
      ['name', request.name],
      ['ownerName', request.ownerName],
    ] as const) {
      const problem = nodeNameProblem(name);
      if (problem !== undefined) return refuse('invalid', `the name ${problem}`, field);
    }
    if (networks.has(formatNetworkId(network)))
      return refuse('invalid', 'this network is served here already', 'rootKey');
    if (networks.full) return refuse('limitReached', 'this NMN serves as many networks as it may');
    const rightAuthority =
      sameBytes(authority.network, network) &&
      sameBytes(authority.signingKey, prepared.key.publicKey) &&
      sameBytes(authority.staticKey, this.#staticKey) &&
      !authority.extensions.some(({ critical }) => critical) &&
      isSignedBy(provider, authority, rootKey);
    if (!rightAuthority)
      return refuse('invalid', 'the authority certificate is not what was prepared', 'authority');
    const root = { network, rootKey };
    const nmn = nmnCredential.leaf;
    const rightNmn =
      nmn.kind === 'nmn' &&
      sameBytes(nmn.signingKey, prepared.key.publicKey) &&
      sameBytes(nmn.staticKey, this.#staticKey) &&
      verifyChain(provider, nmnCredential, root).ok;
    if (!rightNmn)
      return refuse('invalid', 'the certificate for the NMN is not what was prepared', 'nmnCredential');
    const owner = ownerCredential.leaf;
    const rightOwner =
      owner.role === 'owner' &&
      owner.kind === 'client' &&
      ownerCredential.issuers.length === 0 &&
      owner.nodeId !== nmn.nodeId &&
      verifyChain(provider, ownerCredential, root).ok;
    return rightOwner
      ? undefined
      : refuse('invalid', 'the owner is not signed by the root key', 'ownerCredential');
  }
}

/** The networks that are served already. */
export interface Networks {
  has(networkKey: string): boolean;
  readonly full: boolean;
}

const TOKEN_SENTENCE =
  'the operator token is unknown, used or expired; ask the operator of the NMN for a new one';
const CHALLENGE_SENTENCE = 'the creation took too long or the NMN was restarted; begin again';
