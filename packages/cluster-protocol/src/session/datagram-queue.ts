import { FrameType, datagramLength, writeDatagram } from '../wire/index.js';
import type { PacketContents } from './packet-contents.js';

/** Datagrams that wait for the window: what waits longer is too old to be worth sending. */
export const MAX_QUEUED_DATAGRAMS = 64;

/** Unreliable datagrams on their way out. Sent once; refused when too many wait. */
export class DatagramQueue {
  /** Rings, made with the first datagram: most sessions never have one. */
  #services: number[] = [];
  #contents: (Uint8Array | undefined)[] = [];
  readonly #packetRoom: number;
  #first = 0;
  #size = 0;
  /** Datagrams that were queued and did not fit when their turn came. */
  dropped = 0;

  /** `packetRoom` is how many bytes of frames fit a packet. */
  constructor(packetRoom: number) {
    this.#packetRoom = packetRoom;
  }

  /** Datagrams that wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Queues a datagram, by reference until it is sent; `false` when it does not fit a packet, which has room for `room`
   * bytes on the present path, or too many wait.
   */
  add(service: number, bytes: Uint8Array, room: number): boolean {
    const length = datagramLength(service, bytes.length);
    if (this.#size === MAX_QUEUED_DATAGRAMS || length > Math.min(room, this.#packetRoom)) return false;
    if (this.#services.length === 0) {
      this.#services = new Array<number>(MAX_QUEUED_DATAGRAMS).fill(0);
      this.#contents = new Array<undefined>(MAX_QUEUED_DATAGRAMS).fill(undefined);
    }
    const slot = (this.#first + this.#size++) % MAX_QUEUED_DATAGRAMS;
    this.#services[slot] = service;
    this.#contents[slot] = bytes;
    return true;
  }

  /**
   * Writes as many as fit before `limit`; returns the offset behind them. `start` is where an empty packet begins: what
   * would not even fit there is dropped, because the path became narrower since.
   */
  write(into: Uint8Array, start: number, offset: number, limit: number, contents: PacketContents): number {
    let at = offset;
    while (this.#size > 0) {
      const service = this.#services[this.#first]!;
      const bytes = this.#contents[this.#first]!;
      const length = datagramLength(service, bytes.length);
      if (start + length > limit) this.dropped++;
      else if (at + length > limit) break;
      else {
        at = writeDatagram(into, at, service, bytes);
        contents.wrote(FrameType.datagram, true);
      }
      this.#contents[this.#first] = undefined;
      this.#first = (this.#first + 1) % MAX_QUEUED_DATAGRAMS;
      this.#size--;
    }
    return at;
  }

  /** Forgets everything: the session is closed. */
  clear(): void {
    this.#contents.fill(undefined);
    this.#size = 0;
  }
}
