import {
  authorizeNmn,
  callNmn,
  type ClusterEvent,
  createNetwork,
  type CryptoProvider,
  encodeCredential,
  encodeHosts,
  formatJoinUri,
  claimIdOf,
  claimPskOf,
  type Host,
  type KeyPair,
  type ManagementContent,
  MemberRuntime,
  membershipChanges,
  milliseconds,
  MemoryStore,
  NMN_HOSTS_KEY,
  type NodeKind,
  randomBytes,
  SecretRing,
  type StateRecord,
  seconds,
  wallTime,
} from '@coconet/cluster-protocol/core';
import type { SimulatedHost } from '@coconet/cluster-protocol/testing';

import { DEFAULT_CONFIG } from '../../src/config.js';
import { NmnMachine } from '../../src/nmn-machine.js';
import type { RelayOptions } from '../../src/relay/relay-options.js';
import type { NetworkContents, StorageChange } from '../../src/membership/storage-change.js';

export const NMN_PORT = 28_620;

/** What survives restarts of an NMN besides its networks. */
export interface NmnIdentity {
  readonly staticKey: KeyPair;
  readonly resetSecret: Uint8Array;
  readonly starts: number;
}

/** An NMN on a simulated host, whose changes are durable at once. */
export interface SimulatedNmn {
  readonly machine: NmnMachine;
  readonly host: SimulatedHost;
  readonly identity: NmnIdentity;
  readonly staticKey: Uint8Array;
  readonly token: Uint8Array;
  readonly changes: StorageChange[];
  turn(): void;
}

export function startNmn(
  crypto: CryptoProvider,
  host: SimulatedHost,
  before: {
    readonly networks: readonly NetworkContents[];
    readonly identity?: NmnIdentity;
    readonly persist?: (changes: readonly StorageChange[]) => void;
    readonly relay?: Partial<RelayOptions>;
  } = { networks: [] },
): SimulatedNmn {
  const identity = before.identity ?? {
    staticKey: crypto.dhKeyPair(randomBytes(host.random, 32)),
    resetSecret: randomBytes(host.random, 32),
    starts: 0,
  };
  const { staticKey, resetSecret } = identity;
  const changes: StorageChange[] = [];
  let token: Uint8Array = new Uint8Array(0);
  const machine = new NmnMachine({
    provider: crypto,
    random: host.random,
    now: host.now(),
    wall: () => host.wallTime(),
    config: { ...DEFAULT_CONFIG, relay: { ...DEFAULT_CONFIG.relay, ...before.relay } },
    staticKey,
    resetSecret,
    starts: identity.starts + 1,
    networks: before.networks,
    operatorTokens: [],
  });
  const running = host.attach(machine, { port: NMN_PORT }, event => {
    if (event.kind !== 'commit') return;
    changes.push(...event.changes);
    host.schedule(milliseconds(1), () => {
      before.persist?.(event.changes);
      machine.handleCommitted(host.now(), event.id);
      running.turn();
    });
  });
  machine.createOperatorToken(made => {
    token = made ?? token;
  });
  running.turn();
  return {
    machine,
    host,
    identity: { ...identity, starts: identity.starts + 1 },
    staticKey: staticKey.publicKey,
    get token() {
      return token;
    },
    changes,
    turn: () => {
      running.turn();
    },
  };
}

/** Creates a network at the NMN from another host and returns the owner's running member. */
export async function foundNetwork(
  nmn: SimulatedNmn,
  host: Host,
): Promise<{ owner: MemberRuntime; network: Uint8Array }> {
  const { crypto, random } = host;
  const genesis = createNetwork(crypto, random, { user: 'Alice', now: host.wallTime() });
  const where = { addresses: [nmn.host.address(NMN_PORT)], nmnStaticKey: nmn.staticKey };
  const store = new MemoryStore();
  const target = { ...where, keys: genesis.ownerKeys, network: new Uint8Array(16), secret: nmn.token };
  const outcome = await callNmn(host, target, async ask => {
    const prepared = expect(
      await ask({ type: 'prepareNetwork', operatorToken: nmn.token }),
      'networkPrepared',
    );
    const { authority, nmnCredential } = authorizeNmn(
      crypto,
      random,
      genesis.root,
      { authorityKey: prepared.authorityKey, staticKey: prepared.nmnStaticKey },
      { number: 1, now: host.wallTime() },
    );
    const created = expect(
      await ask({
        type: 'createNetwork',
        challenge: prepared.challenge,
        operatorToken: nmn.token,
        name: 'Home',
        rootKey: genesis.root.publicKey,
        authority,
        nmnCredential,
        ownerName: 'Alice',
        ownerCredential: genesis.ownerCredential,
      }),
      'networkCreated',
    );
    const secrets = new SecretRing();
    secrets.add({ epoch: created.epoch, secret: created.secret });
    const membership = {
      network: genesis.network,
      rootKey: genesis.root.publicKey,
      nodeId: genesis.ownerCredential.leaf.nodeId,
      name: 'Alice',
      credential: encodeCredential(genesis.ownerCredential),
      nmnStaticKey: nmn.staticKey,
    };
    const changes = membershipChanges(genesis.ownerKeys, membership, {
      state: created.state,
      secrets: secrets.snapshot(),
    });
    changes.set(NMN_HOSTS_KEY, encodeHosts([{ host: nmn.host.address(NMN_PORT).host, port: NMN_PORT }]));
    await store.write(changes);
  });
  if (outcome.kind !== 'done') throw new Error(`the NMN cannot be reached: ${outcome.text}`);
  const owner = await MemberRuntime.open({
    host,
    store,
    kind: 'client',
    resolve,
    allowDocumentationAddresses: true,
  });
  return { owner, network: genesis.network };
}

export const resolve = (host: string): Promise<readonly string[]> => Promise.resolve([host]);

/** Has the owner invite a node, as `coconet invite` does, and returns the join URI. */
export async function invite(
  nmn: SimulatedNmn,
  owner: MemberRuntime,
  network: Uint8Array,
  kind: NodeKind,
  name: string,
): Promise<string> {
  const { host } = owner;
  const claim = randomBytes(host.random, 16);
  const content: ManagementContent = {
    type: 'createInvitation',
    claimId: claimIdOf(host.crypto, claim),
    claimPsk: claimPskOf(host.crypto, claim),
    name,
    grant: {
      type: 'plain',
      kind,
      role: kind === 'client' ? 'guest' : 'none',
      user: '',
      expiresAt: wallTime(host.wallTime() + 3_600_000),
    },
  };
  const answer = await ask(owner, content);
  if (answer.type !== 'invitationCreated') throw new Error(`no invitation: ${JSON.stringify(answer)}`);
  return formatJoinUri({
    network,
    nmnKey: nmn.staticKey,
    claim,
    hosts: [{ host: nmn.host.address(NMN_PORT).host, port: NMN_PORT }],
  });
}

export function ask(member: MemberRuntime, content: ManagementContent): Promise<ManagementContent> {
  const requestId = member.do((node, now) => node.request(now, content, seconds(20)));
  return new Promise(done => {
    const stop = member.on((event: ClusterEvent) => {
      if (event.kind !== 'management' || event.requestId !== requestId) return;
      stop();
      done(event.content);
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

/** The owner's signed word that a node is cut off. */
export function revocationOf(owner: MemberRuntime, nodeId: number): StateRecord {
  return owner.do(node => node.authorship.revocation(owner.host.wallTime(), nodeId, 'lost'));
}
