import type { Duplex } from 'node:stream';

import { ClusterError } from '../base/index.js';

/** Bytes of one line in either direction, its end not counted: above the largest document, far below what would hurt. */
export const MAX_JSON_LINE: number = 4 * 1024 * 1024;

const LINE_END = 0x0a;

/** Who hears of what comes through {@link JsonLines}. */
export interface JsonLinesListener {
  /** One line: any JSON value. */
  handleValue(value: unknown): void;
  /** A line was too long or no JSON. The connection is closed next, after what is written now. */
  handleMalformed(reason: string): void;
  /** The connection is over; called once, last. */
  handleClose(): void;
}

/** One JSON value a line, UTF-8, over a socket. An empty line is nothing. */
export class JsonLines {
  readonly #stream: Duplex;
  readonly #listener: JsonLinesListener;
  /** Parts of a line whose end has not come. */
  #parts: Buffer[] = [];
  #partsLength = 0;
  #isOver = false;
  #drained: (() => void)[] = [];

  constructor(stream: Duplex, listener: JsonLinesListener) {
    this.#stream = stream;
    this.#listener = listener;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('drain', () => this.#wakeWriters());
    stream.on('error', () => stream.destroy());
    stream.on('end', () => stream.end());
    stream.on('close', () => {
      this.#isOver = true;
      this.#parts = [];
      this.#wakeWriters();
      listener.handleClose();
    });
  }

  /** Whether nothing can be written any more. */
  get isOver(): boolean {
    return this.#isOver || this.#stream.destroyed || this.#stream.writableEnded;
  }

  /** Writes one line; does nothing when the connection is over. Fails with `MESSAGE_TOO_LARGE`. */
  write(value: unknown): void {
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    if (line.length > MAX_JSON_LINE + 1) {
      throw new ClusterError(
        'MESSAGE_TOO_LARGE',
        `${line.length} bytes in one line; at most ${MAX_JSON_LINE} pass`,
      );
    }
    if (!this.isOver) this.#stream.write(line);
  }

  /** Whether more is waiting here than the other side reads. */
  get needsDrain(): boolean {
    return !this.isOver && this.#stream.writableNeedDrain;
  }

  /** Resolves when the other side has read enough that more should be written, or will never read again. */
  async drained(): Promise<void> {
    if (!this.needsDrain) return;
    await new Promise<void>(resolve => this.#drained.push(resolve));
  }

  /** Stops reading until `promise` settles. */
  async pauseUntil(promise: Promise<void>): Promise<void> {
    this.#stream.pause();
    await promise;
    this.#stream.resume();
  }

  /** Closes after what was written. */
  end(): void {
    this.#stream.end();
  }

  /** Closes at once. */
  destroy(): void {
    this.#stream.destroy();
  }

  #receive(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      if (!this.#hold(chunk.subarray(start, end))) return;
      start = end + 1;
      const line = Buffer.concat(this.#parts, this.#partsLength);
      this.#parts = [];
      this.#partsLength = 0;
      if (!this.#take(line)) return;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  #hold(part: Buffer): boolean {
    this.#parts.push(part);
    this.#partsLength += part.length;
    return this.#partsLength <= MAX_JSON_LINE || this.#refuse(`a line is longer than ${MAX_JSON_LINE} bytes`);
  }

  #take(line: Buffer): boolean {
    if (this.isOver) return false;
    const text = line.toString('utf8').trim();
    if (text === '') return true;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return this.#refuse('a line is not JSON');
    }
    this.#listener.handleValue(value);
    return true;
  }

  #refuse(reason: string): false {
    this.#parts = [];
    this.#partsLength = 0;
    this.#listener.handleMalformed(reason);
    this.#stream.removeAllListeners('data');
    this.#stream.resume(); // What still comes is thrown away, so that the peer can read our last line.
    this.#stream.end();
    return false;
  }

  #wakeWriters(): void {
    for (const wake of this.#drained.splice(0)) wake();
  }
}

/** A JSON object as it came from the other side: any field may be missing or of any type. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether `value` is an object and no array. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An error that came over {@link JsonLines}, or `CONNECTION_LOST`. */
export class JsonLineError extends Error {
  /** The stable code: one of `ClusterError`'s, of the program that answered, or `CONNECTION_LOST`. */
  readonly code: string;
  /** The status that a node of the network answered with, where one did. */
  readonly status: string | undefined;

  constructor(code: string, message: string, status?: string) {
    super(message);
    this.name = 'JsonLineError';
    this.code = code;
    this.status = status;
  }
}
