import { decodeText, encodeText } from '../base/index.js';
import { readUint32, writeUint32 } from './header.js';
import { addressBytes, socketAddressOfBytes, type SocketAddress } from './socket-address.js';

/*
 * STUN binding requests and success responses (RFC 8489), as much as a node needs to learn its address and an NMN needs
 * to tell it. Authentication, indications and error responses are not here: an answer only counts when its transaction
 * id is one that we made, and what it says is a hint that a path challenge proves.
 *
 *          0                2               4               8                        20
 *          +----------------+---------------+---------------+------------------------+------------
 *          | message type   | length        | magic cookie  | transaction id         | attributes
 *          +----------------+---------------+---------------+------------------------+------------
 */
const Field = { type: 0, length: 2, cookie: 4, transaction: 8, end: 20 } as const;

/** RFC 8489, section 5. */
const MAGIC_COOKIE = 0x2112a442;
const TRANSACTION_ID = 12;

/** RFC 8489, section 5 and 18.1: method Binding in the classes request and success response. */
const MessageType = { bindingRequest: 0x0001, bindingSuccess: 0x0101 } as const;

/** RFC 8489, section 18.3; types from 0x8000 may be ignored by who does not know them. */
const Attribute = {
  mappedAddress: 0x0001,
  xorMappedAddress: 0x0020,
  software: 0x8022,
  fingerprint: 0x8028,
} as const;
const OPTIONAL_ATTRIBUTES = 0x8000;

/** RFC 8489, section 14.7: "STUN" in ASCII, over the checksum. */
const FINGERPRINT_MASK = 0x5354554e;
const FINGERPRINT_ATTRIBUTE = 8;

/** RFC 8489, section 14.14: fewer than 128 characters, which may take 763 bytes. */
const MAX_SOFTWARE = 763;

/** Attributes that are looked at; more than any honest message has. */
const MAX_ATTRIBUTES = 32;

/** A binding message. `transactionId` has 12 bytes. */
export type StunMessage =
  | { readonly kind: 'request'; readonly transactionId: Uint8Array; readonly software?: string }
  | {
      readonly kind: 'success';
      readonly transactionId: Uint8Array;
      /** The sender's address as the server saw it. */
      readonly address: SocketAddress;
      readonly software?: string;
    };

/** Whether these bytes are a STUN message rather than one of ours: two zero bits, the cookie, a length that fits. */
export function isStun(datagram: Uint8Array): boolean {
  return (
    datagram.length >= Field.end &&
    datagram[0]! < 4 &&
    readUint32(datagram, Field.cookie) === MAGIC_COOKIE &&
    uint16(datagram, Field.length) === datagram.length - Field.end &&
    datagram.length % 4 === 0
  );
}

/** The message with a fingerprint behind it, in a new array. */
export function encodeStun(message: StunMessage): Uint8Array {
  const attributes: Uint8Array[] = [];
  if (message.kind === 'success') {
    attributes.push(
      attribute(Attribute.xorMappedAddress, xorAddress(message.address, message.transactionId)),
    );
  }
  if (message.software !== undefined) {
    attributes.push(attribute(Attribute.software, encodeText(message.software).subarray(0, MAX_SOFTWARE)));
  }
  const length = attributes.reduce((sum, bytes) => sum + bytes.length, 0);
  const datagram = new Uint8Array(Field.end + length + FINGERPRINT_ATTRIBUTE);
  const type = message.kind === 'request' ? MessageType.bindingRequest : MessageType.bindingSuccess;
  writeUint32(datagram, Field.type, (type << 16) | (length + FINGERPRINT_ATTRIBUTE));
  writeUint32(datagram, Field.cookie, MAGIC_COOKIE);
  datagram.set(message.transactionId.subarray(0, TRANSACTION_ID), Field.transaction);
  let at: number = Field.end;
  for (const bytes of attributes) {
    datagram.set(bytes, at);
    at += bytes.length;
  }
  writeUint32(datagram, at, (Attribute.fingerprint << 16) | 4);
  writeUint32(datagram, at + 4, (crc32(datagram, at) ^ FINGERPRINT_MASK) >>> 0);
  return datagram;
}

/**
 * The meaning of a binding request or success response; `undefined` for any other bytes: another method or class, a
 * wrong fingerprint, an unknown attribute that must be understood, a success without an address. The transaction id
 * is a copy.
 */
export function decodeStun(datagram: Uint8Array): StunMessage | undefined {
  if (!isStun(datagram)) return undefined;
  const type = uint16(datagram, Field.type);
  if (type !== MessageType.bindingRequest && type !== MessageType.bindingSuccess) return undefined;
  const found = readAttributes(datagram);
  if (found === undefined) return undefined;
  const transactionId = new Uint8Array(datagram.subarray(Field.transaction, Field.end));
  const software = found.software === undefined ? {} : { software: found.software };
  // What must be understood and is not: a request with it would be answered by an error, a response is discarded.
  if (found.unknown) return undefined;
  if (type === MessageType.bindingRequest) return { kind: 'request', transactionId, ...software };
  const address = found.xorMapped ?? found.mapped;
  return address === undefined ? undefined : { kind: 'success', transactionId, address, ...software };
}

interface Attributes {
  xorMapped?: SocketAddress;
  mapped?: SocketAddress;
  software?: string;
  unknown: boolean;
}

function readAttributes(datagram: Uint8Array): Attributes | undefined {
  const found: Attributes = { unknown: false };
  let at: number = Field.end;
  for (let count = 0; at < datagram.length; count++) {
    if (count === MAX_ATTRIBUTES || at + 4 > datagram.length) return undefined;
    const type = uint16(datagram, at);
    const length = uint16(datagram, at + 2);
    const start = at + 4;
    if (start + length > datagram.length) return undefined;
    const value = datagram.subarray(start, start + length);
    const next = start + ((length + 3) & ~3);
    if (type === Attribute.fingerprint) {
      const right = length === 4 && next === datagram.length;
      // Nothing may follow a fingerprint (RFC 8489, section 14.7).
      if (!right || readUint32(value, 0) !== (crc32(datagram, at) ^ FINGERPRINT_MASK) >>> 0) return undefined;
      return found;
    }
    if (!takeAttribute(found, type, value, datagram)) return undefined;
    at = next;
  }
  return found;
}

function takeAttribute(found: Attributes, type: number, value: Uint8Array, datagram: Uint8Array): boolean {
  if (type === Attribute.xorMappedAddress || type === Attribute.mappedAddress) {
    const xor = type === Attribute.xorMappedAddress;
    const address = readAddress(value, xor ? datagram.subarray(Field.cookie, Field.end) : undefined);
    if (address === undefined) return false;
    // Of repeated attributes only the first counts (RFC 8489, section 14).
    if (xor) found.xorMapped ??= address;
    else found.mapped ??= address;
  } else if (type === Attribute.software) {
    const software = value.length > MAX_SOFTWARE ? undefined : decodeText(value);
    if (software !== undefined) found.software ??= software;
  } else if (type < OPTIONAL_ATTRIBUTES && !CREDENTIAL_ATTRIBUTES.includes(type)) {
    found.unknown = true;
  }
  return true;
}

/** USERNAME, MESSAGE-INTEGRITY, REALM, NONCE, MESSAGE-INTEGRITY-SHA256, USERHASH and ICE's PRIORITY, USE-CANDIDATE: understood as not for us. */
const CREDENTIAL_ATTRIBUTES: readonly number[] = [
  0x0006, 0x0008, 0x0014, 0x0015, 0x001c, 0x001e, 0x0024, 0x0025,
];

/** RFC 8489, sections 14.1 and 14.2: zero, family, port, address; `mask` is cookie and transaction id. */
function readAddress(value: Uint8Array, mask: Uint8Array | undefined): SocketAddress | undefined {
  const length = value[1] === 1 ? 4 : value[1] === 2 ? 16 : -1;
  if (value.length !== 4 + length) return undefined;
  // Not `slice`: of a Node buffer that is a view, and the mask below would be written into the datagram.
  const bytes = new Uint8Array(value.subarray(4));
  let port = uint16(value, 2);
  if (mask !== undefined) {
    port ^= MAGIC_COOKIE >>> 16;
    for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i]! ^ mask[i]!;
  }
  return socketAddressOfBytes(bytes, port);
}

function xorAddress(address: SocketAddress, transactionId: Uint8Array): Uint8Array {
  const mask = new Uint8Array(4 + TRANSACTION_ID);
  writeUint32(mask, 0, MAGIC_COOKIE);
  mask.set(transactionId.subarray(0, TRANSACTION_ID), 4);
  const bytes = addressBytes(address);
  const value = new Uint8Array(4 + bytes.length);
  const port = address.port ^ (MAGIC_COOKIE >>> 16);
  value.set([0, address.family === 4 ? 1 : 2, port >> 8, port & 0xff]);
  for (let i = 0; i < bytes.length; i++) value[4 + i] = bytes[i]! ^ mask[i]!;
  return value;
}

function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + ((value.length + 3) & ~3));
  writeUint32(bytes, 0, ((type << 16) | value.length) >>> 0);
  bytes.set(value, 4);
  return bytes;
}

const uint16 = (from: Uint8Array, offset: number): number => (from[offset]! << 8) | from[offset + 1]!;

/** The CRC-32 of ITU V.42 over `bytes[0, end)`, bit by bit: STUN is rare and a table is not worth its kilobyte. */
function crc32(bytes: Uint8Array, end: number): number {
  let crc = 0xffffffff;
  for (let i = 0; i < end; i++) {
    crc ^= bytes[i]!;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return (crc ^ 0xffffffff) >>> 0;
}
