import { compareBytes, encodeText, type RandomSource } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { firstByte, Reader, WIRE_VERSION, Writer } from '../wire/index.js';

/*
 * The packets before a session (docs/spec/02-handshake.md).
 *
 *   initiation   kind 0 | version | reserved 2 | sender index 4 | nonce 16 | noise message 1 | mac1 16 | mac2 16
 *   response     kind 1 | version | reserved 2 | sender index 4 | receiver index 4 | noise message 2 | mac1 16
 *   retry        kind 3 | version | reserved 2 | receiver index 4 | nonce 16 | mac 16
 *   refusal      kind 8 | version | reserved 2 | receiver index 4 | nonce 24 | XChaCha20-Poly1305(code 2, text)
 *   version      kind 9 | highest version | lowest version | reserved 1 | receiver index 4
 *   reset        kind 6 | receiver index 4 | token 16
 */

/** Label that begins the prologue of every handshake. */
const PROLOGUE_LABEL = encodeText('coconet session v1');
const RETRY_LABEL = encodeText('coconet retry v1');

/** Bytes of a freshness nonce. */
export const NONCE_LENGTH = 16;
/** Bytes of mac1, mac2 and the MAC of a retry. */
export const MAC_LENGTH = 16;
/** Bytes of a reset token. */
export const RESET_TOKEN_LENGTH = 16;
/** Clear bytes in front of Noise message 1. */
export const INITIATION_HEADER = 24;
/** Clear bytes in front of Noise message 2. */
export const RESPONSE_HEADER = 12;
/** Clear bytes in front of a refusal's nonce: its associated data. */
export const REFUSAL_HEADER = 8;
/** Bytes of a refusal's random nonce (XChaCha20). */
export const REFUSAL_NONCE = 24;
/** Bytes of a retry. */
export const RETRY_LENGTH = 40;
/** Bytes of a reset: less than the shortest data packet that causes it. */
export const RESET_LENGTH = 21;
/** Bytes of a version refusal. */
export const VERSION_REFUSAL_LENGTH = 8;

/**
 * Every initiation is padded to this length, and a responder answers with no more than it got: nobody can be made to
 * send more bytes to a third party than the attacker spent (threat T3).
 */
export const INITIATION_LENGTH = 1_000;
/** An initiation with long certificates may grow to this, so that it still fits an introduction (04-path). */
export const MAX_INITIATION_LENGTH = 1_040;
/** The longest initiation of any version: what a frame of Ethernet holds, so that mac1 of no packet costs more to check. */
export const MAX_FOREIGN_INITIATION = 1_500;
/** Bytes of an initiation around the payload: header, e, encrypted s, the payload's tag, both MACs. */
export const INITIATION_OVERHEAD: number = INITIATION_HEADER + 32 + 48 + 16 + 2 * MAC_LENGTH;
/** Bytes of a response around the payload: header, e, the payload's tag, mac1. */
export const RESPONSE_OVERHEAD: number = RESPONSE_HEADER + 32 + 16 + MAC_LENGTH;
/** In front of both payloads: length of the application's part, reset token. */
export const PAYLOAD_HEADER: number = 2 + RESET_TOKEN_LENGTH;
/** The longest payload of an application in either direction. */
export const MAX_HANDSHAKE_PAYLOAD: number = MAX_INITIATION_LENGTH - INITIATION_OVERHEAD - PAYLOAD_HEADER;

/** The clear header of an initiation; `nonce` is all zero when there is none. */
export function initiationHeader(senderIndex: number, nonce: Uint8Array): Uint8Array {
  const header = new Uint8Array(INITIATION_HEADER);
  new Writer(header)
    .uint8(firstByte('initiation', 0))
    .uint8(WIRE_VERSION)
    .uint16(0)
    .uint32(senderIndex)
    .bytes(nonce);
  return header;
}

/** The prologue: label, and the clear header of message 1 with its version. */
export function prologueOf(header: Uint8Array): Uint8Array {
  const prologue = new Uint8Array(PROLOGUE_LABEL.length + header.length);
  prologue.set(PROLOGUE_LABEL);
  prologue.set(header, PROLOGUE_LABEL.length);
  return prologue;
}

/** Application payload with reset token and length in front, zero padding up to `padTo`. */
export function wrapPayload(token: Uint8Array, payload: Uint8Array, padTo: number): Uint8Array {
  const wrapped = new Uint8Array(Math.max(padTo, PAYLOAD_HEADER + payload.length));
  new Writer(wrapped).uint16(payload.length).bytes(token).bytes(payload);
  return wrapped;
}

/** The inverse of {@link wrapPayload}; views. `undefined` when the length lies or the padding is not zero. */
export function unwrapPayload(
  wrapped: Uint8Array,
): { readonly token: Uint8Array; readonly payload: Uint8Array } | undefined {
  const reader = new Reader(wrapped);
  const length = reader.uint16();
  const token = reader.bytes(RESET_TOKEN_LENGTH);
  const payload = reader.bytes(length);
  return !reader.failed && reader.rest().every(byte => byte === 0) ? { token, payload } : undefined;
}

/** A retry: asks for the same message 1 again with this nonce. Bound to that message by its mac1. */
export function retryPacket(
  provider: CryptoProvider,
  responderStatic: Uint8Array,
  receiverIndex: number,
  nonce: Uint8Array,
  mac1: Uint8Array,
): Uint8Array {
  const packet = new Uint8Array(RETRY_LENGTH);
  const writer = new Writer(packet)
    .uint8(firstByte('retry', 0))
    .uint8(WIRE_VERSION)
    .uint16(0)
    .uint32(receiverIndex)
    .bytes(nonce);
  writer.bytes(retryMac(provider, responderStatic, writer.written, mac1));
  return packet;
}

/** Whether a retry of {@link RETRY_LENGTH} bytes was made by somebody who saw the initiation with this mac1. */
export function retryIsGenuine(
  provider: CryptoProvider,
  responderStatic: Uint8Array,
  packet: Uint8Array,
  mac1: Uint8Array,
): boolean {
  const body = packet.subarray(0, RETRY_LENGTH - MAC_LENGTH);
  return provider.equal(
    retryMac(provider, responderStatic, body, mac1),
    packet.subarray(RETRY_LENGTH - MAC_LENGTH),
  );
}

function retryMac(
  provider: CryptoProvider,
  responderStatic: Uint8Array,
  body: Uint8Array,
  mac1: Uint8Array,
): Uint8Array {
  const key = new Uint8Array(RETRY_LABEL.length + responderStatic.length);
  key.set(RETRY_LABEL);
  key.set(responderStatic, RETRY_LABEL.length);
  const message = new Uint8Array(body.length + mac1.length);
  message.set(body);
  message.set(mac1, body.length);
  return provider.blake2b(MAC_LENGTH, message, provider.blake2b(32, key));
}

/** A session index that nothing in `taken` uses: random, so that a stranger cannot guess it (threat T7). */
export function freshIndex(random: RandomSource, taken: (index: number) => boolean): number {
  const bytes = new Uint8Array(4);
  for (;;) {
    random.fill(bytes);
    const index = new Reader(bytes).uint32();
    if (!taken(index)) return index;
  }
}

/** Answers an initiation of another major version: which ones we speak. Not authenticated, so it only explains. */
export function versionRefusal(receiverIndex: number): Uint8Array {
  const packet = new Uint8Array(VERSION_REFUSAL_LENGTH);
  new Writer(packet)
    .uint8(firstByte('versionRefusal', 0))
    .uint8(WIRE_VERSION)
    .uint8(WIRE_VERSION)
    .uint8(0)
    .uint32(receiverIndex);
  return packet;
}

/** Tells the holder of a session that we know nothing of it any more. */
export function resetPacket(receiverIndex: number, token: Uint8Array): Uint8Array {
  const packet = new Uint8Array(RESET_LENGTH);
  new Writer(packet).uint8(firstByte('reset', 0)).uint32(receiverIndex).bytes(token);
  return packet;
}

/** Whether `a` is the smaller number of two keys: the one whose crossing handshake wins. */
export function isLowerKey(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, b) < 0;
}
