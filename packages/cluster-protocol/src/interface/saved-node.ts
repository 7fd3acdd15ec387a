import { randomBytes, type RandomSource, type WallTime, wallTime } from '../base/index.js';
import { ClusterError } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { createNodeKeys, decodeNodeKeys, encodeNodeKeys, type NodeKeys } from '../network/index.js';
import {
  encodeWith,
  Reader,
  readSocketAddress,
  type SocketAddress,
  writeSocketAddress,
} from '../wire/index.js';
import type { Membership, SavedNode } from './cluster-options.js';
import { DAMAGED_KEY, type Store } from './machine.js';

/** Names under which a node keeps things in its store. */
export const StoreKey = {
  keys: 'node/keys',
  membership: 'node/membership',
  credential: 'node/credential',
  start: 'node/start',
  resetSecret: 'node/reset-secret',
  state: 'network/state',
  secrets: 'network/secrets',
  replays: 'network/replays',
  time: 'network/time',
  contact: 'network/contact',
  addresses: (nodeId: number): string => `peer/${nodeId}/addresses`,
} as const;

const ADDRESS_PREFIX = 'peer/';
/** Addresses remembered of one peer: one of each scope and family, and one to spare. */
const MAX_ADDRESSES = 8;
const FORMAT = 1;
/**
 * Earlier processes whose inboxes are known by name: no sender waits for the end of one message through more restarts than
 * that, and if one does, it is told that it was forgotten.
 */
const MAX_FORMER_INBOXES = 16;
const INCARNATION_LENGTH = 8;
const RESET_SECRET_LENGTH = 32;
const NETWORK_LENGTH = 16;
const KEY_LENGTH = 32;
const MAX_CREDENTIAL = 4_096;

/** A civil time as the store keeps it. */
export function encodeWallTime(time: WallTime): Uint8Array {
  return encodeWith(6, writer => writer.uint48(Math.floor(time)));
}

/** Addresses of a peer as the store keeps them, the best first; 8 at most. */
export function encodeAddresses(addresses: readonly SocketAddress[]): Uint8Array {
  return encodeWith(200, writer => {
    const kept = addresses.slice(0, MAX_ADDRESSES);
    writer.uint8(kept.length);
    for (const address of kept) writeSocketAddress(writer, address);
  });
}

function decodeAddresses(bytes: Uint8Array): readonly SocketAddress[] {
  const reader = new Reader(bytes);
  const count = Math.min(reader.uint8(), MAX_ADDRESSES);
  const addresses: SocketAddress[] = [];
  for (let i = 0; i < count; i++) {
    const address = readSocketAddress(reader);
    if (!address || reader.failed) break;
    addresses.push(address);
  }
  return addresses;
}

function encodeMembership(membership: Membership): Uint8Array {
  return encodeWith(MAX_CREDENTIAL + 256, writer => {
    writer
      .uint8(FORMAT)
      .bytes(membership.network)
      .bytes(membership.rootKey)
      .uint32(membership.nodeId)
      .text(membership.name)
      .bytes(membership.nmnStaticKey)
      .block(membership.credential);
  });
}

function encodeStarts(count: number, inboxes: readonly Uint8Array[]): Uint8Array {
  return encodeWith(256, writer => {
    writer.varint(count).uint8(inboxes.length);
    for (const inbox of inboxes) writer.bytes(inbox);
  });
}

function decodeMembership(bytes: Uint8Array): Membership | undefined {
  const reader = new Reader(bytes);
  const format = reader.uint8();
  const membership: Membership = {
    network: reader.bytes(NETWORK_LENGTH).slice(),
    rootKey: reader.bytes(KEY_LENGTH).slice(),
    nodeId: reader.uint32(),
    name: reader.text(256),
    nmnStaticKey: reader.bytes(KEY_LENGTH).slice(),
    credential: reader.block(MAX_CREDENTIAL).slice(),
  };
  return reader.complete && format === FORMAT ? membership : undefined;
}

/** The keys of this store's node; made and written at the first call. */
export async function loadKeys(
  store: Store,
  crypto: CryptoProvider,
  random: RandomSource,
): Promise<NodeKeys> {
  const bytes = await store.read(StoreKey.keys);
  if (bytes) {
    const keys = decodeNodeKeys(crypto, bytes);
    if (!keys.ok) throw unreadable(StoreKey.keys);
    return keys.value;
  }
  const keys = createNodeKeys(crypto, random);
  await store.write(new Map([[StoreKey.keys, encodeNodeKeys(keys)]]));
  return keys;
}

/** The membership that the store holds, if any: the credential is the latest one. */
export async function loadMembership(store: Store): Promise<Membership | undefined> {
  const bytes = await store.read(StoreKey.membership);
  if (!bytes) return undefined;
  const membership = decodeMembership(bytes);
  if (!membership) throw unreadable(StoreKey.membership);
  const renewed = await store.read(StoreKey.credential);
  return renewed ? { ...membership, credential: renewed } : membership;
}

/** What joining or creating a network gave, as changes of the store: all of it or nothing is written. */
export function membershipChanges(
  keys: NodeKeys,
  membership: Membership,
  rest: { readonly state: Uint8Array; readonly secrets: Uint8Array },
): Map<string, Uint8Array | undefined> {
  return new Map<string, Uint8Array | undefined>([
    [StoreKey.keys, encodeNodeKeys(keys)],
    [StoreKey.membership, encodeMembership(membership)],
    [StoreKey.credential, undefined],
    [StoreKey.state, rest.state],
    [StoreKey.secrets, rest.secrets],
    [StoreKey.replays, undefined],
    [StoreKey.time, undefined],
    [StoreKey.contact, undefined],
  ]);
}

/** What the last starts left: how many there were, and the inboxes whose records the store holds, oldest first. */
function decodeStarts(bytes: Uint8Array | undefined): {
  readonly count: number;
  readonly inboxes: readonly Uint8Array[];
} {
  if (!bytes) return { count: 0, inboxes: [] };
  const reader = new Reader(bytes);
  const count = reader.varint();
  const inboxes: Uint8Array[] = [];
  for (let left = reader.uint8(); left > 0 && !reader.failed; left--)
    inboxes.push(reader.bytes(INCARNATION_LENGTH).slice());
  return { count, inboxes: reader.complete ? inboxes : [] };
}

/**
 * Everything a node needs to start. The process gets incarnations of its own, so that no message is taken for one of
 * another process whatever became of the store; its boot counter and its inbox are written before this returns.
 */
export async function startNode(
  store: Store,
  crypto: CryptoProvider,
  random: RandomSource,
  membership: Membership,
): Promise<SavedNode> {
  const keys = await loadKeys(store, crypto, random);
  const starts = decodeStarts(await store.read(StoreKey.start));
  const bootCounter = starts.count + 1;
  const resetSecret = (await store.read(StoreKey.resetSecret)) ?? randomBytes(random, RESET_SECRET_LENGTH);
  const inboxIncarnation = randomBytes(random, INCARNATION_LENGTH);
  // What a damaged store has lost nobody knows: it vouches for nothing that was received before.
  const isWhole = store.durable && (await store.read(DAMAGED_KEY)) === undefined;
  const formerInboxes = isWhole ? starts.inboxes.slice(-MAX_FORMER_INBOXES) : [];
  await store.write(
    new Map<string, Uint8Array | undefined>([
      [StoreKey.resetSecret, resetSecret],
      [StoreKey.start, encodeStarts(bootCounter, [...formerInboxes, inboxIncarnation])],
      [DAMAGED_KEY, undefined],
    ]),
  );
  const addresses = new Map<number, readonly SocketAddress[]>();
  for (const key of await store.list(ADDRESS_PREFIX)) {
    const nodeId = Number(/^peer\/(\d+)\/addresses$/.exec(key)?.[1]);
    const bytes = await store.read(key);
    if (Number.isInteger(nodeId) && bytes) addresses.set(nodeId, decodeAddresses(bytes));
  }
  const [state, secrets, replays, time, contact] = await Promise.all(
    [StoreKey.state, StoreKey.secrets, StoreKey.replays, StoreKey.time, StoreKey.contact].map(key =>
      store.read(key),
    ),
  );
  return {
    keys,
    membership,
    bootCounter,
    outboxIncarnation: randomBytes(random, INCARNATION_LENGTH),
    inboxIncarnation,
    formerInboxes,
    resetSecret,
    addresses,
    ...(state && { state }),
    ...(secrets && { secrets }),
    ...(replays && { replays }),
    ...(time && { time }),
    ...(contact && { lastNmnContact: wallTime(new Reader(contact).uint48()) }),
  };
}

const unreadable = (key: string): ClusterError =>
  new ClusterError(
    'STORE_UNUSABLE',
    `the entry ${key} of the store cannot be read: the store is damaged; restore it, or join again into an empty one`,
  );
