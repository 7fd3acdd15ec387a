import { concatBytes, encodeText, malformed, parsed, randomBytes, randomUint32 } from '../base/index.js';
import type { Parsed, RandomSource } from '../base/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { Reader } from '../wire/reader.js';
import { encodeWith } from '../wire/writer.js';

/** Bytes of an Ed25519 or X25519 public key. */
export const KEY_LENGTH = 32;

/** Bytes of an Ed25519 signature. */
export const SIGNATURE_LENGTH = 64;

/** Bytes of a key id. Not a secret and no proof: the signature is checked with the whole key that the id led to. */
export const KEY_ID_LENGTH = 8;

/** What a node is. On the wire: place in this list, from 1. */
export const NODE_KINDS = ['device', 'client', 'service', 'nmn'] as const;

/** One of {@link NODE_KINDS}. */
export type NodeKind = (typeof NODE_KINDS)[number];

/** What a member may do for the network itself. On the wire: place in this list, from 1. */
export const ROLES = ['none', 'guest', 'admin', 'owner'] as const;

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** How much a role weighs where one must not be replaced by a lesser one: owner 2, admin 1, all others 0. */
export const roleRank = (role: Role): 0 | 1 | 2 => (role === 'owner' ? 2 : role === 'admin' ? 1 : 0);

/** The two key pairs of one node in one network. They are made on the node and never leave it. */
export interface NodeKeys {
  /** Ed25519: signs what the node states. */
  readonly signing: KeyPair;
  /** X25519: the static key of its handshakes. */
  readonly static: KeyPair;
}

/** Fresh keys for a node that is about to join a network. */
export function createNodeKeys(crypto: CryptoProvider, random: RandomSource): NodeKeys {
  return {
    signing: crypto.signingKeyPair(randomBytes(random, KEY_LENGTH)),
    static: crypto.dhKeyPair(randomBytes(random, KEY_LENGTH)),
  };
}

const NODE_KEYS_FORMAT = 1;

/** The private keys as a node's store keeps them: format byte, Ed25519 seed, X25519 private key. */
export function encodeNodeKeys(keys: NodeKeys): Uint8Array {
  return encodeWith(1 + 2 * KEY_LENGTH, writer =>
    writer.uint8(NODE_KEYS_FORMAT).bytes(keys.signing.privateKey).bytes(keys.static.privateKey),
  );
}

/** The inverse of {@link encodeNodeKeys}; public keys are computed anew. */
export function decodeNodeKeys(crypto: CryptoProvider, bytes: Uint8Array): Parsed<NodeKeys> {
  const reader = new Reader(bytes);
  const format = reader.uint8();
  const seed = reader.bytes(KEY_LENGTH).slice();
  const privateKey = reader.bytes(KEY_LENGTH).slice();
  if (!reader.complete || format !== NODE_KEYS_FORMAT) return malformed;
  return parsed({ signing: crypto.signingKeyPair(seed), static: crypto.dhKeyPair(privateKey) });
}

/** The short name of an Ed25519 key inside certificates and records: first 8 bytes of BLAKE2b-256 of the public key. */
export function keyIdOf(crypto: CryptoProvider, publicKey: Uint8Array): Uint8Array {
  return crypto.blake2b(32, publicKey).slice(0, KEY_ID_LENGTH);
}

/** A random node id, 1 to 2^32 − 1. Whoever gives ids out sees to it that none is given twice in a network. */
export function randomNodeId(random: RandomSource): number {
  for (;;) {
    const nodeId = randomUint32(random);
    if (nodeId !== 0) return nodeId;
  }
}

/** A random certificate serial, 1 to 2^53 − 1. */
export function randomSerial(random: RandomSource): number {
  const serial = (randomUint32(random) >>> 11) * 0x1_0000_0000 + randomUint32(random);
  return serial === 0 ? 1 : serial;
}

/**
 * What every signature of ours is made over: the label of its type in ASCII, a zero byte, then the signed bytes. The
 * zero byte keeps a label from being the beginning of another one.
 */
export type SignatureLabel =
  | 'coconet certificate v1'
  | 'coconet authority v1'
  | 'coconet invitation v1'
  | 'coconet claim v1'
  | 'coconet record v1'
  | 'coconet head v1';

const signedBytes = (label: SignatureLabel, body: Uint8Array): Uint8Array =>
  concatBytes(encodeText(label), Uint8Array.of(0), body);

/** A signature over `body` under `label`. */
export function signLabelled(
  crypto: CryptoProvider,
  key: KeyPair,
  label: SignatureLabel,
  body: Uint8Array,
): Uint8Array {
  return crypto.sign(key, signedBytes(label, body));
}

/** Whether `signature` is one over `body` under that very `label`. */
export function verifyLabelled(
  crypto: CryptoProvider,
  publicKey: Uint8Array,
  label: SignatureLabel,
  body: Uint8Array,
  signature: Uint8Array,
): boolean {
  return crypto.verify(publicKey, signedBytes(label, body), signature);
}

/** Longest name of a node, in bytes of UTF-8. */
export const MAX_NAME_LENGTH = 64;

// Control characters and the two directional overrides that make a name read as another one.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/**
 * What is wrong with a node name, in words that end a sentence, or `undefined` for a good one: 1 to 64 bytes of UTF-8
 * in Unicode form NFC, no slash (it ends the node in `Desk/lamp`), no `#` at the beginning (`#17` is a node id), no
 * control characters, no space at either end.
 */
export function nodeNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (encodeText(name).length > MAX_NAME_LENGTH) return `is longer than ${MAX_NAME_LENGTH} bytes`;
  if (name.includes('/')) return 'contains a slash';
  if (name.startsWith('#')) return 'begins with #';
  if (UNPRINTABLE.test(name)) return 'contains a control character';
  if (name !== name.trim()) return 'begins or ends with a space';
  if (name !== name.normalize('NFC')) return 'is not in Unicode form NFC';
  return undefined;
}
