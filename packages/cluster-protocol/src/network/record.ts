import {
  compareBytes,
  concatBytes,
  decodeText,
  encodeText,
  malformed,
  parsed,
  wallTime,
} from '../base/index.js';
import type { Parsed, WallTime } from '../base/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { Reader } from '../wire/reader.js';
import { encodeWith, type Writer } from '../wire/writer.js';
import {
  MAX_CERTIFICATE_LENGTH,
  decodeCertificateOf,
  encodeCertificate,
  type AuthorityCertificate,
} from './certificate.js';
import { readCode, readFlag, writeCode } from './code-list.js';
import { MAX_CREDENTIAL_LENGTH, decodeCredential, encodeCredential, type Credential } from './credential.js';
import {
  KEY_ID_LENGTH,
  KEY_LENGTH,
  MAX_NAME_LENGTH,
  SIGNATURE_LENGTH,
  keyIdOf,
  nodeNameProblem,
  signLabelled,
  verifyLabelled,
} from './identity.js';
import { NETWORK_ID_LENGTH } from './network-id.js';
import { readVersion, writeVersion, type StateVersion } from './state-version.js';

/** Longest key of a record, in bytes. */
export const MAX_RECORD_KEY_LENGTH = 32;

/** Longest body of a record, in bytes. */
export const MAX_RECORD_BODY_LENGTH = 2048;

/** Longest encoded record: envelope (with the longest forms of its fields), key and body. */
export const MAX_RECORD_LENGTH: number = 128 + MAX_RECORD_KEY_LENGTH + MAX_RECORD_BODY_LENGTH;

/** Longest value of a setting, in bytes. */
export const MAX_SETTING_LENGTH = 1024;

/** Longest reason of a revocation, in bytes of UTF-8. */
export const MAX_REASON_LENGTH = 128;

/** Kinds of records. On the wire: place in this list, from 1; 6 grant, 7 zone, 8 scene and 9 rule are reserved. */
export const RECORD_KINDS = ['authority', 'revocation', 'member', 'secretEpoch', 'setting'] as const;

/** One of {@link RECORD_KINDS}. */
export type RecordKind = (typeof RECORD_KINDS)[number];

/** An authority of the network exists, or has been taken out of service for good. Key: its number. */
export interface AuthorityContent {
  readonly kind: 'authority';
  readonly certificate: AuthorityCertificate;
  /** Nothing that this authority signed counts any more. Only the root and owners may say so. */
  readonly retired: boolean;
}

/** A node is cut off. Key: the node id and the beginnings of both public keys. */
export interface RevocationContent {
  readonly kind: 'revocation';
  /** Serial of the certificate, 0 where it is not known. */
  readonly serial: number;
  readonly nodeId: number;
  readonly signingKey: Uint8Array;
  readonly staticKey: Uint8Array;
  readonly at: WallTime;
  /** Invitations that the node issued later than this do not count; `at` unless its key was stolen earlier. */
  readonly invitationsUntil: WallTime;
  /** True takes a revocation back. Only the root and owners may say so. */
  readonly withdrawn: boolean;
  /** For people; at most {@link MAX_REASON_LENGTH} bytes. */
  readonly reason: string;
}

/** A node is a member under a name. Key: its node id. */
export interface MemberContent {
  readonly kind: 'member';
  readonly name: string;
  readonly joinedAt: WallTime;
  readonly credential: Credential;
}

/** The number of the current network secret; the secret itself never travels in a record. Key: empty. */
export interface SecretEpochContent {
  readonly kind: 'secretEpoch';
  readonly epoch: number;
}

/** A named setting of the network. Key: its name in UTF-8, 1 to 32 bytes. */
export interface SettingContent {
  readonly kind: 'setting';
  readonly name: string;
  /** Meaning by name, see docs/spec/05-network.md, section 5. */
  readonly value: Uint8Array;
}

/** What a record says. */
export type RecordContent =
  AuthorityContent | RevocationContent | MemberContent | SecretEpochContent | SettingContent;

/** What an author states in a record. */
export interface RecordFields {
  readonly network: Uint8Array;
  /** Its place in the order of changes. An authority uses its own number only. */
  readonly order: StateVersion;
  readonly issuedAt: WallTime;
  readonly content: RecordContent;
}

/** A small signed piece of the network's state. Every record is for everyone today. */
export interface StateRecord extends RecordFields {
  /** Key id of the author's Ed25519 key. */
  readonly author: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a record is about within its kind: records of the same kind and key replace each other. */
export function recordKey(content: RecordContent): Uint8Array {
  switch (content.kind) {
    case 'authority':
      return encodeWith(4, writer => writer.uint32(content.certificate.number));
    case 'revocation':
      return encodeWith(MAX_RECORD_KEY_LENGTH, writer =>
        writer
          .uint32(content.nodeId)
          .bytes(content.signingKey.subarray(0, 14))
          .bytes(content.staticKey.subarray(0, 14)),
      );
    case 'member':
      return encodeWith(4, writer => writer.uint32(content.credential.leaf.nodeId));
    case 'secretEpoch':
      return new Uint8Array(0);
    case 'setting':
      return encodeText(content.name);
  }
}

/** A record signed with `author`: an authority's key, an owner's or admin's node signing key, or the root key. */
export function signRecord(crypto: CryptoProvider, author: KeyPair, fields: RecordFields): StateRecord {
  const unsigned = { ...fields, author: keyIdOf(crypto, author.publicKey) };
  return { ...unsigned, signature: signLabelled(crypto, author, 'coconet record v1', signedPart(unsigned)) };
}

/** Whether the record was signed with `publicKey`. */
export function isRecordSignedBy(
  crypto: CryptoProvider,
  record: StateRecord,
  publicKey: Uint8Array,
): boolean {
  return verifyLabelled(crypto, publicKey, 'coconet record v1', signedPart(record), record.signature);
}

const AUDIENCE_EVERYONE = 0;

function signedPart(record: RecordFields & { readonly author: Uint8Array }): Uint8Array {
  return encodeWith(MAX_RECORD_LENGTH - SIGNATURE_LENGTH, writer => {
    writer.bytes(record.network);
    writeCode(writer, RECORD_KINDS, record.content.kind);
    writer.block(recordKey(record.content));
    writeVersion(writer, record.order);
    writer.uint48(record.issuedAt).uint8(AUDIENCE_EVERYONE).bytes(record.author);
    writer.block(encodeWith(MAX_RECORD_BODY_LENGTH, body => writeBody(body, record.content)));
  });
}

function writeBody(body: Writer, content: RecordContent): void {
  switch (content.kind) {
    case 'authority':
      body.uint8(content.retired ? 1 : 0).block(encodeCertificate(content.certificate));
      return;
    case 'revocation':
      body
        .uint8(content.withdrawn ? 1 : 0)
        .varint(content.serial)
        .uint32(content.nodeId);
      body.bytes(content.signingKey).bytes(content.staticKey);
      body.uint48(content.at).uint48(content.invitationsUntil).text(content.reason);
      return;
    case 'member':
      body.text(content.name).uint48(content.joinedAt).block(encodeCredential(content.credential));
      return;
    case 'secretEpoch':
      body.varint(content.epoch);
      return;
    case 'setting':
      body.block(content.value);
  }
}

/** The one encoding of a record. */
export function encodeRecord(record: StateRecord): Uint8Array {
  return concatBytes(signedPart(record), record.signature);
}

/** The inverse of {@link encodeRecord}; the signature is not checked yet. */
export function decodeRecord(bytes: Uint8Array): Parsed<StateRecord> {
  if (bytes.length > MAX_RECORD_LENGTH) return malformed;
  const reader = new Reader(bytes);
  const network = reader.bytes(NETWORK_ID_LENGTH).slice();
  const kind = readCode(reader, RECORD_KINDS);
  const key = reader.block(MAX_RECORD_KEY_LENGTH);
  const order = readVersion(reader);
  const issuedAt = wallTime(reader.uint48());
  if (reader.uint8() !== AUDIENCE_EVERYONE) reader.fail();
  const author = reader.bytes(KEY_ID_LENGTH).slice();
  const body = reader.block(MAX_RECORD_BODY_LENGTH);
  const signature = reader.bytes(SIGNATURE_LENGTH).slice();
  const content = reader.complete ? readBody(new Reader(body), kind, key) : undefined;
  if (content === undefined || compareBytes(recordKey(content), key) !== 0) return malformed;
  return parsed({ network, order, issuedAt, content, author, signature });
}

function readBody(body: Reader, kind: RecordKind, key: Uint8Array): RecordContent | undefined {
  const content = readContent(body, kind, key);
  return body.complete ? content : undefined;
}

function readContent(body: Reader, kind: RecordKind, key: Uint8Array): RecordContent | undefined {
  switch (kind) {
    case 'authority': {
      const retired = readFlag(body);
      const certificate = decodeCertificateOf('authority', body.block(MAX_CERTIFICATE_LENGTH));
      return certificate.ok ? { kind, certificate: certificate.value, retired } : undefined;
    }
    case 'revocation':
      return {
        kind,
        withdrawn: readFlag(body),
        serial: body.varint(),
        nodeId: body.uint32(),
        signingKey: body.bytes(KEY_LENGTH).slice(),
        staticKey: body.bytes(KEY_LENGTH).slice(),
        at: wallTime(body.uint48()),
        invitationsUntil: wallTime(body.uint48()),
        reason: body.text(MAX_REASON_LENGTH),
      };
    case 'member': {
      const name = body.text(MAX_NAME_LENGTH);
      const joinedAt = wallTime(body.uint48());
      const credential = decodeCredential(body.block(MAX_CREDENTIAL_LENGTH));
      if (!credential.ok || nodeNameProblem(name) !== undefined) return undefined;
      return { kind, name, joinedAt, credential: credential.value };
    }
    case 'secretEpoch':
      return { kind, epoch: body.varint() };
    case 'setting': {
      const name = decodeText(key);
      return name ? { kind, name, value: body.block(MAX_SETTING_LENGTH).slice() } : undefined;
    }
  }
}
