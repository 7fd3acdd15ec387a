import { decodeText } from '../base/index.js';
import { readVarint, varintLength } from './varint.js';

const NOTHING = new Uint8Array(0);

/**
 * A cursor over received bytes. It never throws: the first read that does not fit sets {@link Reader.failed}, and every
 * read from then on returns zero, so that a parser reads all its fields in a row and asks once at the end.
 */
export class Reader {
  readonly #buffer: Uint8Array;
  #position: number;
  readonly #end: number;
  #failed = false;

  constructor(buffer: Uint8Array, start = 0, end: number = buffer.length) {
    this.#buffer = buffer;
    this.#position = start;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#end - this.#position;
  }

  /** Whether any read so far did not fit or was not well-formed. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether everything was well-formed and nothing is left over. */
  get complete(): boolean {
    return !this.#failed && this.left === 0;
  }

  /** Marks the input as malformed: for rules that the caller checks. */
  fail(): void {
    this.#failed = true;
    this.#position = this.#end;
  }

  uint8(): number {
    return this.#integer(1);
  }

  uint16(): number {
    return this.#integer(2);
  }

  uint32(): number {
    return this.#integer(4);
  }

  uint48(): number {
    return this.#integer(6);
  }

  varint(): number {
    const value = readVarint(this.#buffer, this.#position);
    if (value < 0 || this.left < varintLength(value)) {
      this.fail();
      return 0;
    }
    this.#position += varintLength(value);
    return value;
  }

  /** The next `length` bytes as a view: valid as long as the buffer under it. */
  bytes(length: number): Uint8Array {
    if (length > this.left) {
      this.fail();
      return NOTHING;
    }
    this.#position += length;
    return this.#buffer.subarray(this.#position - length, this.#position);
  }

  /** A varint length, then as many bytes, as a view; more than `limit` is malformed. */
  block(limit: number): Uint8Array {
    const length = this.varint();
    if (length > limit) this.fail();
    return this.bytes(this.#failed ? 0 : length);
  }

  /** A {@link block} of well-formed UTF-8. */
  text(limit: number): string {
    const text = decodeText(this.block(limit));
    if (text === undefined) this.fail();
    return text ?? '';
  }

  /** Everything that is left, as a view. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  #integer(length: number): number {
    if (length > this.left) {
      this.fail();
      return 0;
    }
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.#buffer[this.#position++]!;
    return value;
  }
}
