import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

/** An IP address and a UDP port. `key` is its one text form (`192.0.2.1:80`, `[2001:db8::1]:80`) and equal for equal addresses. */
export interface SocketAddress {
  readonly family: 4 | 6;
  /**
   * Canonical text: dotted decimal, or RFC 5952 for IPv6 (an IPv4-mapped address is family 4). A link-local IPv6
   * address may carry a zone (`fe80::1%eth0`): it means something on this machine alone and never travels.
   */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  readonly key: string;
}

/**
 * What an address is good for, by the registries of RFC 6890. `private` are RFC 1918, unique local (RFC 4193), link-local
 * (RFC 3927, RFC 4291) and the shared space of carrier NATs (RFC 6598); `documentation` are RFC 5737, RFC 3849 and RFC
 * 9637; `reserved` is what nobody may be reached at.
 */
export type AddressScope =
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'documentation'
  | 'multicast'
  | 'broadcast'
  | 'reserved'
  | 'global';

/** Bytes of an address on the wire: family, address, port (`docs/spec/01-wire.md`, section 6). */
export const MAX_SOCKET_ADDRESS = 19;

const ZONE = /^[0-9A-Za-z._~-]{1,32}$/;

/** The address of `host` and `port` in canonical form, or `undefined` when `host` is not an IP address or the port not 1–65535. */
export function socketAddress(host: string, port: number): SocketAddress | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 0xffff) return undefined;
  const percent = host.indexOf('%');
  const zone = percent < 0 ? '' : host.slice(percent + 1);
  if (percent >= 0 && !ZONE.test(zone)) return undefined;
  const bytes = parseIp(percent < 0 ? host : host.slice(0, percent));
  if (bytes === undefined) return undefined;
  const linkLocal = bytes.length === 16 && bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
  if (percent >= 0 && !linkLocal) return undefined;
  return build(bytes, port, zone);
}

/** The address of 4 or 16 bytes in network order, or `undefined` for another length or a port outside 1–65535. */
export function socketAddressOfBytes(bytes: Uint8Array, port: number): SocketAddress | undefined {
  if ((bytes.length !== 4 && bytes.length !== 16) || !Number.isInteger(port) || port < 1 || port > 0xffff) {
    return undefined;
  }
  return build(unmapped(bytes), port, '');
}

/** Reads `192.0.2.1:80` or `[2001:db8::1]:80`: any form of the address, so `parse(a.key)` gives `a` and others become canonical. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const match = /^(?:\[([^\]]{2,72})\]|([0-9.]{7,15})):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, port] = match;
  if (bracketed !== undefined && !bracketed.includes(':')) return undefined;
  return socketAddress(bracketed ?? plain ?? '', Number(port));
}

/** The 4 or 16 bytes of an address in network order, in a new array; a zone is left out. */
export function addressBytes(address: SocketAddress): Uint8Array {
  return parseIp(address.host.split('%')[0]!) ?? new Uint8Array(4);
}

/** Writes family (4 or 6), the address and the port. */
export function writeSocketAddress(writer: Writer, address: SocketAddress): void {
  writer.uint8(address.family).bytes(addressBytes(address)).uint16(address.port);
}

/**
 * Reads what {@link writeSocketAddress} wrote. Anything else, an IPv4-mapped address included (it would have two
 * encodings), fails the reader and gives `undefined`.
 */
export function readSocketAddress(reader: Reader): SocketAddress | undefined {
  const family = reader.uint8();
  if (family !== 4 && family !== 6) reader.fail();
  const bytes = reader.bytes(family === 4 ? 4 : 16);
  const port = reader.uint16();
  if (reader.failed) return undefined;
  const address = socketAddressOfBytes(bytes, port);
  if (address?.family !== family) {
    reader.fail();
    return undefined;
  }
  return address;
}

/** What kind of address this is. */
export function addressScope(address: SocketAddress): AddressScope {
  const bytes = addressBytes(address);
  return address.family === 4 ? scope4(bytes) : scope6(bytes);
}

/** Whether two addresses of one family share their first `bits` bits (0–32 or 0–128); zones and ports do not count. */
export function samePrefix(a: SocketAddress, b: SocketAddress, bits: number): boolean {
  if (a.family !== b.family) return false;
  const left = addressBytes(a);
  const right = addressBytes(b);
  if (!Number.isInteger(bits) || bits < 0 || bits > left.length * 8) return false;
  for (let i = 0; i < left.length; i++) {
    const shared = Math.min(8, Math.max(0, bits - 8 * i));
    if ((left[i]! ^ right[i]!) >> (8 - shared) !== 0) return false;
  }
  return true;
}

function build(bytes: Uint8Array, port: number, zone: string): SocketAddress {
  if (bytes.length === 4) {
    const host = bytes.join('.');
    return { family: 4, host, port, key: `${host}:${port}` };
  }
  const host = formatIp6(bytes) + (zone === '' ? '' : `%${zone}`);
  return { family: 6, host, port, key: `[${host}]:${port}` };
}

function parseIp(host: string): Uint8Array | undefined {
  return host.includes(':') ? parseIp6(host) : parseIp4(host);
}

function parseIp4(host: string): Uint8Array | undefined {
  const parts = host.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    // A leading zero means octal to some readers and decimal to others: nobody may choose.
    if (!/^(0|[1-9][0-9]{0,2})$/.test(parts[i]!)) return undefined;
    const value = Number(parts[i]);
    if (value > 255) return undefined;
    bytes[i] = value;
  }
  return bytes;
}

function parseIp6(host: string): Uint8Array | undefined {
  const halves = host.split('::');
  if (halves.length > 2) return undefined;
  const head = groups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return unmapped(bytes);
}

/** The bytes of groups between colons; the last one may be an IPv4 address where it ends the text. */
function groups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const parts = text.split(':');
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (endsAddress && i === parts.length - 1 && part.includes('.')) {
      const tail = parseIp4(part);
      if (tail === undefined) return undefined;
      bytes.push(...tail);
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
    const value = Number.parseInt(part, 16);
    bytes.push(value >> 8, value & 0xff);
  }
  return bytes.length > 16 ? undefined : bytes;
}

/** The four bytes inside an IPv4-mapped address (RFC 4291, section 2.5.5.2), else the bytes as they are. */
function unmapped(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 16) return bytes;
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return bytes;
  return bytes[10] === 0xff && bytes[11] === 0xff ? new Uint8Array(bytes.subarray(12)) : bytes;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
function formatIp6(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let start = -1;
  let longest = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && words[end] === 0) end++;
    if (end - i > longest) {
      start = i;
      longest = end - i;
    }
    i = Math.max(i, end - 1);
  }
  const hex = (part: number[]): string => part.map(word => word.toString(16)).join(':');
  return start < 0 ? hex(words) : `${hex(words.slice(0, start))}::${hex(words.slice(start + longest))}`;
}

function scope4(bytes: Uint8Array): AddressScope {
  const [a, b, c, d] = [bytes[0]!, bytes[1]!, bytes[2]!, bytes[3]!];
  if (a === 0) return b === 0 && c === 0 && d === 0 ? 'unspecified' : 'reserved';
  if (a === 127) return 'loopback';
  if (a === 10 || (a === 172 && (b & 0xf0) === 16) || (a === 192 && b === 168)) return 'private';
  if ((a === 169 && b === 254) || (a === 100 && (b & 0xc0) === 64)) return 'private';
  if (a === 192 && b === 0 && c === 2) return 'documentation';
  if ((a === 198 && b === 51 && c === 100) || (a === 203 && b === 0 && c === 113)) return 'documentation';
  if ((a === 198 && (b & 0xfe) === 18) || (a === 192 && b === 0 && c === 0)) return 'reserved';
  if (a >= 224 && a < 240) return 'multicast';
  if (a >= 240) return a === 255 && b === 255 && c === 255 && d === 255 ? 'broadcast' : 'reserved';
  return 'global';
}

function scope6(bytes: Uint8Array): AddressScope {
  const zeros = bytes.findIndex(byte => byte !== 0);
  if (zeros < 0) return 'unspecified';
  if (zeros === 15 && bytes[15] === 1) return 'loopback';
  const first = (bytes[0]! << 8) | bytes[1]!;
  const second = (bytes[2]! << 8) | bytes[3]!;
  if ((first & 0xff00) === 0xff00) return 'multicast';
  if ((first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80) return 'private';
  if ((first === 0x2001 && second === 0x0db8) || (first === 0x3fff && second < 0x1000))
    return 'documentation';
  // 64:ff9b::/96 reaches the IPv4 Internet through NAT64 (RFC 6052) and is as global as 2000::/3.
  if (first === 0x0064 && second === 0xff9b && bytes.subarray(4, 12).every(byte => byte === 0)) {
    return scope4(bytes.subarray(12));
  }
  return (first & 0xe000) === 0x2000 ? 'global' : 'reserved';
}
