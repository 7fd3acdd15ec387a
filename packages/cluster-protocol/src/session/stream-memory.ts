import { copyBytes } from '../base/index.js';

/** Bytes of a full block: half a dozen packets, small enough that many idle streams cost little. */
export const BLOCK = 8_192;

/** A stream's first block begins so small: most streams carry one request. */
export const SMALL_BLOCK = 1_024;

/** Spare blocks kept for reuse, 2 MiB: what a busy endpoint turns over within a few milliseconds. */
const MAX_SPARE = 256;

/** Bytes held for all streams of an endpoint beyond which no receive window grows any more. */
export const STREAM_MEMORY: number = 64 * 1_024 * 1_024;

/** Blocks of bytes for the streams of one endpoint: reused, and counted so that windows stop growing in time. */
export class StreamMemory {
  readonly #spare: Uint8Array[] = [];
  /** Bytes of the blocks in use. */
  held = 0;

  /** Whether receive windows may grow. */
  get roomy(): boolean {
    return this.held < STREAM_MEMORY;
  }

  /** A block for at least `length` bytes, at most 8,192; its contents are undefined. */
  take(length: number): Uint8Array {
    const block =
      length <= SMALL_BLOCK ? new Uint8Array(SMALL_BLOCK) : (this.#spare.pop() ?? new Uint8Array(BLOCK));
    this.held += block.length;
    return block;
  }

  /** Takes a block back. */
  release(block: Uint8Array): void {
    this.held -= block.length;
    if (block.length === BLOCK && this.#spare.length < MAX_SPARE) this.#spare.push(block);
  }

  /** A block now belongs to somebody else. */
  give(block: Uint8Array): Uint8Array {
    this.held -= block.length;
    return block;
  }
}

/** The bytes of one direction of a stream between the first that is still needed and the last that is known. */
export class StreamBytes {
  readonly #memory: StreamMemory;
  /** Blocks from number `#first` on; holes where nothing came yet. */
  readonly #blocks: (Uint8Array | undefined)[] = [];
  #first = 0;

  constructor(memory: StreamMemory) {
    this.#memory = memory;
  }

  /** Stores `length` bytes of `from` at an offset that is not released yet. */
  store(offset: number, from: Uint8Array, start: number, length: number): void {
    for (let done = 0; done < length;) {
      const inside = (offset + done) % BLOCK;
      const part = Math.min(length - done, BLOCK - inside);
      const block = this.#block(Math.floor((offset + done) / BLOCK) - this.#first, inside + part);
      copyBytes(block, inside, from, start + done, part);
      done += part;
    }
  }

  /** Copies `length` stored bytes from `offset` on to `into`. */
  load(offset: number, into: Uint8Array, at: number, length: number): void {
    for (let done = 0; done < length;) {
      const inside = (offset + done) % BLOCK;
      const part = Math.min(length - done, BLOCK - inside);
      copyBytes(
        into,
        at + done,
        this.#blocks[Math.floor((offset + done) / BLOCK) - this.#first]!,
        inside,
        part,
      );
      done += part;
    }
  }

  /** Whether stored bytes from `offset` on differ from `length` bytes of `from`. */
  differs(offset: number, from: Uint8Array, start: number, length: number): boolean {
    for (let i = 0; i < length; i++) {
      const at = offset + i;
      if (this.#blocks[Math.floor(at / BLOCK) - this.#first]![at % BLOCK] !== from[start + i]) return true;
    }
    return false;
  }

  /**
   * Takes stored bytes out, from `offset` to `end` or the end of a block; everything before is released. A block that
   * ends with them is given away as it is, anything else is copied: the array belongs to the caller.
   */
  take(offset: number, end: number): Uint8Array {
    this.release(offset);
    const inside = offset % BLOCK;
    const until = Math.min(end - offset + inside, BLOCK);
    const block = this.#blocks[0]!;
    if (until < BLOCK) return block.slice(inside, until);
    this.#blocks.shift();
    this.#first++;
    return this.#memory.give(block).subarray(inside, until);
  }

  /** Forgets everything below an offset. */
  release(offset: number): void {
    const first = Math.floor(offset / BLOCK);
    while (this.#first < first) {
      const block = this.#blocks.shift();
      if (block !== undefined) this.#memory.release(block);
      this.#first++;
    }
  }

  /** Forgets everything. */
  clear(): void {
    for (const block of this.#blocks) if (block !== undefined) this.#memory.release(block);
    this.#blocks.length = 0;
  }

  #block(index: number, length: number): Uint8Array {
    while (this.#blocks.length <= index) this.#blocks.push(undefined);
    const known = this.#blocks[index];
    if (known !== undefined && known.length >= length) return known;
    const block = this.#memory.take(length);
    if (known !== undefined) {
      block.set(known);
      this.#memory.release(known);
    }
    this.#blocks[index] = block;
    return block;
  }
}
