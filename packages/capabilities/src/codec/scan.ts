import { MAX_CONTAINERS, MAX_DEPTH, MAX_ELEMENTS, MAX_MAPS, MAX_MESSAGE_BYTES } from '../model/limits.js';
import { decoded, refused } from '../result.js';
import type { Decoded, Refused } from '../result.js';
import { isUtf8 } from './utf8.js';

/** What a look over the bytes has found out. */
export interface Scanned {
  /** Entries of all maps together, equal keys counted each time. */
  readonly mapEntries: number;
}

type Family = 'leaf' | 'text' | 'bytes' | 'array' | 'map' | 'float32' | 'float64' | 'refused';

interface Token {
  readonly family: Family;
  /** Bytes of a fixed-size value, or of the length that follows the token. */
  readonly width: number;
  /** The length itself, where the token holds it. */
  readonly length?: number;
}

// The formats of MessagePack by their first byte. Extension types and 0xc1 are refused whatever is in them.
function tokenOf(byte: number): Token {
  if (byte <= 0x7f || byte >= 0xe0) return { family: 'leaf', width: 0 };
  if (byte <= 0x8f) return { family: 'map', width: 0, length: byte & 0x0f };
  if (byte <= 0x9f) return { family: 'array', width: 0, length: byte & 0x0f };
  if (byte <= 0xbf) return { family: 'text', width: 0, length: byte & 0x1f };
  switch (byte) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return { family: 'leaf', width: 0 };
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return { family: 'bytes', width: 1 << (byte - 0xc4) };
    case 0xca:
      return { family: 'float32', width: 4 };
    case 0xcb:
      return { family: 'float64', width: 8 };
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return { family: 'leaf', width: 1 << (byte - 0xcc) };
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return { family: 'leaf', width: 1 << (byte - 0xd0) };
    case 0xd9:
    case 0xda:
    case 0xdb:
      return { family: 'text', width: 1 << (byte - 0xd9) };
    case 0xdc:
    case 0xdd:
      return { family: 'array', width: 2 << (byte - 0xdc) };
    case 0xde:
    case 0xdf:
      return { family: 'map', width: 2 << (byte - 0xde) };
    default:
      return { family: 'refused', width: 0 };
  }
}

const TOKENS: readonly Token[] = Array.from({ length: 256 }, (_, byte) => tokenOf(byte));

function readUnsigned(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

// All exponent bits set: infinity or not a number.
const isFinite32 = (bytes: Uint8Array, at: number): boolean =>
  (bytes[at]! & 0x7f) !== 0x7f || (bytes[at + 1]! & 0x80) !== 0x80;
const isFinite64 = (bytes: Uint8Array, at: number): boolean =>
  (bytes[at]! & 0x7f) !== 0x7f || (bytes[at + 1]! & 0xf0) !== 0xf0;

/** One pass over a message without building anything; see {@link scan}. */
class Scan {
  readonly #bytes: Uint8Array;
  /** For each open array or map, how many values are still to come; in a map keys count too. */
  readonly #pending: number[] = [];
  readonly #inMap: boolean[] = [];
  #at = 0;
  #elements = 0;
  #containers = 0;
  #maps = 0;
  #mapEntries = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  run(): Decoded<Scanned> {
    do {
      const problem = this.#value();
      if (problem !== undefined) return problem;
      while (this.#pending.at(-1) === 0) {
        this.#pending.pop();
        this.#inMap.pop();
      }
    } while (this.#pending.length > 0);
    return this.#at === this.#bytes.length
      ? decoded({ mapEntries: this.#mapEntries })
      : refused('bytes after the end');
  }

  #value(): Refused | undefined {
    if (this.#at >= this.#bytes.length) return refused('truncated');
    const token = TOKENS[this.#bytes[this.#at]!]!;
    this.#at += 1;
    const open = this.#pending.length - 1;
    if (open >= 0) {
      // Of the values left in a map an even number means that a key comes next.
      if (this.#inMap[open]! && this.#pending[open]! % 2 === 0 && token.family !== 'text')
        return refused('a map key is not a string');
      this.#pending[open]! -= 1;
    }
    if (token.family === 'refused') return refused('extension or unused type');
    if (this.#left() < token.width) return refused('truncated');
    const body = this.#at + token.width;
    if (token.family === 'float32' && !isFinite32(this.#bytes, this.#at))
      return refused('a number is not finite');
    if (token.family === 'float64' && !isFinite64(this.#bytes, this.#at))
      return refused('a number is not finite');
    const length = token.length ?? readUnsigned(this.#bytes, this.#at, token.width);
    this.#at = body;
    if (token.family === 'array' || token.family === 'map') return this.#open(token.family, length);
    if (token.family !== 'text' && token.family !== 'bytes') return undefined;
    if (length > this.#left()) return refused('a length exceeds the bytes left');
    if (token.family === 'text' && !isUtf8(this.#bytes, body, body + length))
      return refused('malformed UTF-8');
    this.#at += length;
    return undefined;
  }

  #left(): number {
    return this.#bytes.length - this.#at;
  }

  #open(family: 'array' | 'map', length: number): Refused | undefined {
    const values = family === 'map' ? 2 * length : length;
    // Every value takes at least one byte, so a larger claim is a lie; it is never believed with memory.
    if (values > this.#left()) return refused('a length exceeds the bytes left');
    this.#elements += values;
    this.#containers += 1;
    if (this.#elements > MAX_ELEMENTS || this.#containers > MAX_CONTAINERS)
      return refused('too many elements');
    if (family === 'map') {
      this.#maps += 1;
      this.#mapEntries += length;
      if (this.#maps > MAX_MAPS) return refused('too many maps');
    }
    if (this.#pending.length >= MAX_DEPTH) return refused('nested too deeply');
    this.#pending.push(values);
    this.#inMap.push(family === 'map');
    return undefined;
  }
}

/**
 * Looks over bytes before anything is built from them: one MessagePack value, complete, nothing after it, no extension
 * type, no infinity, well-formed text, map keys that are strings, and all bounds of `limits.ts` kept.
 */
export function scan(bytes: Uint8Array): Decoded<Scanned> {
  if (bytes.length > MAX_MESSAGE_BYTES) return refused('longer than a message may be');
  return new Scan(bytes).run();
}
