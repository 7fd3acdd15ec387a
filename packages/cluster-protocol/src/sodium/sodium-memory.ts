import { assert, ClusterError } from '../base/index.js';
import type { RawSodium } from './raw-sodium.js';

/** Bytes of a ChaCha20-Poly1305 key, an X25519 key and an Ed25519 seed. */
export const KEY_LENGTH = 32;

/** The largest packet that is worked on without an allocation: any UDP datagram (RFC 768), and a tag. */
export const WORKSPACE_LENGTH: number = 65_535 + 16;

/** The largest message of one signature or one BLAKE2b call with a key; larger ones are hashed in parts first. */
export const MAX_MESSAGE_LENGTH: number = 64 * 1024 * 1024;

/** Views that copy a result out are kept by length up to this one, which covers every packet of a real link. */
const MAX_KEPT_VIEW_LENGTH = 2_048;

/** Key slots kept for the next session instead of being freed; 1024 × 32 bytes is less than one page of the memory. */
const MAX_FREE_KEY_SLOTS = 1_024;

/** What lies where in the block of small operands. */
const Operand = { nonce: 0, keyA: 64, keyB: 128, result: 192, state: 256 } as const;

/** libsodium asks for this alignment of a BLAKE2b state. */
const STATE_ALIGNMENT = 64;

/**
 * Our part of libsodium's memory: a block for small operands, a workspace for packets and messages, and slots for
 * keys, all allocated once. JavaScript runs one call at a time, so one of each is enough.
 */
export class SodiumMemory {
  readonly raw: RawSodium;
  /** Address of the workspace. */
  readonly workspace: number;
  readonly nonce: number;
  readonly keyA: number;
  readonly keyB: number;
  readonly result: number;
  readonly state: number;
  readonly #operandsEnd: number;
  readonly #freeKeySlots: number[] = [];
  #views: (Uint8Array | undefined)[] = [];
  #viewedBuffer: ArrayBufferLike;

  constructor(raw: RawSodium) {
    this.raw = raw;
    const operandsLength = Operand.state + raw._crypto_generichash_statebytes();
    const operands = this.allocate(operandsLength + STATE_ALIGNMENT);
    const aligned = Math.ceil(operands / STATE_ALIGNMENT) * STATE_ALIGNMENT;
    this.nonce = aligned + Operand.nonce;
    this.keyA = aligned + Operand.keyA;
    this.keyB = aligned + Operand.keyB;
    this.result = aligned + Operand.result;
    this.state = aligned + Operand.state;
    this.#operandsEnd = aligned + operandsLength;
    this.workspace = this.allocate(WORKSPACE_LENGTH);
    this.#viewedBuffer = raw.HEAPU8.buffer;
  }

  /** Fresh memory; free it with {@link release}. */
  allocate(length: number): number {
    const address = this.raw._malloc(length);
    assert(address !== 0, 'libsodium has memory left');
    return address;
  }

  /** Overwrites and frees what {@link allocate} gave. */
  release(address: number, length: number): void {
    this.raw.HEAPU8.fill(0, address, address + length);
    this.raw._free(address);
  }

  /** The workspace when `length` bytes fit, else fresh memory. Give it back with {@link giveBack}. */
  borrow(length: number): number {
    if (length <= WORKSPACE_LENGTH) return this.workspace;
    if (length > MAX_MESSAGE_LENGTH)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `a message of ${length} bytes is over the limit of ${MAX_MESSAGE_LENGTH}; hash it and use the digest`,
      );
    return this.allocate(length);
  }

  /** Overwrites what was borrowed. */
  giveBack(address: number, length: number): void {
    if (address === this.workspace) this.raw.HEAPU8.fill(0, address, address + length);
    else this.release(address, length);
  }

  /** Overwrites all small operands. */
  wipeOperands(): void {
    this.raw.HEAPU8.fill(0, this.nonce, this.#operandsEnd);
  }

  /** A copy of `length` bytes at `address`. */
  copyOut(address: number, length: number): Uint8Array {
    return this.raw.HEAPU8.slice(address, address + length);
  }

  /** Copies `packet[0, length)` into the workspace, without an allocation for packets of usual sizes. */
  loadPacket(packet: Uint8Array, length: number): void {
    // Copying a whole small buffer is cheaper than making a view of its used part.
    if (packet.length <= MAX_KEPT_VIEW_LENGTH) this.raw.HEAPU8.set(packet, this.workspace);
    else this.raw.HEAPU8.set(packet.subarray(0, length), this.workspace);
  }

  /** Copies the first `length` bytes of the workspace to the beginning of `packet`, likewise. */
  storePacket(packet: Uint8Array, length: number): void {
    const heap = this.raw.HEAPU8;
    if (length > MAX_KEPT_VIEW_LENGTH) {
      packet.set(heap.subarray(this.workspace, this.workspace + length));
      return;
    }
    if (heap.buffer !== this.#viewedBuffer) {
      this.#views = []; // The memory grew; the old views are of a detached buffer.
      this.#viewedBuffer = heap.buffer;
    }
    packet.set((this.#views[length] ??= heap.subarray(this.workspace, this.workspace + length)));
  }

  /** Writes Noise's nonce for ChaChaPoly: four zero bytes, then the counter in little-endian order. */
  setCounterNonce(high: number, low: number): void {
    const heap = this.raw.HEAPU8;
    const at = this.nonce;
    heap[at] = 0;
    heap[at + 1] = 0;
    heap[at + 2] = 0;
    heap[at + 3] = 0;
    heap[at + 4] = low;
    heap[at + 5] = low >>> 8;
    heap[at + 6] = low >>> 16;
    heap[at + 7] = low >>> 24;
    heap[at + 8] = high;
    heap[at + 9] = high >>> 8;
    heap[at + 10] = high >>> 16;
    heap[at + 11] = high >>> 24;
  }

  /** A slot that holds a copy of `key`. */
  takeKeySlot(key: Uint8Array): number {
    const slot = this.#freeKeySlots.pop() ?? this.allocate(KEY_LENGTH);
    this.raw.HEAPU8.set(key, slot);
    return slot;
  }

  /** Overwrites a slot and keeps it for the next key, or frees it. */
  returnKeySlot(slot: number): void {
    this.raw.HEAPU8.fill(0, slot, slot + KEY_LENGTH);
    if (this.#freeKeySlots.length < MAX_FREE_KEY_SLOTS) this.#freeKeySlots.push(slot);
    else this.raw._free(slot);
  }
}
