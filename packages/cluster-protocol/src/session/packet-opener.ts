import { assert, type DropReason } from '../base/index.js';
import { MAX_FORGERIES_PER_KEY } from '../crypto/index.js';
import type { AeadKey } from '../crypto/provider.js';
import {
  DATA_HEADER,
  MAX_RECEIVED_DATAGRAM,
  dataKeyPhase,
  dataPacketNumber,
  dataReceiverIndex,
  isDataPacket,
} from '../wire/index.js';
import { expandPacketNumber } from './packet-number.js';
import { ReplayWindow } from './replay-window.js';

const NONCE_SPAN = 2 ** 32;

/**
 * Turns received packets into frames: header, packet number, replay window, tag, in this order. The key phase of a packet
 * chooses its key, so that no packet costs more than one try.
 */
export class PacketOpener {
  readonly #index: number;
  readonly #maxForgeries: number;
  readonly #seen = new ReplayWindow();
  /** By key phase: the key in use, and one that comes or goes. */
  readonly #keys: [AeadKey | undefined, AeadKey | undefined];
  #phase = 0;
  /** Whether the other key is the next one; if not, it is the one before. */
  #coming = false;
  /** The lowest number that was opened under the key in use: all under the key before lie below. */
  #first = 0;
  #forged = 0;

  /** Number of the packet that was opened last. */
  number = -1;
  /** Where its frames end in the packet; they begin behind the header. */
  end = 0;
  /** Packets whose tag was checked since the key in use came. */
  tried = 0;

  constructor(key: AeadKey, index: number, maxForgeries: number = MAX_FORGERIES_PER_KEY) {
    this.#keys = [key, undefined];
    this.#index = index;
    this.#maxForgeries = maxForgeries;
  }

  /** Phase of the newest key under which a packet was opened. */
  get phase(): number {
    return this.#phase;
  }

  /** Whether so many forgeries were refused that the keys must not be used any more. */
  get exhausted(): boolean {
    return this.#forged >= this.#maxForgeries;
  }

  /** Takes the key of the other phase, which becomes the one in use with the first packet that it opens. Owned from now on. */
  install(key: AeadKey): void {
    const phase = this.#phase ^ 1;
    assert(this.#keys[phase] === undefined, 'a key comes after the one of its phase is gone');
    this.#keys[phase] = key;
    this.#coming = true;
  }

  /** Overwrites the key before the one in use. */
  retire(): void {
    const phase = this.#phase ^ 1;
    this.#keys[phase]?.destroy();
    this.#keys[phase] = undefined;
  }

  /** Overwrites all keys; nothing can be opened afterwards. */
  destroy(): void {
    for (const key of this.#keys) key?.destroy();
    this.#keys.fill(undefined);
  }

  /**
   * Decrypts a packet in place. Gives why it was dropped, or `undefined` when it is authentic and new: then the window has
   * moved, and {@link PacketOpener.number} and {@link PacketOpener.end} tell the rest.
   */
  open(packet: Uint8Array): DropReason | undefined {
    if (packet.length > MAX_RECEIVED_DATAGRAM) return 'tooLong';
    if (!isDataPacket(packet)) return 'malformed';
    if (dataReceiverIndex(packet) !== this.#index) return 'unknownIndex';
    const phase = dataKeyPhase(packet);
    const key = this.#keys[phase];
    // Without a key of that phase no packet of it can pass: it is not worth a tag.
    if (key === undefined) return 'badTag';
    const number = expandPacketNumber(dataPacketNumber(packet), this.#seen.highest + 1);
    const verdict = this.#seen.verdict(number);
    if (verdict !== 'fresh') return verdict;
    const other = phase !== this.#phase;
    // Nobody goes back to keys that he has left: only who stole them could seal this.
    if (other && !this.#coming && number > this.#first) return 'badTag';
    this.tried++;
    const high = Math.floor(number / NONCE_SPAN);
    const length = key.openInPlace(high, number >>> 0, packet, DATA_HEADER, packet.length);
    if (length < 0) {
      this.#forged++;
      return 'badTag';
    }
    if (other && this.#coming) this.#change(number);
    else if (!other && number < this.#first) this.#first = number;
    this.#seen.mark(number);
    this.number = number;
    this.end = DATA_HEADER + length;
    return undefined;
  }
  /** The first packet under the next key was opened. */
  #change(number: number): void {
    this.#phase ^= 1;
    this.#coming = false;
    this.#first = number;
    this.#forged = 0;
    this.tried = 1;
  }
}
