import type { Connection } from './connection.js';
import { Pieces } from './pieces.js';

/** Bytes of one write where as much as possible is poured. */
const CHUNK = 65_536;

/** What is used of a duplex byte stream; those of Node and of streamx have it. */
export interface ByteStream {
  write(bytes: Uint8Array): boolean;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  destroy(): unknown;
  cork?(): void;
  uncork?(): void;
}

/** A session over a byte stream. */
export class StreamConnection extends Pieces implements Connection {
  readonly #stream: ByteStream;
  readonly #bytes: () => number | undefined;
  #corked = false;
  readonly #closed: Promise<void>;

  /** `bytes` tells how many went over the wire. */
  constructor(stream: ByteStream, bytes: () => number | undefined) {
    super();
    this.#stream = stream;
    this.#bytes = bytes;
    this.#closed = new Promise(resolve => {
      stream.once('close', resolve);
    });
    // A connection that breaks shows as an answer that does not come.
    stream.on('error', () => undefined);
    stream.on('data', chunk => {
      this.take(chunk);
    });
  }

  get wireBytes(): number | undefined {
    return this.#bytes();
  }

  /** What is sent in one turn of the event loop goes out together, where the stream knows how to. */
  send(message: Uint8Array): void {
    if (!this.#corked && this.#stream.cork) {
      this.#corked = true;
      this.#stream.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#stream.uncork?.();
      });
    }
    this.#stream.write(message);
  }

  async pour(bytes: number): Promise<void> {
    const chunk = new Uint8Array(CHUNK);
    for (let left = bytes; left > 0; left -= CHUNK) {
      const taken = this.#stream.write(left < CHUNK ? chunk.subarray(0, left) : chunk);
      if (!taken)
        await new Promise<void>(resolve => {
          this.#stream.once('drain', resolve);
        });
    }
  }

  async close(): Promise<void> {
    this.#stream.destroy();
    await this.#closed;
  }
}
