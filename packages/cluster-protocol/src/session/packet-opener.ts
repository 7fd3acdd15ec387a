import type { DropReason } from '../base/index.js';
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

/** Turns received packets into frames: header, packet number, replay window, tag, in this order. */
export class PacketOpener {
  readonly #key: AeadKey;
  readonly #index: number;
  readonly #seen = new ReplayWindow();

  /** Number of the packet that was opened last. */
  number = -1;
  /** Where its frames end in the packet; they begin behind the header. */
  end = 0;

  constructor(key: AeadKey, index: number) {
    this.#key = key;
    this.#index = index;
  }

  /**
   * Decrypts a packet in place. Gives why it was dropped, or `undefined` when it is authentic and new: then the window has
   * moved, and {@link PacketOpener.number} and {@link PacketOpener.end} tell the rest.
   */
  open(packet: Uint8Array): DropReason | undefined {
    if (packet.length > MAX_RECEIVED_DATAGRAM) return 'tooLong';
    if (!isDataPacket(packet)) return 'malformed';
    if (dataReceiverIndex(packet) !== this.#index) return 'unknownIndex';
    // There is one key only, and no packet of another phase can pass: it is not worth a tag.
    if (dataKeyPhase(packet) !== 0) return 'badTag';
    const number = expandPacketNumber(dataPacketNumber(packet), this.#seen.highest + 1);
    const verdict = this.#seen.verdict(number);
    if (verdict !== 'fresh') return verdict;
    const high = Math.floor(number / NONCE_SPAN);
    const length = this.#key.openInPlace(high, number >>> 0, packet, DATA_HEADER, packet.length);
    if (length < 0) return 'badTag';
    this.#seen.mark(number);
    this.number = number;
    this.end = DATA_HEADER + length;
    return undefined;
  }
}
