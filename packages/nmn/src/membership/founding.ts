import {
  claimIdOf,
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
  type Welcome,
} from '@coconet/cluster-protocol/core';

import { NetworkLedger, type LedgerSurroundings } from './network-ledger.js';
import type { OperatorToken, OperatorTokens, TokenUse } from './operator-tokens.js';
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
  /** The network that was made with it. Its creator may repeat; a key never signs for two networks. */
  readonly networkKey?: string;
}

/** Who creates a network, as far as its session has proved it. */
export interface Creator {
  readonly tokenId: Uint8Array;
  /** X25519. */
  readonly staticKey: Uint8Array;
}

/** What {@link Founding.create} did. */
export type Founded =
  | {
      readonly created: true;
      readonly ledger: NetworkLedger;
      readonly turn: Turn;
      /** To be noted of the token, once the network is served. */
      readonly use: TokenUse;
      readonly reply: ManagementContent;
    }
  | { readonly created: false; readonly reply: ManagementContent };

/**
 * How a network comes to this NMN, in two steps, because the root key stays with whoever creates it: the NMN makes a
 * signing key for this network alone, the creator has the root sign it. Whoever got no answer repeats the second step
 * and gets it, as long as it has not come as a member: the token is bound to the network and to the creator's key.
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
  prepare(wall: WallTime, creator: Creator, token: Uint8Array): ManagementContent {
    const kept = this.#tokenOf(wall, creator, token);
    if (!kept || kept.use) return refuse('operatorTokenInvalid', TOKEN_SENTENCE);
    const { provider, random } = this.#surroundings;
    for (const [key, { at }] of this.#prepared)
      if (this.#prepared.size >= MAX_PREPARED || at + PREPARED_LIFE < wall) this.#prepared.delete(key);
    const challenge = randomBytes(random, CHALLENGE_LENGTH);
    const key = provider.signingKeyPair(randomBytes(random, 32));
    this.#prepared.set(toHex(challenge), { key, at: wall });
    return { type: 'networkPrepared', authorityKey: key.publicKey, nmnStaticKey: this.#staticKey, challenge };
  }

  /** Second step: what the root signed. The token is used up by success alone. */
  create(wall: WallTime, creator: Creator, request: Request<'createNetwork'>, networks: Networks): Founded {
    const { provider } = this.#surroundings;
    const network = networkIdOf(provider, request.rootKey);
    const token = this.#tokenOf(wall, creator, request.operatorToken);
    const made =
      token?.use && provider.equal(token.use.network, network) && networks.welcome(formatNetworkId(network));
    if (made) return { created: false, reply: { type: 'networkCreated', ...made } };
    const prepared = this.#prepared.get(toHex(request.challenge));
    const refusal =
      token && !token.use
        ? this.#refusal(wall, request, prepared, networks)
        : refuse('operatorTokenInvalid', TOKEN_SENTENCE);
    if (refusal || !prepared)
      return { created: false, reply: refusal ?? refuse('invalid', CHALLENGE_SENTENCE, 'challenge') };

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
    const use = { network, staticKey: creator.staticKey };
    turn.changes.push({ kind: 'operatorTokenUsed', id: creator.tokenId, use });
    this.#prepared.set(toHex(request.challenge), { ...prepared, networkKey: stored.key });
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
    return { created: true, ledger, turn, use, reply: { type: 'networkCreated', ...ledger.welcome() } };
  }

  /** The token of a request, where it is the one that the session has proved. */
  #tokenOf(wall: WallTime, { tokenId, staticKey }: Creator, token: Uint8Array): OperatorToken | undefined {
    const { provider } = this.#surroundings;
    const same = provider.equal(claimIdOf(provider, token), tokenId);
    return same && typeof this.#tokens.pskFor(wall, tokenId, staticKey) !== 'string'
      ? this.#tokens.get(tokenId)
      : undefined;
  }

  #refusal(
    wall: WallTime,
    request: Request<'createNetwork'>,
    prepared: Prepared | undefined,
    networks: Networks,
  ): Request<'error'> | undefined {
    const { provider } = this.#surroundings;
    const { rootKey, authority, nmnCredential, ownerCredential } = request;
    const network = networkIdOf(provider, rootKey);
    const { networkKey = formatNetworkId(network) } = prepared ?? {};
    if (!prepared || prepared.at + PREPARED_LIFE < wall || networkKey !== formatNetworkId(network))
      return refuse('invalid', CHALLENGE_SENTENCE, 'challenge');
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
  /** What a new member of a network needs; `undefined`: it is not served. */
  welcome(networkKey: string): Welcome | undefined;
  readonly full: boolean;
}

const TOKEN_SENTENCE =
  'the operator token is unknown, used or expired; ask the operator of the NMN for a new one';
const CHALLENGE_SENTENCE = 'the creation took too long or the NMN was restarted; begin again';
