import { assert } from '../base/index.js';
import type { HashFunction } from './provider.js';

const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** HMAC (RFC 2104) over all parts one after the other. */
export function hmac(hash: HashFunction, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const shortKey = key.length > hash.blockLength ? hash.digest(key) : key;
  const pad = new Uint8Array(hash.blockLength).fill(INNER_PAD);
  for (let i = 0; i < shortKey.length; i++) pad[i] = shortKey[i]! ^ INNER_PAD;
  const inner = hash.digest(pad, ...parts);
  for (let i = 0; i < pad.length; i++) pad[i]! ^= INNER_PAD ^ OUTER_PAD;
  const mac = hash.digest(pad, inner);
  pad.fill(0);
  inner.fill(0);
  return mac;
}

/**
 * HKDF of the Noise paper (revision 34, section 4.3): `count` outputs (1–3) of `hashLength` bytes each. It is RFC 5869
 * with `chainingKey` as salt and an empty info. The caller overwrites the outputs when they are no longer needed.
 */
export function hkdf(
  hash: HashFunction,
  chainingKey: Uint8Array,
  inputKeyMaterial: Uint8Array,
  count: number,
): Uint8Array[] {
  assert(count >= 1 && count <= 3, 'HKDF of Noise gives one to three outputs');
  const temporaryKey = hmac(hash, chainingKey, inputKeyMaterial);
  const outputs: Uint8Array[] = [];
  let previous: Uint8Array = new Uint8Array(0);
  for (let number = 1; number <= count; number++) {
    previous = hmac(hash, temporaryKey, previous, Uint8Array.of(number));
    outputs.push(previous);
  }
  temporaryKey.fill(0);
  return outputs;
}
