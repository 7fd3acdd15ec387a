import { fromBase64Url, toBase64Url } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';

/** Bytes of a network id. */
export const NETWORK_ID_LENGTH = 16;

/** The id that a network's root key gives it: the first 16 bytes of BLAKE2b-256 of the Ed25519 public key. */
export function networkIdOf(crypto: CryptoProvider, rootPublicKey: Uint8Array): Uint8Array {
  return crypto.blake2b(32, rootPublicKey).slice(0, NETWORK_ID_LENGTH);
}

/** A network id as people see it: 22 letters of base64url. */
export const formatNetworkId = (network: Uint8Array): string => toBase64Url(network);

/** The network id that a text stands for, or `undefined` when it is none. */
export function parseNetworkId(text: string): Uint8Array | undefined {
  const bytes = fromBase64Url(text);
  return bytes?.length === NETWORK_ID_LENGTH ? bytes : undefined;
}
