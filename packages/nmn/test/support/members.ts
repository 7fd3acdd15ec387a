import {
  authorizeNmn,
  callNmn,
  claimIdOf,
  claimPskOf,
  createNetwork,
  createNodeKeys,
  encodeCredential,
  encodeHosts,
  formatJoinUri,
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
  type NodeKind,
  parseOperatorUri,
  randomBytes,
  SecretRing,
  seconds,
  type StateRecord,
  type Store,
  wallTime,
} from '@coconet/cluster-protocol/core';
import { type SocketAddress, socketAddress } from '@coconet/cluster-protocol/wire';

/** How long a request is sent again before its asker gives up. */
const PATIENCE = seconds(20);
const INVITATION_LIFE = 3_600_000;

const addressesOf = (hosts: readonly HostPort[]): SocketAddress[] =>
  hosts.flatMap(({ host, port }) => socketAddress(host, port) ?? []);

/** An owner that runs, and what else came into being with its network. */
export interface Owner {
  readonly runtime: MemberRuntime;
  readonly genesis: NetworkGenesis;
  readonly nmnKey: Uint8Array;
  readonly hosts: readonly HostPort[];
}

/** Addresses resolve to themselves. */
export const resolve = (host: string): Promise<readonly string[]> => Promise.resolve([host]);

/** Starts the member that a store holds, or that joins with the URI. */
export const openMember = (host: Host, store: Store, kind: NodeKind, join?: string): Promise<MemberRuntime> =>
  MemberRuntime.open({ host, store, kind, join, resolve, allowDocumentationAddresses: true });

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
  const runtime = await openMember(host, store, 'client');
  return { runtime, genesis, nmnKey: operator.nmnKey, hosts: operator.hosts };
}

/** One request of a running member to its NMN. */
export function askNmn(member: MemberRuntime, content: ManagementContent): Promise<ManagementContent> {
  const requestId = member.do((node, now) => node.request(now, content, PATIENCE));
  return new Promise(resolve => {
    const off = member.on(event => {
      if (event.kind !== 'management' || event.requestId !== requestId) return;
      off();
      resolve(event.content);
    });
  });
}

/** A claim on the word of a member with the right: a device has no role, a client is a guest. */
export async function invite(
  owner: MemberRuntime,
  { kind = 'device', name = 'lamp' }: { readonly kind?: NodeKind; readonly name?: string } = {},
): Promise<Uint8Array> {
  const { crypto, random } = owner.host;
  const claim = randomBytes(random, 16);
  const answer = await askNmn(owner, {
    type: 'createInvitation',
    claimId: claimIdOf(crypto, claim),
    claimPsk: claimPskOf(crypto, claim),
    name,
    grant: {
      type: 'plain',
      kind,
      role: kind === 'client' ? 'guest' : 'none',
      user: '',
      expiresAt: wallTime(owner.host.wallTime() + INVITATION_LIFE),
    },
  });
  if (answer.type !== 'invitationCreated') throw new Error(JSON.stringify(answer));
  return claim;
}

/** What the holder of a claim gives to `MemberRuntime.open`. */
export const joinUriOf = (
  at: { readonly network: Uint8Array; readonly nmnKey: Uint8Array; readonly hosts: readonly HostPort[] },
  claim: Uint8Array,
): string => formatJoinUri({ ...at, claim });

/** The owner's signed word that a node is cut off. */
export const revocationOf = (owner: MemberRuntime, nodeId: number): StateRecord =>
  owner.do(node => node.authorship.revocation(owner.host.wallTime(), nodeId, 'lost'));

/** Joins with a claim. */
export async function joinWith(
  host: Host,
  owner: Owner,
  claim: Uint8Array,
  keys: NodeKeys = createNodeKeys(host.crypto, host.random),
  kind: NodeKind = 'device',
): Promise<Joined> {
  const uri = { network: owner.genesis.network, nmnKey: owner.nmnKey, claim, hosts: owner.hosts };
  const outcome = await joinNetwork(host, uri, addressesOf(owner.hosts), keys, { kind, name: '' });
  if (outcome.kind !== 'joined') throw new Error(outcome.text);
  return outcome.joined;
}
