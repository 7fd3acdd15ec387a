/**
 * Variable-length integers after RFC 9000, section 16: the two top bits of the first byte tell the length (1, 2, 4 or
 * 8 bytes), the rest is the value, big-endian. Unlike QUIC we accept the shortest form only, so that every value has
 * one encoding, and we stop at 2^53 − 1, the largest integer a JavaScript number holds exactly.
 */
export const MAX_VARINT: number = Number.MAX_SAFE_INTEGER;

/** Bytes that the longest takes. */
export const MAX_VARINT_LENGTH = 8;

/** Bytes that `value` takes: 1, 2, 4 or 8. */
export function varintLength(value: number): 1 | 2 | 4 | 8 {
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x4000_0000 ? 4 : 8;
}

/** Writes `value` (an integer, 0 to {@link MAX_VARINT}) at `offset`; returns the offset behind it. */
export function writeVarint(into: Uint8Array, offset: number, value: number): number {
  const length = varintLength(value);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    into[offset + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  into[offset] = into[offset]! | (Math.log2(length) << 6);
  return offset + length;
}

/** Reads one integer at `offset`. Returns −1 when it is cut off, not in its shortest form, or above {@link MAX_VARINT}. */
export function readVarint(from: Uint8Array, offset: number): number {
  const first = from[offset];
  if (first === undefined) return -1;
  const length = 1 << (first >> 6);
  if (length === 1) return first;
  if (offset + length > from.length) return -1;
  let value = first & 0x3f;
  for (let i = 1; i < length; i++) value = value * 256 + from[offset + i]!;
  return value <= MAX_VARINT && varintLength(value) === length ? value : -1;
}
