import type { AeadKey } from '../../src/crypto/provider.js';
import { dataPacketNumber } from '../../src/wire/index.js';
import { WatchingProvider } from '../threats/watching-provider.js';

/** A crypto provider that knows which AEAD keys are held at the moment: those that were made and not destroyed. */
export class KeyRing extends WatchingProvider {
  readonly #held = new Map<AeadKey, Uint8Array>();

  /** Keys that are held; what is held twice counts twice. */
  get size(): number {
    return this.#held.size;
  }

  /** Whether any key that is held opens a packet with a number below 2^32. */
  opens(packet: Uint8Array, header: number): boolean {
    return [...this.#held.values()].some(bytes => {
      const copy = packet.slice();
      const key = this.inner.aeadKey(bytes);
      const length = key.openInPlace(0, dataPacketNumber(packet), copy, header, copy.length);
      key.destroy();
      return length >= 0;
    });
  }

  override aeadKey(bytes: Uint8Array): AeadKey {
    const key = super.aeadKey(bytes);
    const held: AeadKey = {
      sealInPlace: (...all) => key.sealInPlace(...all),
      openInPlace: (...all) => key.openInPlace(...all),
      destroy: () => {
        this.#held.delete(held);
        key.destroy();
      },
    };
    this.#held.set(held, bytes.slice());
    return held;
  }
}
