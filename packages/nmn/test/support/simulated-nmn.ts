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
  milliseconds,
  MemberRuntime,
  membershipChanges,
  MemoryStore,
  NMN_HOSTS_KEY,
  type NodeKind,
  randomBytes,
  SecretRing,
  type StateRecord,
  seconds,
  toHex,
  wallTime,
} from '@coconet/cluster-protocol/core';
import type { SimulatedHost } from '@coconet/cluster-protocol/testing';

import { DEFAULT_CONFIG, type MembershipConfig } from '../../src/config.js';
import { NmnMachine } from '../../src/nmn-machine.js';
import { OperatorTokens } from '../../src/membership/operator-tokens.js';
import { MemoryDisk } from './memory-disk.js';

export const NMN_PORT = 28_620;

/** An NMN on a simulated host, with a disk that does what the test says. */
export interface SimulatedNmn {
  readonly machine: NmnMachine;
  readonly host: SimulatedHost;
  readonly staticKey: Uint8Array;
  readonly token: Uint8Array;
  readonly disk: MemoryDisk;
  turn(): void;
}

/** What outlives one life of an NMN. */
export interface NmnLife {
  readonly disk?: MemoryDisk;
  readonly staticKey?: KeyPair;
  readonly membership?: Partial<MembershipConfig>;
}

export function startNmn(crypto: CryptoProvider, host: SimulatedHost, life: NmnLife = {}): SimulatedNmn {
  const staticKey = life.staticKey ?? crypto.dhKeyPair(randomBytes(host.random, 32));
  const disk = life.disk ?? new MemoryDisk();
  const membership = { ...DEFAULT_CONFIG.membership, ...life.membership };
  const { token, kept } = new OperatorTokens(crypto, host.random, membership.operatorTokenLife).create(
    host.wallTime(),
  );
  disk.tokens.set(toHex(kept.id), kept);
  const machine = new NmnMachine({
    provider: crypto,
    random: host.random,
    now: host.now(),
    wall: () => host.wallTime(),
    config: { ...DEFAULT_CONFIG, membership },
    staticKey,
    resetSecret: new Uint8Array(32).fill(9),
    starts: 1,
    networks: disk.all(),
    operatorTokens: [...disk.tokens.values()],
  });
  const running = host.attach(machine, { port: NMN_PORT }, event => {
    if (event.kind === 'commit')
      disk.commit(event.changes, keptNow => {
        host.schedule(DISK_DELAY, () => {
          if (keptNow) machine.handleCommitted(host.now(), event.id);
          else machine.handleCommitFailed(host.now(), event.id);
          running.turn();
        });
      });
    if (event.kind === 'reload')
      host.schedule(DISK_DELAY, () => {
        machine.handleLoaded(host.now(), event.networkKey, disk.load(event.networkKey));
        running.turn();
      });
  });
  return { machine, host, staticKey: staticKey.publicKey, token, disk, turn: () => running.turn() };
}

/** What a flush takes. */
const DISK_DELAY = milliseconds(3);

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
