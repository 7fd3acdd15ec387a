import { concatBytes, malformed, parsed, wallTime } from '../base/index.js';
import type { Parsed, WallTime } from '../base/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { Reader } from '../wire/reader.js';
import { encodeWith } from '../wire/writer.js';
import { KEY_ID_LENGTH, SIGNATURE_LENGTH, keyIdOf, signLabelled, verifyLabelled } from './identity.js';
import { NETWORK_ID_LENGTH } from './network-id.js';
import { readVersion, writeVersion, type StateVersion } from './state-version.js';

/** Bytes of the digest of a section. */
export const DIGEST_LENGTH = 16;

/** BLAKE2b-128 over the encoded records of each section, in order of kind and key. */
export interface StateDigests {
  /** Authorities, revocations, the secret's epoch, settings. */
  readonly security: Uint8Array;
  /** Members. */
  readonly directory: Uint8Array;
}

/** What a head states. */
export interface HeadFields {
  readonly network: Uint8Array;
  readonly order: StateVersion;
  readonly issuedAt: WallTime;
  /** When a reader that got no newer head should call its state stale. */
  readonly nextUpdateBy: WallTime;
  readonly digests: StateDigests;
}

/** The authority's signed word on how the whole state looks at one version: shows a reader whether it is complete. */
export interface StateHead extends HeadFields {
  readonly author: Uint8Array;
  readonly signature: Uint8Array;
}

/** Longest encoded head. */
export const MAX_HEAD_LENGTH: number =
  NETWORK_ID_LENGTH + 16 + 12 + 2 * DIGEST_LENGTH + KEY_ID_LENGTH + SIGNATURE_LENGTH;

/** A head signed with the key of the authority whose number it names. */
export function signHead(crypto: CryptoProvider, authority: KeyPair, fields: HeadFields): StateHead {
  const unsigned = { ...fields, author: keyIdOf(crypto, authority.publicKey) };
  return { ...unsigned, signature: signLabelled(crypto, authority, 'coconet head v1', signedPart(unsigned)) };
}

/** Whether the head was signed with `publicKey`. */
export function isHeadSignedBy(crypto: CryptoProvider, head: StateHead, publicKey: Uint8Array): boolean {
  return verifyLabelled(crypto, publicKey, 'coconet head v1', signedPart(head), head.signature);
}

function signedPart(head: HeadFields & { readonly author: Uint8Array }): Uint8Array {
  return encodeWith(MAX_HEAD_LENGTH, writer => {
    writer.bytes(head.network);
    writeVersion(writer, head.order);
    writer.uint48(head.issuedAt).uint48(head.nextUpdateBy);
    writer.bytes(head.digests.security).bytes(head.digests.directory).bytes(head.author);
  });
}

/** The one encoding of a head. */
export const encodeHead = (head: StateHead): Uint8Array => concatBytes(signedPart(head), head.signature);

/** The inverse of {@link encodeHead}; the signature is not checked yet. */
export function decodeHead(bytes: Uint8Array): Parsed<StateHead> {
  const reader = new Reader(bytes);
  const head = {
    network: reader.bytes(NETWORK_ID_LENGTH).slice(),
    order: readVersion(reader),
    issuedAt: wallTime(reader.uint48()),
    nextUpdateBy: wallTime(reader.uint48()),
    digests: {
      security: reader.bytes(DIGEST_LENGTH).slice(),
      directory: reader.bytes(DIGEST_LENGTH).slice(),
    },
    author: reader.bytes(KEY_ID_LENGTH).slice(),
    signature: reader.bytes(SIGNATURE_LENGTH).slice(),
  };
  return reader.complete ? parsed(head) : malformed;
}
