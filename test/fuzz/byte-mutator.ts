import type { SeededRandom } from '@coconet/cluster-protocol/testing';
import { MAX_VARINT, varintLength, readVarint, writeVarint } from '@coconet/cluster-protocol/wire';

/** Numbers at the edges of what fields hold: of bytes, words, varints, windows and floating point. */
const EDGES: readonly number[] = [
  0,
  1,
  2,
  31,
  32,
  63,
  64,
  127,
  128,
  255,
  256,
  1023,
  1024,
  8191,
  8192,
  16_383,
  16_384,
  65_535,
  65_536,
  2 ** 24 - 1,
  2 ** 24,
  2 ** 30 - 1,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 48 - 1,
  2 ** 53 - 2,
  MAX_VARINT,
];

/** One of the numbers at which things go wrong, or one beside it. */
export function edge(random: SeededRandom): number {
  const number = EDGES[random.below(EDGES.length)]! + (random.below(4) === 0 ? random.below(3) - 1 : 0);
  return Math.min(MAX_VARINT, Math.max(0, number));
}

/** One of some things. */
export const pick = <T>(random: SeededRandom, things: readonly T[]): T =>
  things[random.below(things.length)]!;

/** Random bytes. */
export function noise(random: SeededRandom, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

type Change = (random: SeededRandom, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

/** `bytes` with the part from `start` to `end` replaced. */
export function splice(bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array {
  const spliced = new Uint8Array(start + by.length + bytes.length - end);
  spliced.set(bytes.subarray(0, start));
  spliced.set(by, start);
  spliced.set(bytes.subarray(end), start + by.length);
  return spliced;
}

/** A place in the bytes, and a length of what begins there: mostly short. */
function part(random: SeededRandom, bytes: Uint8Array): readonly [start: number, end: number] {
  const start = random.below(bytes.length + 1);
  const most = random.below(4) === 0 ? bytes.length : 8;
  return [start, Math.min(bytes.length, start + 1 + random.below(most + 1))];
}

const CHANGES: readonly Change[] = [
  function flipBit(random, bytes) {
    const changed = bytes.slice();
    const at = random.below(changed.length);
    changed[at]! ^= 1 << random.below(8);
    return changed;
  },
  function setByte(random, bytes) {
    const changed = bytes.slice();
    changed[random.below(changed.length)] = random.below(2) === 0 ? edge(random) : random.below(256);
    return changed;
  },
  function addToByte(random, bytes) {
    const changed = bytes.slice();
    changed[random.below(changed.length)]! += random.below(2) === 0 ? 1 : 255;
    return changed;
  },
  function setInteger(random, bytes) {
    const width = pick(random, [2, 3, 4, 6, 8]);
    if (bytes.length < width) return bytes;
    const changed = bytes.slice();
    let value = edge(random);
    const at = random.below(changed.length - width + 1);
    for (let i = width - 1; i >= 0; i--, value = Math.floor(value / 256)) changed[at + i] = value % 256;
    return changed;
  },
  function setVarint(random, bytes) {
    const at = random.below(bytes.length);
    const old = readVarint(bytes, at);
    const length = old < 0 ? 1 : varintLength(old);
    const wanted = random.below(2) === 0 ? edge(random) : Math.max(0, old + random.below(5) - 2);
    const value = Math.min(MAX_VARINT, wanted);
    const encoded = new Uint8Array(varintLength(value));
    writeVarint(encoded, 0, value);
    return splice(bytes, at, at + length, encoded);
  },
  function truncate(random, bytes) {
    return bytes.slice(0, random.below(bytes.length));
  },
  function extend(random, bytes) {
    return splice(bytes, bytes.length, bytes.length, noise(random, 1 + random.below(32)));
  },
  function remove(random, bytes) {
    return splice(bytes, ...part(random, bytes), new Uint8Array(0));
  },
  function insert(random, bytes) {
    const at = random.below(bytes.length + 1);
    return splice(bytes, at, at, noise(random, 1 + random.below(8)));
  },
  function repeat(random, bytes) {
    const [start, end] = part(random, bytes);
    const at = random.below(bytes.length + 1);
    return splice(bytes, at, at, bytes.subarray(start, end));
  },
  function overwrite(random, bytes) {
    const [start, end] = part(random, bytes);
    return splice(bytes, start, end, new Uint8Array(end - start).fill(pick(random, [0, 0xff, 0x80, 0x41])));
  },
  function cross(random, bytes, other) {
    return splice(
      bytes,
      random.below(bytes.length),
      bytes.length,
      other.subarray(random.below(other.length + 1)),
    );
  },
  function borrow(random, bytes, other) {
    const [start, end] = part(random, bytes);
    return splice(bytes, start, end, other.subarray(...part(random, other)));
  },
];

/** `bytes` with a few changes; `other` may lend a part of it. At most `limit` bytes. */
export function mutate(
  random: SeededRandom,
  bytes: Uint8Array,
  other: Uint8Array,
  limit: number,
): Uint8Array {
  let changed = bytes;
  for (let left = 1 + random.below(random.below(3) === 0 ? 8 : 2); left > 0; left--)
    changed =
      changed.length === 0
        ? noise(random, 1 + random.below(16))
        : pick(random, CHANGES)(random, changed, other);
  return changed.length > limit ? changed.slice(0, limit) : changed;
}

/** Shorter and plainer bytes, the shortest first. */
export function* simplerBytes(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let length = bytes.length >> 1; length >= 1; length >>= 1)
    for (let at = 0; at < bytes.length; at += length)
      yield splice(bytes, at, Math.min(bytes.length, at + length), new Uint8Array(0));
  for (let at = 0; at < bytes.length; at++)
    if (bytes[at] !== 0) yield splice(bytes, at, at + 1, Uint8Array.of(0));
}
