import { assert, encodeText } from '../base/index.js';
import { varintLength, writeVarint } from './varint.js';

/** A cursor that writes into a buffer of the caller's. Running over its end is a bug of the caller: sizes are known before. */
export class Writer {
  readonly #buffer: Uint8Array;
  #position: number;
  readonly #end: number;

  constructor(buffer: Uint8Array, start = 0, end: number = buffer.length) {
    this.#buffer = buffer;
    this.#position = start;
    this.#end = end;
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#position;
  }

  /** Bytes that still fit. */
  get room(): number {
    return this.#end - this.#position;
  }

  /** What was written so far, from the buffer's beginning; a view. */
  get written(): Uint8Array {
    return this.#buffer.subarray(0, this.#position);
  }

  uint8(value: number): this {
    return this.#integer(value, 1);
  }

  uint16(value: number): this {
    return this.#integer(value, 2);
  }

  uint32(value: number): this {
    return this.#integer(value, 4);
  }

  /** 48 bits: milliseconds of civil time until the year 10889. */
  uint48(value: number): this {
    return this.#integer(value, 6);
  }

  varint(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, 'a varint is an integer from 0 to 2^53 − 1');
    this.#take(varintLength(value));
    writeVarint(this.#buffer, this.#position - varintLength(value), value);
    return this;
  }

  /** Bytes without a length: the reader knows it. */
  bytes(value: Uint8Array): this {
    this.#take(value.length);
    this.#buffer.set(value, this.#position - value.length);
    return this;
  }

  /** A varint length, then the bytes. */
  block(value: Uint8Array): this {
    return this.varint(value.length).bytes(value);
  }

  /** A {@link block} of UTF-8. */
  text(value: string): this {
    return this.block(encodeText(value));
  }

  #integer(value: number, length: number): this {
    assert(
      Number.isInteger(value) && value >= 0 && value < 2 ** (8 * length),
      `${value} fits ${length} bytes`,
    );
    this.#take(length);
    let rest = value;
    for (let i = this.#position - 1; i >= this.#position - length; i--) {
      this.#buffer[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return this;
  }

  #take(length: number): void {
    assert(length <= this.room, 'the writer stays inside its buffer');
    this.#position += length;
  }
}

/** Runs `write` over a scratch buffer of `limit` bytes and returns a copy of what it wrote. For rare messages, not for packets. */
export function encodeWith(limit: number, write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer(new Uint8Array(limit));
  write(writer);
  return writer.written.slice();
}
