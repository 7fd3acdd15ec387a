import { type RandomSource, randomBytes, type WallTime, wallTime } from '../base/index.js';
import { encodeAddresses, membershipChanges, StoreKey } from '../interface/saved-node.js';
import type { Membership, SavedNode } from '../interface/cluster-options.js';
import {
  authorizeNmn,
  createNetwork,
  createNodeKeys,
  DEFAULT_CERTIFICATE_LIFE,
  encodeCredential,
  NetworkState,
  type NodeKeys,
  type NodeKind,
  randomNodeId,
  randomSerial,
  type Role,
  SecretRing,
  signHead,
  signMembership,
  signRecord,
  type RecordContent,
  type StateRecord,
} from '../network/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import type { SocketAddress } from '../wire/index.js';

/** A member wanted. */
export interface MemberWish {
  readonly name: string;
  readonly kind: NodeKind;
  /** `none` or `guest`; the owner is made by the network itself and is called `owner`. */
  readonly role?: Role;
}

/** A member of a {@link SmallNetwork}, with everything its store would hold. */
export interface SmallMember {
  readonly name: string;
  readonly nodeId: number;
  readonly keys: NodeKeys;
  readonly membership: Membership;
}

/** A network made in one go, without an NMN process: its authority's key is here, in the test's hands. */
export interface SmallNetwork {
  readonly network: Uint8Array;
  readonly root: KeyPair;
  readonly authority: KeyPair;
  readonly nmnStatic: KeyPair;
  readonly state: NetworkState;
  readonly secrets: SecretRing;
  /** Everything that {@link SmallNetwork.state} was made of. */
  readonly records: readonly StateRecord[];
  readonly members: ReadonlyMap<string, SmallMember>;
}

/** Makes a network with an owner called `owner` and the members wished for, all of whom know each other. */
export function smallNetwork(
  crypto: CryptoProvider,
  random: RandomSource,
  now: WallTime,
  wishes: readonly MemberWish[],
): SmallNetwork {
  const genesis = createNetwork(crypto, random, { user: 'tester', now });
  const { network, root } = genesis;
  const authority = crypto.signingKeyPair(randomBytes(random, 32));
  const nmnStatic = crypto.dhKeyPair(randomBytes(random, 32));
  const { authority: certificate } = authorizeNmn(
    crypto,
    random,
    root,
    { authorityKey: authority.publicKey, staticKey: nmnStatic.publicKey },
    { number: 1, now },
  );
  let version = 0;
  const record = (key: KeyPair, content: RecordContent): ReturnType<typeof signRecord> =>
    signRecord(crypto, key, {
      network,
      order: { authorityNumber: 1, version: ++version },
      issuedAt: now,
      content,
    });
  const members = new Map<string, SmallMember>();
  const records = [record(root, { kind: 'authority', certificate, retired: false })];
  const add = (
    name: string,
    keys: NodeKeys,
    credential: Parameters<typeof encodeCredential>[0],
    by: KeyPair,
  ): void => {
    records.push(record(by, { kind: 'member', name, joinedAt: now, credential }));
    const { nodeId } = credential.leaf;
    members.set(name, {
      name,
      nodeId,
      keys,
      membership: {
        network,
        rootKey: root.publicKey,
        nodeId,
        name,
        credential: encodeCredential(credential),
        nmnStaticKey: nmnStatic.publicKey,
      },
    });
  };
  add('owner', genesis.ownerKeys, genesis.ownerCredential, authority);
  for (const { name, kind, role = 'none' } of wishes) {
    const keys = createNodeKeys(crypto, random);
    const leaf = signMembership(crypto, authority, {
      network,
      nodeId: randomNodeId(random),
      kind,
      signingKey: keys.signing.publicKey,
      staticKey: keys.static.publicKey,
      user: '',
      role,
      issuedAt: now,
      notBefore: now,
      notAfter: wallTime(now + DEFAULT_CERTIFICATE_LIFE),
      serial: randomSerial(random),
      stateVersion: { authorityNumber: 1, version },
      extensions: [],
    });
    add(name, keys, { leaf, issuers: [certificate] }, authority);
  }
  records.push(record(authority, { kind: 'secretEpoch', epoch: 1 }));
  const state = new NetworkState(crypto, { network, rootKey: root.publicKey });
  const { refused } = state.apply(records);
  if (refused.length > 0) throw new Error(`a record of the small network was refused: ${refused[0]!.reason}`);
  state.applyHead(
    signHead(crypto, authority, {
      network,
      order: { authorityNumber: 1, version },
      issuedAt: now,
      nextUpdateBy: wallTime(now + 7 * 86_400_000),
      digests: state.digests,
    }),
  );
  const secrets = new SecretRing();
  secrets.add({ epoch: 1, secret: randomBytes(random, 32) });
  return { network, root, authority, nmnStatic, state, secrets, records, members };
}

/** The state as somebody has it who has not heard yet of the member of that name: no record of it, and the head before. */
export function stateWithout(crypto: CryptoProvider, network: SmallNetwork, name: string): NetworkState {
  const { nodeId } = memberOf(network, name);
  const state = new NetworkState(crypto, {
    network: network.network,
    rootKey: network.root.publicKey,
  });
  const records = network.records.filter(
    ({ content }) => content.kind !== 'member' || content.credential.leaf.nodeId !== nodeId,
  );
  const { refused } = state.apply(records);
  if (refused.length > 0) throw new Error(`a record of the small network was refused: ${refused[0]!.reason}`);
  return state;
}

/** The member of that name. */
export function memberOf(network: SmallNetwork, name: string): SmallMember {
  const member = network.members.get(name);
  if (!member) throw new Error(`the small network has no member ${name}`);
  return member;
}

/**
 * What `MemberRuntime.open` or `startNode` finds in the store of a member that knows where others are. `state`: the
 * network as this member has it; default: all of it.
 */
export function storeOf(
  network: SmallNetwork,
  name: string,
  addresses: ReadonlyMap<number, readonly SocketAddress[]> = new Map(),
  state: NetworkState = network.state,
): Map<string, Uint8Array | undefined> {
  const member = memberOf(network, name);
  const changes = membershipChanges(member.keys, member.membership, {
    state: state.snapshot(),
    secrets: network.secrets.snapshot(),
  });
  for (const [nodeId, known] of addresses) changes.set(StoreKey.addresses(nodeId), encodeAddresses(known));
  return changes;
}

/** A saved node without a store, for machines that are attached directly. */
export function savedNode(
  network: SmallNetwork,
  name: string,
  random: RandomSource,
  addresses: ReadonlyMap<number, readonly SocketAddress[]> = new Map(),
): SavedNode {
  const { keys, membership } = memberOf(network, name);
  return {
    keys,
    membership,
    bootCounter: 1,
    outboxIncarnation: randomBytes(random, 8),
    inboxIncarnation: randomBytes(random, 8),
    formerInboxes: [],
    resetSecret: randomBytes(random, 32),
    state: network.state.snapshot(),
    secrets: network.secrets.snapshot(),
    addresses,
  };
}
