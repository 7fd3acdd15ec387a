import { MAX_UNPROVED_DATAGRAM, type SocketAddress } from '@coconet/cluster-protocol/wire';

/**
 * Datagrams that wait to leave: a driver drains after every datagram, so more than a few only gather while it sends.
 * Above the bound the newest is dropped, as a full socket buffer would.
 */
const CAPACITY = 256;

interface Slot {
  link: number;
  remote: SocketAddress;
  readonly buffer: Uint8Array;
  bytes: Uint8Array;
}

/** A ring of datagrams whose buffers are used again and again: relaying allocates nothing. */
export class TransmitQueue {
  readonly #slots: Slot[] = [];
  #first = 0;
  #count = 0;

  /** Copies the datagram; false when there is no room. */
  push(link: number, remote: SocketAddress, bytes: Uint8Array): boolean {
    if (this.#count >= CAPACITY) return false;
    const index = (this.#first + this.#count) % CAPACITY;
    let slot = this.#slots[index];
    if (slot === undefined) {
      const buffer = new Uint8Array(MAX_UNPROVED_DATAGRAM);
      slot = { link, remote, buffer, bytes: buffer };
      this.#slots[index] = slot;
    }
    slot.link = link;
    slot.remote = remote;
    slot.buffer.set(bytes);
    slot.bytes = slot.buffer.subarray(0, bytes.length);
    this.#count++;
    return true;
  }

  /** The next datagram; valid until the one after it is asked for. */
  shift(): { readonly link: number; readonly remote: SocketAddress; readonly bytes: Uint8Array } | undefined {
    if (this.#count === 0) return undefined;
    const slot = this.#slots[this.#first]!;
    this.#first = (this.#first + 1) % CAPACITY;
    this.#count--;
    return slot;
  }
}
