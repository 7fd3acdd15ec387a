import { toHex } from '../base/index.js';

/**
 * The points of small order on Curve25519 and its twist, little-endian, each with its encodings above the prime
 * (RFC 7748, section 6.1): 0, 1, the two of order 8, p − 1, p, p + 1. A Diffie-Hellman with any of them gives zero.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** Whether an X25519 public key (32 bytes) is one that nobody can have: every Diffie-Hellman with it gives zero. */
export function isSmallOrder(publicKey: Uint8Array): boolean {
  const point = publicKey.slice();
  // X25519 does not look at the highest bit (RFC 7748, section 5).
  point[31] = point[31]! & 0x7f;
  return SMALL_ORDER.has(toHex(point));
}
