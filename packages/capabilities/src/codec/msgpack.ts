import { Packr } from 'msgpackr/pack';
import { CapabilityError } from '../errors.js';
import { MAX_CONTAINERS, MAX_ELEMENTS, MAX_MAPS, MAX_MESSAGE_BYTES } from '../model/limits.js';
import { decoded, refused } from '../result.js';
import type { Decoded } from '../result.js';
import { utf8Length } from '../text.js';
import { scan } from './scan.js';

/** A value as the wire has it: what MessagePack can say without extensions. Integers beyond 32 bits are `bigint`. */
export type WireValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly WireValue[]
  | ReadonlyMap<string, WireValue>;

/** What we use of the library. */
interface Codec {
  pack(value: WireValue): Uint8Array;
  unpack(bytes: Uint8Array): unknown;
}

// This entry is the library without its native addon. Its declarations refer to a file that does not resolve, so the
// compiler takes the class as untyped.
// eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- typed here, once
const Library: new (options: object) => Codec = Packr;

// Positional arrays and Maps only: no records, no objects whose keys a peer could choose, no memory shared with input.
const OPTIONS = { useRecords: false, mapsAsObjects: false, copyBuffers: true } as const;

// `useFloat32: 1` writes every fraction in four bytes; used when that loses nothing in the whole message.
const short = new Library({ ...OPTIONS, useFloat32: 1 });
const long = new Library({ ...OPTIONS });

const isMap = (value: WireValue): value is ReadonlyMap<string, WireValue> => value instanceof Map;
const isList = (value: WireValue): value is readonly WireValue[] => Array.isArray(value);

/** What there is to know of a value before it is packed. */
interface Measured {
  /** An upper bound, exact but for fractions, which may take four bytes less. */
  bytes: number;
  elements: number;
  containers: number;
  maps: number;
  /** Every fraction is exact in binary32. */
  fitsFloat32: boolean;
}

const headerBytes = (length: number, inToken: number): number =>
  length <= inToken ? 1 : length <= 0xffff ? 3 : 5;

const textBytes = (length: number): number =>
  (length <= 31 ? 1 : length <= 0xff ? 2 : length <= 0xffff ? 3 : 5) + length;

function numberBytes(value: number): number {
  if (!Number.isInteger(value) || value > 0xffff_ffff || value < -0x8000_0000) return 9;
  if (value >= 0) return value <= 0x7f ? 1 : value <= 0xff ? 2 : value <= 0xffff ? 3 : 5;
  return value >= -0x20 ? 1 : value >= -0x80 ? 2 : value >= -0x8000 ? 3 : 5;
}

function measureInto(total: Measured, value: WireValue): void {
  if (value === null || typeof value === 'boolean') total.bytes += 1;
  else if (typeof value === 'number') {
    total.bytes += numberBytes(value);
    if (Math.fround(value) !== value && !Number.isInteger(value)) total.fitsFloat32 = false;
  } else if (typeof value === 'bigint') total.bytes += 9;
  else if (typeof value === 'string') total.bytes += textBytes(utf8Length(value));
  else if (value instanceof Uint8Array)
    total.bytes += (value.length <= 0xff ? 2 : value.length <= 0xffff ? 3 : 5) + value.length;
  else if (isMap(value)) {
    total.bytes += headerBytes(value.size, 15);
    total.elements += 2 * value.size;
    total.containers += 1;
    total.maps += 1;
    for (const [key, item] of value) {
      measureInto(total, key);
      measureInto(total, item);
    }
  } else if (isList(value)) {
    total.bytes += headerBytes(value.length, 15);
    total.elements += value.length;
    total.containers += 1;
    for (const item of value) measureInto(total, item);
  }
}

function measure(value: WireValue): Measured {
  const total: Measured = { bytes: 0, elements: 0, containers: 0, maps: 0, fitsFloat32: true };
  measureInto(total, value);
  return total;
}

/** How much of each bound of a message a value uses up; `bytes` is an upper bound. */
export interface Weight {
  readonly bytes: number;
  readonly elements: number;
  readonly containers: number;
  readonly maps: number;
}

/** What a value costs on the wire, without packing it. */
export const weigh = (value: WireValue): Weight => measure(value);

/**
 * The MessagePack form, in bytes of its own.
 *
 * @throws {CapabilityError} `MESSAGE_TOO_LARGE` when no receiver would take it.
 */
export function pack(value: WireValue): Uint8Array {
  const { bytes, elements, containers, maps, fitsFloat32 } = measure(value);
  if (elements > MAX_ELEMENTS || containers > MAX_CONTAINERS || maps > MAX_MAPS) throw tooLarge(bytes);
  const packed = (fitsFloat32 ? short : long).pack(value);
  if (packed.length > MAX_MESSAGE_BYTES) throw tooLarge(packed.length);
  // The library hands out a window of a buffer that it goes on writing to.
  return new Uint8Array(packed);
}

const tooLarge = (bytes: number): CapabilityError =>
  new CapabilityError(
    'MESSAGE_TOO_LARGE',
    `a message of ${String(bytes)} bytes exceeds what a peer takes (${String(MAX_MESSAGE_BYTES)} bytes, ` +
      `${String(MAX_ELEMENTS)} elements, ${String(MAX_CONTAINERS)} lists and maps); split it`,
  );

function countEntries(value: WireValue): number {
  if (isMap(value)) {
    let entries = value.size;
    for (const item of value.values()) entries += countEntries(item);
    return entries;
  }
  if (!isList(value)) return 0;
  let entries = 0;
  for (const item of value) entries += countEntries(item);
  return entries;
}

/** The value of MessagePack bytes from anybody; never throws, and builds nothing before all bounds are known to hold. */
export function unpack(bytes: Uint8Array): Decoded<WireValue> {
  const scanned = scan(bytes);
  if (!scanned.ok) return scanned;
  let value: WireValue;
  try {
    // A view of our own: the library marks its argument, and returns a Buffer's views as Buffers.
    value = long.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as WireValue;
  } catch {
    return refused('not decodable');
  }
  // In a Map the last of two equal keys wins, elsewhere the first one does; two readers must never differ.
  if (scanned.value.mapEntries > 0 && countEntries(value) !== scanned.value.mapEntries)
    return refused('a map key is there twice');
  return decoded(value);
}

/** An integer in the shortest form that every reader understands. */
export const wireInteger = (value: number | bigint): number | bigint => {
  if (value >= -0x8000_0000 && value <= 0xffff_ffff) return Number(value);
  return BigInt(value);
};

/** A whole number that JavaScript's `number` holds exactly, from any integer format; else `undefined`. */
export function asInteger(wire: WireValue | undefined): number | undefined {
  const value = typeof wire === 'bigint' ? Number(wire) : wire;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}
