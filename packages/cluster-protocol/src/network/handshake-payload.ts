import { malformed, parsed, type Parsed } from '../base/index.js';
import { MAX_HANDSHAKE_PAYLOAD } from '../session/index.js';
import { encodeWith, MAX_VARINT_LENGTH, Reader } from '../wire/index.js';

const KINDS = ['member', 'join', 'nmn', 'catchUp'] as const;

/**
 * What a session is for, and thereby its pre-shared key: `member` the network secret of `epoch`, `join` a hash of the
 * claim, `nmn` and `catchUp` zeros (docs/spec/02-handshake.md, "Session kinds").
 */
export type SessionKind = (typeof KINDS)[number];

/** What both sides say of themselves inside their handshake message; the transcript binds it. */
export interface HandshakePayload {
  readonly kind: SessionKind;
  readonly network: Uint8Array;
  /** Starts of this node since its store was made; with `uptime` it orders all its handshakes. */
  readonly bootCounter: number;
  /** Milliseconds since this start. */
  readonly uptime: number;
  /** Bits of optional features; unknown ones are ignored. */
  readonly features: number;
  /** Epoch of the network secret that the sender holds; 0: none. */
  readonly epoch: number;
  /** Version of the network state that the sender holds. */
  readonly authorityNumber: number;
  readonly stateVersion: number;
  /** 8 random bytes that name the sender's outbox: part of its message ids. */
  readonly outboxIncarnation: Uint8Array;
  /** 8 random bytes that name the sender's memory of what it received. */
  readonly inboxIncarnation: Uint8Array;
  /** The sender's credential; empty while it joins. */
  readonly credential: Uint8Array;
  /** `join`: which claim, 16 bytes; else empty. */
  readonly claimId: Uint8Array;
  /** The network's root key, from the NMN to a joiner; else empty. */
  readonly rootKey: Uint8Array;
}

const INCARNATION_LENGTH = 8;
const NETWORK_LENGTH = 16;
const CLAIM_ID_LENGTH = 16;
const ROOT_KEY_LENGTH = 32;
const VARINTS = 6;

/** Everything but the credential's bytes at its longest. A claim id never stands beside a credential: it is empty here. */
const BESIDE_CREDENTIAL: number =
  1 + NETWORK_LENGTH + VARINTS * MAX_VARINT_LENGTH + 2 * INCARNATION_LENGTH + 2 + 1 + (1 + ROOT_KEY_LENGTH);

/**
 * The longest credential in a handshake: what message 1 has room for. Two certificates and an invitation with names of
 * ordinary length fit.
 */
export const MAX_HANDSHAKE_CREDENTIAL: number = MAX_HANDSHAKE_PAYLOAD - BESIDE_CREDENTIAL;

/** Codes of a refusal (docs/spec/02-handshake.md, "Refusal"); 4 is not assigned. */
export const RefusalCode = {
  /** The secret of that epoch is neither the current nor the previous one: come with `catchUp`. */
  epochMismatch: 1,
  expired: 2,
  revoked: 3,
  claimUnknown: 5,
  claimUsed: 6,
  claimExpired: 7,
  wrongNetwork: 8,
  tooManyAttempts: 9,
} as const;

/** The one encoding of a payload, at most `MAX_HANDSHAKE_PAYLOAD` bytes (docs/spec/02-handshake.md, "Payload"). */
export function encodeHandshakePayload(payload: HandshakePayload): Uint8Array {
  return encodeWith(MAX_HANDSHAKE_PAYLOAD, writer => {
    writer
      .uint8(KINDS.indexOf(payload.kind))
      .bytes(payload.network)
      .varint(payload.bootCounter)
      .varint(payload.uptime)
      .varint(payload.features)
      .varint(payload.epoch)
      .varint(payload.authorityNumber)
      .varint(payload.stateVersion)
      .bytes(payload.outboxIncarnation)
      .bytes(payload.inboxIncarnation)
      .block(payload.credential)
      .block(payload.claimId)
      .block(payload.rootKey);
  });
}

/** Fields are copies. What follows the known fields belongs to a later minor version and is skipped. */
export function decodeHandshakePayload(bytes: Uint8Array): Parsed<HandshakePayload> {
  const reader = new Reader(bytes);
  const kind = KINDS[reader.uint8()];
  if (kind === undefined) return malformed;
  const value: HandshakePayload = {
    kind,
    network: reader.bytes(NETWORK_LENGTH).slice(),
    bootCounter: reader.varint(),
    uptime: reader.varint(),
    features: reader.varint(),
    epoch: reader.varint(),
    authorityNumber: reader.varint(),
    stateVersion: reader.varint(),
    outboxIncarnation: reader.bytes(INCARNATION_LENGTH).slice(),
    inboxIncarnation: reader.bytes(INCARNATION_LENGTH).slice(),
    credential: reader.block(MAX_HANDSHAKE_CREDENTIAL).slice(),
    claimId: reader.block(CLAIM_ID_LENGTH).slice(),
    rootKey: reader.block(ROOT_KEY_LENGTH).slice(),
  };
  return reader.failed ? malformed : parsed(value);
}
