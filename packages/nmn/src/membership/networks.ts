import {
  formatNetworkId,
  type ManagementContent,
  networkIdOf,
  type WallTime,
  type Welcome,
} from '@coconet/cluster-protocol/core';

import { type Creator, Founding, type Networks as KnownNetworks } from './founding.js';
import { type LedgerSurroundings, NetworkLedger } from './network-ledger.js';
import { type OperatorToken, OperatorTokens } from './operator-tokens.js';
import { type Joiner, MembershipRequests, refuse } from './requests.js';
import type { NetworkContents, StorageChange } from './storage-change.js';
import { Turn } from './turn.js';

/** Who asks, as far as its session has proved it. */
export type Asker =
  | {
      readonly kind: 'member';
      readonly networkKey: string;
      readonly nodeId: number;
      readonly limited: boolean;
    }
  | Stranger;

/** Somebody who is no member yet, with a claim or a token. */
export type Stranger =
  | ({ readonly kind: 'joiner'; readonly networkKey: string } & Joiner)
  | ({ readonly kind: 'operator' } & Creator);

/** What a request led to. `later`: the network is settling after a start; ask again then. */
export type Answer =
  | {
      readonly kind: 'now';
      readonly reply: ManagementContent;
      readonly turn: Turn;
      readonly networkKey: string | undefined;
    }
  | { readonly kind: 'later' };

/** A network that is served: what it remembers and the rules over it. */
export interface ServedNetwork {
  readonly ledger: NetworkLedger;
  readonly requests: MembershipRequests;
}

/** All networks of this NMN. */
export class Networks implements KnownNetworks {
  readonly tokens: OperatorTokens;
  readonly #surroundings: LedgerSurroundings;
  readonly #founding: Founding;
  readonly #served = new Map<string, ServedNetwork>();

  constructor(
    surroundings: LedgerSurroundings,
    staticKey: Uint8Array,
    contents: readonly NetworkContents[],
    tokens: readonly OperatorToken[],
  ) {
    const { provider, random, config } = surroundings;
    this.#surroundings = surroundings;
    this.tokens = new OperatorTokens(provider, random, config.operatorTokenLife, tokens);
    this.#founding = new Founding(surroundings, this.tokens, staticKey);
    for (const network of contents) this.load(network);
  }

  /** Takes a network in as it was kept; it signs nothing until it has settled. */
  load(contents: NetworkContents): ServedNetwork {
    const known = this.#served.get(contents.network.key);
    // What this process has signed already is not in question, only what an earlier one signed.
    const version = Math.max(contents.version, known?.ledger.versions.last ?? 0);
    const state = known?.ledger.versions.state ?? 'settling';
    return this.#serve(new NetworkLedger(this.#surroundings, { ...contents, version }, state));
  }

  get(networkKey: string): ServedNetwork | undefined {
    return this.#served.get(networkKey);
  }

  has(networkKey: string): boolean {
    return this.#served.has(networkKey);
  }

  welcome(networkKey: string): Welcome | undefined {
    return this.#served.get(networkKey)?.ledger.welcome();
  }

  get size(): number {
    return this.#served.size;
  }

  get full(): boolean {
    return this.#served.size >= this.#surroundings.config.networks;
  }

  all(): IterableIterator<ServedNetwork> {
    return this.#served.values();
  }

  /** Withdraws a network that was never kept; whoever was to create it may try again. */
  forget(networkKey: string): void {
    const served = this.#served.get(networkKey);
    if (served) this.tokens.release(served.ledger.stored.network);
    this.#served.delete(networkKey);
  }

  /** The network that a request of an operator's call is about: while it is under way, the same request waits. */
  networkOf(asker: Asker, request: ManagementContent): string | undefined {
    if (asker.kind !== 'operator') return asker.networkKey;
    if (request.type !== 'createNetwork') return undefined;
    return formatNetworkId(networkIdOf(this.#surroundings.provider, request.rootKey));
  }

  /** A member opened a session: what let it in, invitation or token, is used up. */
  arrived(networkKey: string, nodeId: number): Turn {
    const turn = new Turn();
    const ledger = this.#served.get(networkKey)?.ledger;
    const used = ledger?.invitations.complete(nodeId);
    if (used) turn.changes.push({ kind: 'invitation', networkKey, invitation: used });
    const leaf = ledger?.state.member(nodeId)?.credential.leaf;
    const token = leaf?.role === 'owner' ? this.tokens.complete(leaf) : undefined;
    if (token) turn.changes.push({ kind: 'operatorTokenForgotten', id: token });
    return turn;
  }

  /** A session with a stranger was begun and never proved: a wrong proof of its claim or token. */
  unproven(stranger: Stranger): Turn {
    const turn = new Turn();
    if (stranger.kind === 'joiner') {
      const { networkKey, claimId } = stranger;
      const counted = this.#served.get(networkKey)?.ledger.invitations.unproven(claimId);
      if (counted) turn.changes.push({ kind: 'invitation', networkKey, invitation: counted });
    } else {
      const ended = this.tokens.unproven(stranger.tokenId);
      if (ended) turn.changes.push({ kind: 'operatorTokenForgotten', id: ended });
    }
    return turn;
  }

  /** Does what a request asks, in memory; nothing of the answer may leave before the turn's changes are durable. */
  handle(wall: WallTime, asker: Asker, request: ManagementContent): Answer {
    if (asker.kind === 'operator') return this.#handleOperator(wall, asker, request);
    const network = this.#served.get(asker.networkKey);
    const turn = new Turn();
    const answer = (reply: ManagementContent): Answer => ({
      kind: 'now',
      reply,
      turn,
      networkKey: asker.networkKey,
    });
    if (!network) return answer(refuse('networkUnknown', 'this NMN does not serve that network'));
    const { ledger, requests } = network;
    if (SIGNS.has(request.type) && ledger.versions.state === 'settling') return { kind: 'later' };
    if (asker.kind === 'joiner')
      return answer(
        request.type === 'join'
          ? requests.join(turn, ledger.clock(wall), asker, request)
          : refuse('notPermitted', 'who has not joined can only join'),
      );
    const { nodeId } = asker;
    if (asker.limited && request.type !== 'renew')
      return answer(refuse('notPermitted', 'your certificate has expired: renew it first'));
    switch (request.type) {
      case 'renew':
        return answer(requests.renew(turn, wall, nodeId));
      case 'createInvitation':
        return answer(requests.createInvitation(turn, wall, nodeId, request));
      case 'revoke':
        return answer(requests.revoke(turn, wall, nodeId, request.record));
      case 'secret':
        return answer(requests.secret(nodeId));
      case 'leave':
        return answer(requests.leave(turn, wall, nodeId));
      case 'join':
        return answer(refuse('alreadyMember', 'you are a member of this network already'));
      case 'prepareNetwork':
      case 'createNetwork':
        return answer(refuse('notPermitted', 'only somebody with an operator token creates a network'));
      case 'joined':
      case 'renewed':
      case 'invitationCreated':
      case 'networkPrepared':
      case 'networkCreated':
      case 'revoked':
      case 'secretIs':
      case 'left':
      case 'error':
        return answer(refuse('invalid', 'this is an answer, not a request'));
    }
  }

  /** A new operator token and what of it is to be kept. */
  createToken(wall: WallTime): { readonly token: Uint8Array; readonly changes: readonly StorageChange[] } {
    const { token, kept, forgotten } = this.tokens.create(wall);
    const gone = forgotten.map((id): StorageChange => ({ kind: 'operatorTokenForgotten', id }));
    return { token, changes: [...gone, { kind: 'operatorToken', token: kept }] };
  }

  #handleOperator(wall: WallTime, creator: Creator, request: ManagementContent): Answer {
    const answer = (reply: ManagementContent, turn: Turn, networkKey?: string): Answer => ({
      kind: 'now',
      reply,
      turn,
      networkKey,
    });
    if (request.type === 'prepareNetwork')
      return answer(this.#founding.prepare(wall, creator, request.operatorToken), new Turn());
    if (request.type !== 'createNetwork')
      return answer(
        refuse('notPermitted', 'an operator token creates a network and does nothing else'),
        new Turn(),
      );
    const founded = this.#founding.create(wall, creator, request, this);
    if (!founded.created) return answer(founded.reply, new Turn());
    this.tokens.use(creator.tokenId, founded.use);
    this.#serve(founded.ledger);
    return answer(founded.reply, founded.turn, founded.ledger.key);
  }

  #serve(ledger: NetworkLedger): ServedNetwork {
    const { provider, config } = this.#surroundings;
    const served = { ledger, requests: new MembershipRequests(provider, config, ledger) };
    this.#served.set(ledger.key, served);
    return served;
  }
}

/** Requests whose answer the authority signs. */
const SIGNS: ReadonlySet<ManagementContent['type']> = new Set(['join', 'renew', 'revoke', 'leave']);
