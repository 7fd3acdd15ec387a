import { ClusterError, encodeText, malformed, parsed, wallTime } from '../base/index.js';
import type { Parsed, WallTime } from '../base/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { Reader } from '../wire/reader.js';
import { encodeWith, type Writer } from '../wire/writer.js';
import { readCode, writeCode } from './code-list.js';
import { readExtensions, writeExtensions, type Extension } from './extension.js';
import {
  KEY_ID_LENGTH,
  KEY_LENGTH,
  NODE_KINDS,
  ROLES,
  SIGNATURE_LENGTH,
  keyIdOf,
  signLabelled,
  verifyLabelled,
  type NodeKind,
  type Role,
  type SignatureLabel,
} from './identity.js';
import { NETWORK_ID_LENGTH } from './network-id.js';
import { readVersion, writeVersion, type StateVersion } from './state-version.js';

/** Longest certificate of any type: with it a credential still fits the first message of a handshake. */
export const MAX_CERTIFICATE_LENGTH = 1024;

/** Longest user name in a certificate, in bytes of UTF-8. */
export const MAX_USER_LENGTH = 64;

/** First byte of an encoded certificate. */
const CERTIFICATE_TYPES = ['membership', 'authority', 'invitation'] as const;

/** What a signature on any of the certificates adds to its fields. */
export interface Signed {
  /** Key id of the Ed25519 key that signed. */
  readonly issuer: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a membership certificate states (docs/spec/05-network.md, section 3). */
export interface MembershipFields {
  readonly network: Uint8Array;
  /** 1 to 2^32 − 1, never given twice in a network. */
  readonly nodeId: number;
  readonly kind: NodeKind;
  /** Ed25519 public key of the node. */
  readonly signingKey: Uint8Array;
  /** X25519 public key of the node. */
  readonly staticKey: Uint8Array;
  /** Whom the node acts for; may be empty. At most {@link MAX_USER_LENGTH} bytes. */
  readonly user: string;
  readonly role: Role;
  readonly issuedAt: WallTime;
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
  /** Random, 1 to 2^53 − 1. */
  readonly serial: number;
  /** How far the network's state was when this was signed. */
  readonly stateVersion: StateVersion;
  /** Ascending ids, no duplicates. */
  readonly extensions: readonly Extension[];
}

/** Says that a node belongs to a network, and as what. */
export interface MembershipCertificate extends MembershipFields, Signed {
  readonly type: 'membership';
}

/** What an authority certificate states. */
export interface AuthorityFields {
  readonly network: Uint8Array;
  /** 1 for the first authority of a network, then counting up; never used twice. */
  readonly number: number;
  /** Ed25519 public key with which the NMN signs memberships, records and heads. */
  readonly signingKey: Uint8Array;
  /** X25519 public key of the NMN, which join URIs pin. */
  readonly staticKey: Uint8Array;
  /** How many further authority certificates may stand between this one and a leaf; 0 today. */
  readonly pathLength: number;
  readonly issuedAt: WallTime;
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
  readonly extensions: readonly Extension[];
}

/** Lets an NMN admit and renew members without a role above guest. */
export interface AuthorityCertificate extends AuthorityFields, Signed {
  readonly type: 'authority';
}

/** What an invitation certificate states. */
export interface InvitationFields {
  readonly network: Uint8Array;
  /** The id that the invited node will have. */
  readonly nodeId: number;
  /** Ed25519 public key derived from the claim secret (claim.ts). */
  readonly claimKey: Uint8Array;
  readonly kind: NodeKind;
  readonly role: Role;
  readonly user: string;
  readonly issuedAt: WallTime;
  /** Until when it may be claimed. What was claimed in time lives on. */
  readonly notAfter: WallTime;
  readonly serial: number;
}

/** An owner's or admin's signed word that whoever holds a claim may have a role. */
export interface InvitationCertificate extends InvitationFields, Signed {
  readonly type: 'invitation';
}

/** Any of the three. */
export type Certificate = MembershipCertificate | AuthorityCertificate | InvitationCertificate;

const LABELS: Record<Certificate['type'], SignatureLabel> = {
  membership: 'coconet certificate v1',
  authority: 'coconet authority v1',
  invitation: 'coconet invitation v1',
};

type Unsigned =
  | (MembershipFields & { readonly type: 'membership' })
  | (AuthorityFields & { readonly type: 'authority' })
  | (InvitationFields & { readonly type: 'invitation' });

function writeFields(writer: Writer, fields: Unsigned): void {
  writeCode(writer, CERTIFICATE_TYPES, fields.type);
  writer.bytes(fields.network);
  switch (fields.type) {
    case 'membership':
      writer.uint32(fields.nodeId);
      writeCode(writer, NODE_KINDS, fields.kind);
      writer.bytes(fields.signingKey).bytes(fields.staticKey).text(fields.user);
      writeCode(writer, ROLES, fields.role);
      writer.uint48(fields.issuedAt).uint48(fields.notBefore).uint48(fields.notAfter).varint(fields.serial);
      writeVersion(writer, fields.stateVersion);
      writeExtensions(writer, fields.extensions);
      return;
    case 'authority':
      writer.uint32(fields.number).bytes(fields.signingKey).bytes(fields.staticKey).uint8(fields.pathLength);
      writer.uint48(fields.issuedAt).uint48(fields.notBefore).uint48(fields.notAfter);
      writeExtensions(writer, fields.extensions);
      return;
    case 'invitation':
      writer.uint32(fields.nodeId).bytes(fields.claimKey);
      writeCode(writer, NODE_KINDS, fields.kind);
      writeCode(writer, ROLES, fields.role);
      writer.text(fields.user).uint48(fields.issuedAt).uint48(fields.notAfter).varint(fields.serial);
  }
}

const copyOf = (reader: Reader, length: number): Uint8Array => reader.bytes(length).slice();
const readTime = (reader: Reader): WallTime => wallTime(reader.uint48());

function readPositive(reader: Reader, value: number): number {
  if (value === 0) reader.fail();
  return value;
}

function readFields(reader: Reader): Unsigned {
  const type = readCode(reader, CERTIFICATE_TYPES);
  const network = copyOf(reader, NETWORK_ID_LENGTH);
  switch (type) {
    case 'membership':
      return {
        type,
        network,
        nodeId: readPositive(reader, reader.uint32()),
        kind: readCode(reader, NODE_KINDS),
        signingKey: copyOf(reader, KEY_LENGTH),
        staticKey: copyOf(reader, KEY_LENGTH),
        user: reader.text(MAX_USER_LENGTH),
        role: readCode(reader, ROLES),
        issuedAt: readTime(reader),
        notBefore: readTime(reader),
        notAfter: readTime(reader),
        serial: readPositive(reader, reader.varint()),
        stateVersion: readVersion(reader),
        extensions: readExtensions(reader),
      };
    case 'authority':
      return {
        type,
        network,
        number: readPositive(reader, reader.uint32()),
        signingKey: copyOf(reader, KEY_LENGTH),
        staticKey: copyOf(reader, KEY_LENGTH),
        pathLength: reader.uint8(),
        issuedAt: readTime(reader),
        notBefore: readTime(reader),
        notAfter: readTime(reader),
        extensions: readExtensions(reader),
      };
    case 'invitation':
      return {
        type,
        network,
        nodeId: readPositive(reader, reader.uint32()),
        claimKey: copyOf(reader, KEY_LENGTH),
        kind: readCode(reader, NODE_KINDS),
        role: readCode(reader, ROLES),
        user: reader.text(MAX_USER_LENGTH),
        issuedAt: readTime(reader),
        notAfter: readTime(reader),
        serial: readPositive(reader, reader.varint()),
      };
  }
}

/** The bytes under the signature: everything but the signature itself. */
function bodyOf(certificate: Unsigned & { readonly issuer: Uint8Array }): Uint8Array {
  return encodeWith(MAX_CERTIFICATE_LENGTH - SIGNATURE_LENGTH, writer => {
    writeFields(writer, certificate);
    writer.bytes(certificate.issuer);
  });
}

function issue<T extends Unsigned>(crypto: CryptoProvider, key: KeyPair, fields: T): T & Signed {
  if ('user' in fields && encodeText(fields.user).length > MAX_USER_LENGTH)
    throw new ClusterError(
      'INVALID_ARGUMENT',
      `the user name ${JSON.stringify(fields.user)} is longer than ${MAX_USER_LENGTH} bytes of UTF-8`,
    );
  const unsigned = { ...fields, issuer: keyIdOf(crypto, key.publicKey) };
  return { ...unsigned, signature: signLabelled(crypto, key, LABELS[fields.type], bodyOf(unsigned)) };
}

/** A membership certificate signed with `key`: the root's or an authority's. */
export function signMembership(
  crypto: CryptoProvider,
  key: KeyPair,
  fields: MembershipFields,
): MembershipCertificate {
  return issue(crypto, key, { ...fields, type: 'membership' });
}

/** An authority certificate signed with the root's `key`. */
export function signAuthority(
  crypto: CryptoProvider,
  key: KeyPair,
  fields: AuthorityFields,
): AuthorityCertificate {
  return issue(crypto, key, { ...fields, type: 'authority' });
}

/** An invitation signed with an owner's or admin's node signing `key`. */
export function signInvitation(
  crypto: CryptoProvider,
  key: KeyPair,
  fields: InvitationFields,
): InvitationCertificate {
  return issue(crypto, key, { ...fields, type: 'invitation' });
}

/** Whether the signature of a certificate was made with `publicKey`, and the certificate says so. */
export function isSignedBy(crypto: CryptoProvider, certificate: Certificate, publicKey: Uint8Array): boolean {
  return (
    crypto.equal(certificate.issuer, keyIdOf(crypto, publicKey)) &&
    verifyLabelled(crypto, publicKey, LABELS[certificate.type], bodyOf(certificate), certificate.signature)
  );
}

/** The one encoding of a certificate. */
export function encodeCertificate(certificate: Certificate): Uint8Array {
  return encodeWith(MAX_CERTIFICATE_LENGTH, writer =>
    writer.bytes(bodyOf(certificate)).bytes(certificate.signature),
  );
}

/** A certificate of any type; its signature is not checked yet. Encoding it again gives `bytes`. */
export function decodeCertificate(bytes: Uint8Array): Parsed<Certificate> {
  if (bytes.length > MAX_CERTIFICATE_LENGTH) return malformed;
  const reader = new Reader(bytes);
  const fields = readFields(reader);
  const signed = { issuer: copyOf(reader, KEY_ID_LENGTH), signature: copyOf(reader, SIGNATURE_LENGTH) };
  return reader.complete ? parsed({ ...fields, ...signed }) : malformed;
}

/** As {@link decodeCertificate}, for a place where only one type makes sense. */
export function decodeCertificateOf<T extends Certificate['type']>(
  type: T,
  bytes: Uint8Array,
): Parsed<Extract<Certificate, { type: T }>> {
  const certificate = decodeCertificate(bytes);
  return certificate.ok && isOfType(certificate.value, type) ? parsed(certificate.value) : malformed;
}

function isOfType<T extends Certificate['type']>(
  certificate: Certificate,
  type: T,
): certificate is Extract<Certificate, { type: T }> {
  return certificate.type === type;
}
