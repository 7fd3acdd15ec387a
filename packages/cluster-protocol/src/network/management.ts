import { malformed, parsed, wallTime } from '../base/index.js';
import type { Parsed, WallTime } from '../base/index.js';
import { Reader } from '../wire/reader.js';
import { encodeWith, type Writer } from '../wire/writer.js';
import {
  MAX_CERTIFICATE_LENGTH,
  MAX_USER_LENGTH,
  decodeCertificateOf,
  encodeCertificate,
  type AuthorityCertificate,
  type Certificate,
  type InvitationCertificate,
} from './certificate.js';
import { CLAIM_ID_LENGTH, CLAIM_MAC_LENGTH } from './claim.js';
import { readCode, writeCode } from './code-list.js';
import { MAX_CREDENTIAL_LENGTH, decodeCredential, encodeCredential, type Credential } from './credential.js';
import {
  KEY_LENGTH,
  MAX_NAME_LENGTH,
  NODE_KINDS,
  SIGNATURE_LENGTH,
  type NodeKind,
  type Role,
} from './identity.js';
import { OPERATOR_TOKEN_LENGTH } from './join-uri.js';
import { MAX_RECORD_LENGTH, decodeRecord, encodeRecord, type StateRecord } from './record.js';

/** Longest management message: one message of a session. */
export const MAX_MANAGEMENT_LENGTH = 65_536;

/** Longest snapshot of the network state inside a message; what did not fit follows by state synchronisation. */
export const MAX_SNAPSHOT_LENGTH = 61_440;

/** Bytes of the NMN's challenge in a `networkPrepared`. */
export const CHALLENGE_LENGTH = 16;

const SECRET_LENGTH = 32;
const MAX_ERROR_LENGTH = 512;

/** Why the NMN did not do what was asked. On the wire: place in this list, from 1. */
export const MANAGEMENT_ERROR_CODES = [
  'claimUnknown',
  'claimUsed',
  'claimExpired',
  'claimKilled',
  'networkUnknown',
  'notPermitted',
  'limitReached',
  'invalid',
  'internal',
  'unavailable',
  'alreadyMember',
  'operatorTokenInvalid',
] as const;

/** One of {@link MANAGEMENT_ERROR_CODES}. */
export type ManagementErrorCode = (typeof MANAGEMENT_ERROR_CODES)[number];

/** What an invitation may give: less than admin on the word of a member with the right, more with a signed invitation. */
export type InvitationGrant =
  | {
      readonly type: 'plain';
      readonly kind: NodeKind;
      readonly role: 'none' | 'guest';
      readonly user: string;
      readonly expiresAt: WallTime;
    }
  | { readonly type: 'signed'; readonly invitation: InvitationCertificate };

/** What a node needs besides its credential to speak with other members. */
export interface Welcome {
  readonly rootKey: Uint8Array;
  /** Number of the network secret. */
  readonly epoch: number;
  /** The network secret of that epoch, 32 bytes. */
  readonly secret: Uint8Array;
  /** `NetworkState.snapshot`, at most {@link MAX_SNAPSHOT_LENGTH} bytes. */
  readonly state: Uint8Array;
}

/** Content of the messages of service 3 (docs/spec/05-network.md, section 9). */
export type ManagementContent =
  /** Only inside a `join` session, whose handshake proved the claim and the static key. */
  | {
      readonly type: 'join';
      readonly kind: NodeKind;
      /** Name wanted; empty: the one in the invitation. */
      readonly name: string;
      readonly signingKey: Uint8Array;
      readonly claimMac: Uint8Array;
      readonly claimSignature: Uint8Array;
    }
  | ({
      readonly type: 'joined';
      readonly nodeId: number;
      readonly name: string;
      readonly credential: Credential;
    } & Welcome)
  | { readonly type: 'renew' }
  | { readonly type: 'renewed'; readonly credential: Credential }
  | {
      readonly type: 'createInvitation';
      readonly claimId: Uint8Array;
      readonly claimPsk: Uint8Array;
      /** Name for the node when it brings none of its own; may be empty. */
      readonly name: string;
      readonly grant: InvitationGrant;
    }
  | { readonly type: 'invitationCreated'; readonly nodeId: number }
  | { readonly type: 'prepareNetwork'; readonly operatorToken: Uint8Array }
  | {
      readonly type: 'networkPrepared';
      /** Ed25519 public key that the NMN made for this network. */
      readonly authorityKey: Uint8Array;
      /** X25519 public key of the NMN. */
      readonly nmnStaticKey: Uint8Array;
      readonly challenge: Uint8Array;
    }
  | {
      readonly type: 'createNetwork';
      readonly challenge: Uint8Array;
      readonly operatorToken: Uint8Array;
      readonly name: string;
      readonly rootKey: Uint8Array;
      readonly authority: AuthorityCertificate;
      /** The NMN's own membership, signed by the root. */
      readonly nmnCredential: Credential;
      readonly ownerName: string;
      readonly ownerCredential: Credential;
    }
  | ({ readonly type: 'networkCreated' } & Welcome)
  | { readonly type: 'revoke'; readonly record: StateRecord }
  | { readonly type: 'revoked' }
  | { readonly type: 'secret' }
  | { readonly type: 'secretIs'; readonly epoch: number; readonly secret: Uint8Array }
  | { readonly type: 'leave' }
  | { readonly type: 'left' }
  | {
      readonly type: 'error';
      readonly code: ManagementErrorCode;
      /** For people, English; at most 512 bytes. */
      readonly message: string;
      /** The field of the request that is wrong, if one is. */
      readonly field?: string;
    };

/** A request, or the answer to one, with the number that joins them. */
export type ManagementMessage = ManagementContent & {
  /** Chosen by the asker, unique among its open requests; the answer repeats it. */
  readonly requestId: number;
};

const TYPES = [
  'join',
  'joined',
  'renew',
  'renewed',
  'createInvitation',
  'invitationCreated',
  'prepareNetwork',
  'networkPrepared',
  'createNetwork',
  'networkCreated',
  'revoke',
  'revoked',
  'secret',
  'secretIs',
  'leave',
  'left',
  'error',
] as const satisfies readonly ManagementContent['type'][];

/** Types on the wire: place in this list, from 1. Requests and their answers alternate; `error` answers any request. */
export const MANAGEMENT_TYPES: readonly ManagementContent['type'][] = TYPES;

const PLAIN_ROLES = ['none', 'guest'] as const satisfies readonly Role[];
const GRANT_TYPES = ['plain', 'signed'] as const;

/** The one encoding of a message. */
export function encodeManagement(message: ManagementMessage): Uint8Array {
  return encodeWith(MAX_MANAGEMENT_LENGTH, writer => {
    writeCode(writer, TYPES, message.type);
    writer.uint32(message.requestId);
    writeContent(writer, message);
  });
}

function writeContent(writer: Writer, content: ManagementContent): void {
  switch (content.type) {
    case 'join':
      writeCode(writer, NODE_KINDS, content.kind);
      writer
        .text(content.name)
        .bytes(content.signingKey)
        .bytes(content.claimMac)
        .bytes(content.claimSignature);
      return;
    case 'joined':
      writer.uint32(content.nodeId).text(content.name).block(encodeCredential(content.credential));
      writeWelcome(writer, content);
      return;
    case 'renewed':
      writer.block(encodeCredential(content.credential));
      return;
    case 'createInvitation':
      writer.bytes(content.claimId).bytes(content.claimPsk).text(content.name);
      writeGrant(writer, content.grant);
      return;
    case 'invitationCreated':
      writer.uint32(content.nodeId);
      return;
    case 'prepareNetwork':
      writer.bytes(content.operatorToken);
      return;
    case 'networkPrepared':
      writer.bytes(content.authorityKey).bytes(content.nmnStaticKey).bytes(content.challenge);
      return;
    case 'createNetwork':
      writer.bytes(content.challenge).bytes(content.operatorToken).text(content.name).bytes(content.rootKey);
      writer.block(encodeCertificate(content.authority)).block(encodeCredential(content.nmnCredential));
      writer.text(content.ownerName).block(encodeCredential(content.ownerCredential));
      return;
    case 'networkCreated':
      writeWelcome(writer, content);
      return;
    case 'revoke':
      writer.block(encodeRecord(content.record));
      return;
    case 'secretIs':
      writer.varint(content.epoch).bytes(content.secret);
      return;
    case 'error':
      writeCode(writer, MANAGEMENT_ERROR_CODES, content.code);
      writer.text(content.message).text(content.field ?? '');
      return;
    case 'renew':
    case 'revoked':
    case 'secret':
    case 'leave':
    case 'left':
  }
}

function writeWelcome(writer: Writer, welcome: Welcome): void {
  writer.bytes(welcome.rootKey).varint(welcome.epoch).bytes(welcome.secret).block(welcome.state);
}

function writeGrant(writer: Writer, grant: InvitationGrant): void {
  writeCode(writer, GRANT_TYPES, grant.type);
  if (grant.type === 'signed') {
    writer.block(encodeCertificate(grant.invitation));
    return;
  }
  writeCode(writer, NODE_KINDS, grant.kind);
  writeCode(writer, PLAIN_ROLES, grant.role);
  writer.text(grant.user).uint48(grant.expiresAt);
}

/** A management message, or `malformed`. Signatures inside it are not checked yet. */
export function decodeManagement(bytes: Uint8Array): Parsed<ManagementMessage> {
  if (bytes.length > MAX_MANAGEMENT_LENGTH) return malformed;
  const reader = new Reader(bytes);
  const type = readCode(reader, TYPES);
  const requestId = reader.uint32();
  const content = readContent(reader, type);
  return content && reader.complete ? parsed({ requestId, ...content }) : malformed;
}

const key = (reader: Reader): Uint8Array => reader.bytes(KEY_LENGTH).slice();

function readContent(reader: Reader, type: ManagementContent['type']): ManagementContent | undefined {
  switch (type) {
    case 'join':
      return {
        type,
        kind: readCode(reader, NODE_KINDS),
        name: reader.text(MAX_NAME_LENGTH),
        signingKey: key(reader),
        claimMac: reader.bytes(CLAIM_MAC_LENGTH).slice(),
        claimSignature: reader.bytes(SIGNATURE_LENGTH).slice(),
      };
    case 'joined': {
      const nodeId = reader.uint32();
      const name = reader.text(MAX_NAME_LENGTH);
      const credential = readCredential(reader);
      return credential && { type, nodeId, name, credential, ...readWelcome(reader) };
    }
    case 'renewed': {
      const credential = readCredential(reader);
      return credential && { type, credential };
    }
    case 'createInvitation': {
      const claimId = reader.bytes(CLAIM_ID_LENGTH).slice();
      const claimPsk = reader.bytes(SECRET_LENGTH).slice();
      const name = reader.text(MAX_NAME_LENGTH);
      const grant = readGrant(reader);
      return grant && { type, claimId, claimPsk, name, grant };
    }
    case 'invitationCreated':
      return { type, nodeId: reader.uint32() };
    case 'prepareNetwork':
      return { type, operatorToken: reader.bytes(OPERATOR_TOKEN_LENGTH).slice() };
    case 'networkPrepared':
      return {
        type,
        authorityKey: key(reader),
        nmnStaticKey: key(reader),
        challenge: reader.bytes(CHALLENGE_LENGTH).slice(),
      };
    case 'createNetwork':
      return readCreateNetwork(reader);
    case 'networkCreated':
      return { type, ...readWelcome(reader) };
    case 'revoke': {
      const record = decodeRecord(reader.block(MAX_RECORD_LENGTH));
      return record.ok ? { type, record: record.value } : undefined;
    }
    case 'secretIs':
      return { type, epoch: reader.varint(), secret: reader.bytes(SECRET_LENGTH).slice() };
    case 'error': {
      const code = readCode(reader, MANAGEMENT_ERROR_CODES);
      const message = reader.text(MAX_ERROR_LENGTH);
      const field = reader.text(MAX_NAME_LENGTH);
      return field === '' ? { type, code, message } : { type, code, message, field };
    }
    case 'renew':
    case 'revoked':
    case 'secret':
    case 'leave':
    case 'left':
      return { type };
  }
}

function readCreateNetwork(reader: Reader): ManagementContent | undefined {
  const challenge = reader.bytes(CHALLENGE_LENGTH).slice();
  const operatorToken = reader.bytes(OPERATOR_TOKEN_LENGTH).slice();
  const name = reader.text(MAX_NAME_LENGTH);
  const rootKey = key(reader);
  const authority = readCertificate(reader, 'authority');
  const nmnCredential = readCredential(reader);
  const ownerName = reader.text(MAX_NAME_LENGTH);
  const ownerCredential = readCredential(reader);
  if (!authority || !nmnCredential || !ownerCredential) return undefined;
  return {
    type: 'createNetwork',
    challenge,
    operatorToken,
    name,
    rootKey,
    authority,
    nmnCredential,
    ownerName,
    ownerCredential,
  };
}

function readGrant(reader: Reader): InvitationGrant | undefined {
  const type = readCode(reader, GRANT_TYPES);
  if (type === 'signed') {
    const invitation = readCertificate(reader, 'invitation');
    return invitation && { type, invitation };
  }
  return {
    type,
    kind: readCode(reader, NODE_KINDS),
    role: readCode(reader, PLAIN_ROLES),
    user: reader.text(MAX_USER_LENGTH),
    expiresAt: wallTime(reader.uint48()),
  };
}

function readWelcome(reader: Reader): Welcome {
  return {
    rootKey: key(reader),
    epoch: reader.varint(),
    secret: reader.bytes(SECRET_LENGTH).slice(),
    state: reader.block(MAX_SNAPSHOT_LENGTH).slice(),
  };
}

function readCredential(reader: Reader): Credential | undefined {
  const credential = decodeCredential(reader.block(MAX_CREDENTIAL_LENGTH));
  return credential.ok ? credential.value : undefined;
}

function readCertificate<T extends Certificate['type']>(
  reader: Reader,
  type: T,
): Extract<Certificate, { type: T }> | undefined {
  const certificate = decodeCertificateOf(type, reader.block(MAX_CERTIFICATE_LENGTH));
  return certificate.ok ? certificate.value : undefined;
}
