import type { AeadKey } from '@coconet/cluster-protocol/core';
import { AuthenticatingProvider } from '@coconet/cluster-protocol/testing';

/** Keys that are remembered: those of a few sessions and their rekeys. */
const MOST_KEYS = 128;

/** A cheap provider that remembers which AEAD keys were made, so that somebody may play a peer who has them. */
export class KeyLog extends AuthenticatingProvider {
  readonly #keys: AeadKey[] = [];

  override aeadKey(key: Uint8Array): AeadKey {
    // One of its own: the one that is handed out will be destroyed.
    if (this.#keys.length >= MOST_KEYS) this.#keys.shift();
    this.#keys.push(super.aeadKey(key));
    return super.aeadKey(key);
  }

  /** The key that a packet was sealed with, the newest first. */
  keyOf(packet: Uint8Array, header: number, number: number): AeadKey | undefined {
    for (let i = this.#keys.length - 1; i >= 0; i--) {
      const key = this.#keys[i]!;
      if (key.openInPlace(0, number, packet.slice(), header, packet.length) >= 0) return key;
    }
    return undefined;
  }
}
