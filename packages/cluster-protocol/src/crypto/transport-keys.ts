import type { AeadKey } from './provider.js';

/** The two keys of an established session, each for one direction. */
export interface TransportKeys {
  readonly sendKey: AeadKey;
  readonly receiveKey: AeadKey;
}

/**
 * Packets that may be sealed under one key, 2^48. ChaCha20-Poly1305 has no confidentiality limit below the number of
 * nonces (RFC 9001, section 6.6); this one only keeps a packet number an exact integer of every language.
 */
export const MAX_PACKETS_PER_KEY: number = 2 ** 48;

/**
 * Packets whose tag may fail under one key, 2^36: the integrity limit of ChaCha20-Poly1305 (RFC 9001, section 6.6).
 * Past it the key must not be used any more.
 */
export const MAX_FORGERIES_PER_KEY: number = 2 ** 36;

/** Overwrites both keys. */
export function destroyTransportKeys(keys: TransportKeys): void {
  keys.sendKey.destroy();
  keys.receiveKey.destroy();
}
