import {
  authorizeNmn,
  callNmn,
  claimIdOf,
  claimPskOf,
  createNetwork,
  createNodeKeys,
  encodeCredential,
  encodeHosts,
  type Host,
  type HostPort,
  type Joined,
  joinNetwork,
  type ManagementContent,
  MemberRuntime,
  membershipChanges,
  MemoryStore,
  NMN_HOSTS_KEY,
  type NetworkGenesis,
  type NodeKeys,
  parseOperatorUri,
  randomBytes,
  SecretRing,
} from '@coconet/cluster-protocol/core';
import { type SocketAddress, socketAddress } from '@coconet/cluster-protocol/wire';

const addressesOf = (hosts: readonly HostPort[]): SocketAddress[] =>
  hosts.flatMap(({ host, port }) => socketAddress(host, port) ?? []);

/** An owner that runs, and what else came into being with its network. */
export interface Owner {
  readonly runtime: MemberRuntime;
  readonly genesis: NetworkGenesis;
  readonly nmnKey: Uint8Array;
  readonly hosts: readonly HostPort[];
}

/** Creates a network with an operator URI, as the tool does. */
export async function createWith(host: Host, uri: string, name = 'Home'): Promise<Owner> {
  const { crypto, random } = host;
  const operator = parseOperatorUri(uri);
  const genesis = createNetwork(crypto, random, { user: 'Ada', now: host.wallTime() });
  const store = new MemoryStore();
  const target = {
    keys: genesis.ownerKeys,
    nmnStaticKey: operator.nmnKey,
    addresses: addressesOf(operator.hosts),
    network: new Uint8Array(16),
    secret: operator.token,
  };
  const outcome = await callNmn(host, target, async ask => {
    const prepared = await ask({ type: 'prepareNetwork', operatorToken: operator.token });
    if (prepared.type !== 'networkPrepared') throw new Error(JSON.stringify(prepared));
    const keys = { authorityKey: prepared.authorityKey, staticKey: prepared.nmnStaticKey };
    const signed = authorizeNmn(crypto, random, genesis.root, keys, { number: 1, now: host.wallTime() });
    const created = await ask({
      type: 'createNetwork',
      challenge: prepared.challenge,
      operatorToken: operator.token,
      name,
      rootKey: genesis.root.publicKey,
      ...signed,
      ownerName: 'Ada',
      ownerCredential: genesis.ownerCredential,
    });
    if (created.type !== 'networkCreated') throw new Error(JSON.stringify(created));
    const secrets = new SecretRing();
    secrets.add(created);
    const membership = {
      network: genesis.network,
      rootKey: genesis.root.publicKey,
      nodeId: genesis.ownerCredential.leaf.nodeId,
      name: 'Ada',
      credential: encodeCredential(genesis.ownerCredential),
      nmnStaticKey: operator.nmnKey,
    };
    const known = { state: created.state, secrets: secrets.snapshot() };
    const changes = membershipChanges(genesis.ownerKeys, membership, known);
    changes.set(NMN_HOSTS_KEY, encodeHosts(operator.hosts));
    await store.write(changes);
  });
  if (outcome.kind !== 'done') throw new Error(outcome.text);
  const runtime = await MemberRuntime.open({ host, store, kind: 'client', resolve: async h => [h] });
  return { runtime, genesis, nmnKey: operator.nmnKey, hosts: operator.hosts };
}

/** One request of a running member to its NMN. */
export function askNmn(member: MemberRuntime, content: ManagementContent): Promise<ManagementContent> {
  const requestId = member.do((node, now) => node.request(now, content));
  return new Promise(resolve => {
    const off = member.on(event => {
      if (event.kind !== 'management' || event.requestId !== requestId) return;
      off();
      resolve(event.content);
    });
  });
}

/** A claim of the owner's for one device. */
export async function inviteDevice(owner: Owner, host: Host, name = 'lamp'): Promise<Uint8Array> {
  const claim = randomBytes(host.random, 16);
  const answer = await askNmn(owner.runtime, {
    type: 'createInvitation',
    claimId: claimIdOf(host.crypto, claim),
    claimPsk: claimPskOf(host.crypto, claim),
    name,
    grant: {
      type: 'plain',
      kind: 'device',
      role: 'none',
      user: '',
      expiresAt: (host.wallTime() + 3_600_000) as ReturnType<Host['wallTime']>,
    },
  });
  if (answer.type !== 'invitationCreated') throw new Error(JSON.stringify(answer));
  return claim;
}

/** Joins with a claim. */
export async function joinWith(
  host: Host,
  owner: Owner,
  claim: Uint8Array,
  keys: NodeKeys = createNodeKeys(host.crypto, host.random),
): Promise<Joined> {
  const uri = { network: owner.genesis.network, nmnKey: owner.nmnKey, claim, hosts: owner.hosts };
  const outcome = await joinNetwork(host, uri, addressesOf(owner.hosts), keys, { kind: 'device', name: '' });
  if (outcome.kind !== 'joined') throw new Error(outcome.text);
  return outcome.joined;
}
