import {
  claimIdOf,
  claimPskOf,
  decodeCredential,
  type InvitationGrant,
  type ManagementContent,
  type MemberRuntime,
  MemoryStore,
  parseOperatorUri,
  randomBytes,
  signRecord,
  toHex,
  wallTime,
} from '@coconet/cluster-protocol/core';
import type { SeededRandom } from '@coconet/cluster-protocol/testing';

import { connectToNmn, type NmnAdmin } from '../../../src/admin/admin-socket.js';
import { askNmn, createWith, joinUriOf, openMember, revocationOf } from '../members.js';
import type { ClientHost } from './client-host.js';
import {
  KIND_OF,
  type Memory,
  type RememberedInvitation,
  RememberedNetwork,
  type RememberedMember,
  type Variety,
} from './memory.js';

/** Every kind of write that an NMN acknowledges. */
export const WRITE_KINDS = [
  'operatorToken',
  'createNetwork',
  'inviteDevice',
  'inviteGuest',
  'inviteAdmin',
  'joinDevice',
  'joinGuest',
  'joinAdmin',
  'renew',
  'revoke',
  'reinstate',
  'leave',
] as const;

/** One of {@link WRITE_KINDS}. */
export type WriteKind = (typeof WRITE_KINDS)[number];

/** How often each kind is drawn, if there is anything to do for it. */
const WEIGHTS: Readonly<Record<WriteKind, number>> = {
  operatorToken: 1,
  createNetwork: 0.25,
  inviteDevice: 2,
  inviteGuest: 2,
  inviteAdmin: 2,
  joinDevice: 2,
  joinGuest: 2,
  joinAdmin: 2,
  renew: 2,
  revoke: 1,
  reinstate: 2,
  leave: 1,
};

/** Writes under way at once: enough that most kills hit one. */
const IN_FLIGHT = 6;
const INVITATION_LIFE = 3_600_000;
/** Whoever leaves needs a certificate that lasts until then. */
const ENOUGH_LIFE = 1_000;
/** Tokens that wait to be used. */
const MOST_TOKENS = 16;
/** The newest networks are written to; the older ones only have to stay as they are. */
const ACTIVE_NETWORKS = 2;

/** One life of the clients of an NMN: they want things of every kind from it, several at once, until they end. */
export class WriteLoad {
  readonly acknowledged = new Map<WriteKind, number>();
  /** What was refused, though it should not have been. */
  readonly refused: string[] = [];
  readonly #host: ClientHost;
  readonly #memory: Memory;
  readonly #random: SeededRandom;
  readonly #admin: NmnAdmin;
  readonly #owners = new Map<RememberedNetwork, Promise<MemberRuntime>>();
  #onAcknowledged: () => void = () => undefined;
  #doomed = false;
  #over = false;

  private constructor(host: ClientHost, memory: Memory, random: SeededRandom, admin: NmnAdmin) {
    this.#host = host;
    this.#memory = memory;
    this.#random = random;
    this.#admin = admin;
  }

  /** Connects to the NMN on a data folder. Remembers in `memory`. */
  static async begin(
    folder: string,
    host: ClientHost,
    memory: Memory,
    random: SeededRandom,
  ): Promise<WriteLoad> {
    const load = new WriteLoad(host, memory, random, await connectToNmn(folder));
    for (let i = 0; i < IN_FLIGHT; i++) void load.#writeForever();
    return load;
  }

  /** Calls `then` when the `count`th write from now on is acknowledged. */
  after(count: number, then: () => void): void {
    let left = count;
    this.#onAcknowledged = () => {
      if (--left === 0) then();
    };
  }

  /** The NMN is about to die: what is not answered from now on may fail. */
  expectEnd(): void {
    this.#doomed = true;
  }

  /** Nothing is acknowledged any more. */
  end(): void {
    this.#over = true;
    this.#admin.close();
  }

  async #writeForever(): Promise<void> {
    for (;;) {
      const { kind, write } = this.#draw();
      try {
        await write;
        if (this.#over) return;
        this.acknowledged.set(kind, (this.acknowledged.get(kind) ?? 0) + 1);
        this.#onAcknowledged();
      } catch (error) {
        // What an end in the middle does to a conversation is no refusal.
        if (this.#over || this.#doomed) return;
        this.refused.push(`${kind}: ${error instanceof Error ? error.message : String(error)}`);
        return;
      }
    }
  }

  #draw(): { readonly kind: WriteKind; readonly write: Promise<void> } {
    const kinds = [...WRITE_KINDS];
    while (kinds.length > 0) {
      const kind = this.#pick(kinds);
      const write = this.#begin(kind);
      if (write) return { kind, write };
      kinds.splice(kinds.indexOf(kind), 1);
    }
    throw new Error('a token can always be asked for or used');
  }

  #pick(kinds: readonly WriteKind[]): WriteKind {
    let left = this.#random.fraction() * kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
    return kinds.find(kind => (left -= WEIGHTS[kind]) < 0) ?? kinds[0]!;
  }

  #begin(kind: WriteKind): Promise<void> | undefined {
    const network = this.#oneOf(this.#memory.networks.slice(-ACTIVE_NETWORKS));
    switch (kind) {
      case 'operatorToken':
        // An NMN keeps 64 and forgets the oldest for another one: those remembered here shall all be there.
        return this.#memory.tokens.length < MOST_TOKENS ? this.#operatorToken() : undefined;
      case 'createNetwork':
        return this.#createNetwork();
      case 'inviteDevice':
        return network && this.#invite(network, 'Device');
      case 'inviteGuest':
        return network && this.#invite(network, 'Guest');
      case 'inviteAdmin':
        return network && this.#invite(network, 'Admin');
      case 'joinDevice':
        return network && this.#join(network, 'Device');
      case 'joinGuest':
        return network && this.#join(network, 'Guest');
      case 'joinAdmin':
        return network && this.#join(network, 'Admin');
      case 'renew':
        return network && this.#renew(network);
      case 'revoke':
        return network && this.#revoke(network);
      case 'reinstate':
        return network && this.#reinstate(network);
      case 'leave':
        return network && this.#leave(network);
    }
  }

  async #operatorToken(): Promise<void> {
    const uri = await this.#admin.operatorToken();
    const id = toHex(claimIdOf(this.#host.crypto, parseOperatorUri(uri).token));
    this.#memory.tokens.push({ id, uri });
  }

  #createNetwork(): Promise<void> | undefined {
    const token = this.#memory.tokens.shift();
    return (
      token &&
      createWith(this.#host, token.uri).then(owner => {
        const network = new RememberedNetwork(owner);
        this.#memory.networks.push(network);
        this.#owners.set(network, Promise.resolve(owner.runtime));
      })
    );
  }

  async #invite(network: RememberedNetwork, variety: Variety): Promise<void> {
    const { crypto, random } = this.#host;
    const owner = await this.#ownerOf(network);
    const claim = randomBytes(random, 16);
    const claimId = claimIdOf(crypto, claim);
    const expiresAt = wallTime(this.#host.wallTime() + INVITATION_LIFE);
    const kind = KIND_OF[variety];
    const grant: InvitationGrant =
      variety === 'Admin'
        ? {
            type: 'signed',
            invitation: owner.do(node =>
              node.authorship.invitation(random, this.#host.wallTime(), {
                claim,
                kind,
                role: 'admin',
                user: 'Bob',
                notAfter: expiresAt,
              }),
            ),
          }
        : { type: 'plain', kind, role: variety === 'Guest' ? 'guest' : 'none', user: '', expiresAt };
    const claimPsk = claimPskOf(crypto, claim);
    const request = { type: 'createInvitation', claimId, claimPsk, name: '', grant } as const;
    expect(await askNmn(owner, request), 'invitationCreated');
    const { genesis, nmnKey, hosts } = network.owner;
    const uri = joinUriOf({ network: genesis.network, nmnKey, hosts }, claim);
    const store = new MemoryStore();
    network.invitations.push({ variety, claimId, uri, store, joined: false, busy: false });
  }

  #join(network: RememberedNetwork, variety: Variety): Promise<void> | undefined {
    const invitation = network.invitations.find(
      entry => entry.variety === variety && !entry.joined && !entry.busy,
    );
    if (!invitation) return undefined;
    invitation.busy = true;
    return this.#joinWith(network, invitation);
  }

  async #joinWith(network: RememberedNetwork, invitation: RememberedInvitation): Promise<void> {
    const { uri, store, variety } = invitation;
    const kind = KIND_OF[variety];
    // After a start nothing is signed before a member has shown what it has seen.
    await this.#ownerOf(network);
    const runtime = await openMember(this.#host, store, kind, uri);
    const credential = decodeCredential(runtime.membership.credential);
    if (!credential.ok) throw new Error('the certificate that a join gave is malformed');
    invitation.joined = true;
    network.members.push({
      nodeId: runtime.membership.nodeId,
      kind,
      store,
      credential: credential.value,
      standing: 'in',
      revocation: undefined,
      busy: false,
    });
    await runtime.close();
  }

  #renew(network: RememberedNetwork): Promise<void> | undefined {
    const now = this.#host.wallTime();
    return this.#withMember(
      network,
      ({ standing, credential }) => standing === 'in' && credential.leaf.notAfter < now,
      async member => {
        await this.#ownerOf(network);
        const runtime = await openMember(this.#host, member.store, member.kind);
        const { credential } = expect(await askNmn(runtime, { type: 'renew' }), 'renewed');
        member.credential = credential;
        await runtime.close();
      },
    );
  }

  #revoke(network: RememberedNetwork): Promise<void> | undefined {
    return this.#withMember(
      network,
      ({ standing }) => standing === 'in',
      async member => {
        const owner = await this.#ownerOf(network);
        await isKnown(owner, member.nodeId);
        const record = revocationOf(owner, member.nodeId);
        member.standing = 'asked';
        expect(await askNmn(owner, { type: 'revoke', record }), 'revoked');
        member.standing = 'out';
        member.revocation = record;
      },
    );
  }

  #reinstate(network: RememberedNetwork): Promise<void> | undefined {
    return this.#withMember(
      network,
      ({ standing, revocation }) => standing === 'out' && revocation !== undefined,
      async member => {
        const owner = await this.#ownerOf(network);
        const { order, content, network: id, issuedAt } = member.revocation!;
        if (content.kind !== 'revocation') throw new Error('a member was cut off by a revocation');
        const record = signRecord(this.#host.crypto, network.owner.genesis.ownerKeys.signing, {
          network: id,
          order: { ...order, version: order.version + 1 },
          issuedAt,
          content: { ...content, withdrawn: true },
        });
        member.standing = 'asked';
        expect(await askNmn(owner, { type: 'revoke', record }), 'revoked');
        member.standing = 'in';
        member.revocation = undefined;
      },
    );
  }

  #leave(network: RememberedNetwork): Promise<void> | undefined {
    const now = this.#host.wallTime();
    return this.#withMember(
      network,
      ({ standing, credential }) => standing === 'in' && credential.leaf.notAfter > now + ENOUGH_LIFE,
      async member => {
        await this.#ownerOf(network);
        const runtime = await openMember(this.#host, member.store, member.kind);
        member.standing = 'asked';
        const answer = await askNmn(runtime, { type: 'leave' });
        await runtime.close();
        // On a slow machine its certificate may have ended on the way.
        const late = answer.type === 'error' && answer.message.includes('expired');
        if (!late) expect(answer, 'left');
        member.standing = late ? 'in' : 'out';
      },
    );
  }

  #withMember(
    network: RememberedNetwork,
    which: (member: RememberedMember) => boolean,
    act: (member: RememberedMember) => Promise<void>,
  ): Promise<void> | undefined {
    const member = this.#oneOf(network.members.filter(entry => !entry.busy && which(entry)));
    if (!member) return undefined;
    member.busy = true;
    return act(member).then(() => {
      member.busy = false;
    });
  }

  #ownerOf(network: RememberedNetwork): Promise<MemberRuntime> {
    const open = this.#owners.get(network) ?? openMember(this.#host, network.owner.runtime.store, 'client');
    this.#owners.set(network, open);
    return open;
  }

  #oneOf<T>(items: readonly T[]): T | undefined {
    return items[this.#random.below(items.length)];
  }
}

/** Waits until a member has heard of another one. */
async function isKnown(owner: MemberRuntime, nodeId: number): Promise<void> {
  const knows = (): boolean => owner.node.nodes().some(node => node.nodeId === nodeId);
  if (knows()) return;
  await new Promise<void>(resolve => {
    const off = owner.on(() => {
      if (!knows()) return;
      off();
      resolve();
    });
  });
}

function expect<T extends ManagementContent['type']>(
  content: ManagementContent,
  type: T,
): Extract<ManagementContent, { type: T }> {
  if (content.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(content)}`);
  return content as Extract<ManagementContent, { type: T }>;
}
