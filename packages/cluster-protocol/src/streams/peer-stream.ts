import { ClusterError } from '../base/index.js';
import type { MemberRuntime, StreamRef } from '../interface/index.js';
import { StreamCode } from '../session/index.js';
import { StreamError } from './errors.js';

/** What streams need of a running member. */
export type StreamRuntime = Pick<MemberRuntime, 'do' | 'on' | 'closed'>;

/** One stream with a peer as Web Streams. A half that does not exist (the stream is one-way) has ended from the beginning. */
export interface PeerStream {
  /** The node at the other end. */
  readonly peer: number;
  /** The service it is for. */
  readonly service: number;
  /** What the peer sends; errors with `STREAM_RESET` or `SESSION_CLOSED`. Cancelling it asks the peer to stop. */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * What we send. `write` resolves when the bytes were copied and there is room for more, `close` when the peer has all of
   * it; errors with `STREAM_STOPPED` or `SESSION_CLOSED`. Aborting it resets our half.
   */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends both halves at once with a code (default 0, cancelled); no effect on what has ended. */
  abort(code?: number): void;
}

/** A promise and how to settle it. */
interface Wish {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function wish(): Wish {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

/** Joins one stream of a cluster node and a pair of Web Streams. Events reach it through its verbs. */
export class StreamBridge implements PeerStream {
  readonly peer: number;
  readonly service: number;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #runtime: StreamRuntime;
  readonly #ref: StreamRef;
  readonly #onEnded: () => void;
  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;
  #room: Wish | undefined;
  #finish: Wish | undefined;
  #news: Wish | undefined;
  #reading: boolean;
  #writing: boolean;

  constructor(
    runtime: StreamRuntime,
    ref: StreamRef,
    service: number,
    halves: { readonly reads: boolean; readonly writes: boolean },
    onEnded: () => void,
  ) {
    this.#runtime = runtime;
    this.#ref = ref;
    this.peer = ref.peer;
    this.service = service;
    this.#reading = halves.reads;
    this.#writing = halves.writes;
    this.#onEnded = onEnded;
    // No queue of its own: what nobody asked for stays in the session and holds the sender back.
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: controller => {
          this.#reader = controller;
          if (!halves.reads) controller.close();
        },
        pull: () => this.#pull(),
        cancel: reason => {
          this.#endReading();
          this.#do((node, now) => {
            node.streams.stop(now, ref, codeOf(reason));
          });
        },
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream<Uint8Array>(
      {
        start: controller => {
          this.#writer = controller;
          if (!halves.writes)
            controller.error(new ClusterError('INVALID_STATE', 'this stream is one-way: the peer writes'));
        },
        write: chunk => this.#write(chunk),
        close: () => this.#close(),
        abort: reason => {
          this.#endWriting();
          this.#do(node => {
            node.streams.reset(ref, codeOf(reason));
          });
        },
      },
      { highWaterMark: 1 },
    );
  }

  abort(code: number = StreamCode.cancelled): void {
    const error = new ClusterError('CANCELLED', 'this stream was ended here');
    this.#do((node, now) => {
      node.streams.reset(this.#ref, code);
      node.streams.stop(now, this.#ref, code);
    });
    this.fail(error);
  }

  /** There is something to read. */
  readableNow(): void {
    this.#news?.resolve();
    this.#news = undefined;
  }

  /** There is room to write. */
  writableNow(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** The peer has our half. */
  finished(): void {
    this.#finish?.resolve();
    this.#endWriting();
  }

  /** The peer gave its half up. */
  reset(code: number): void {
    if (!this.#reading) return;
    this.#failReading(
      new StreamError('STREAM_RESET', `node #${this.peer} gave the stream up with code ${code}`, code),
    );
  }

  /** The peer reads our half no more. */
  stopped(code: number): void {
    if (!this.#writing) return;
    const refused =
      code === StreamCode.refused ? `takes no streams of service ${this.service}` : 'reads no more';
    this.#failWriting(
      new StreamError('STREAM_STOPPED', `node #${this.peer} ${refused} (code ${code})`, code),
    );
  }

  /** The session has ended, or the stream was aborted. */
  fail(error: Error): void {
    if (this.#reading) this.#failReading(error);
    if (this.#writing) this.#failWriting(error);
  }

  async #pull(): Promise<void> {
    for (;;) {
      const chunk = this.#runtime.do((node, now) => node.streams.read(now, this.#ref));
      if (chunk !== undefined) {
        if (chunk.bytes.length > 0) this.#reader.enqueue(chunk.bytes);
        if (chunk.end) {
          this.#reader.close();
          this.#endReading();
        }
        if (chunk.end || chunk.bytes.length > 0) return;
      }
      this.#news ??= wish();
      await this.#news.promise;
      if (!this.#reading) return;
    }
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (!(chunk instanceof Uint8Array))
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `a stream carries bytes; write a Uint8Array, not a ${typeof chunk}`,
      );
    for (let rest = chunk; rest.length > 0;) {
      const room = (this.#room = wish());
      const taken = this.#runtime.do(node => node.streams.write(this.#ref, rest));
      rest = rest.subarray(taken);
      if (rest.length > 0) await room.promise;
    }
    this.#room = undefined;
  }

  async #close(): Promise<void> {
    this.#finish = wish();
    this.#runtime.do(node => {
      node.streams.end(this.#ref);
    });
    await this.#finish.promise;
  }

  #failReading(error: Error): void {
    this.#reader.error(error);
    this.#endReading();
  }

  #failWriting(error: Error): void {
    this.#room?.promise.catch(() => undefined);
    this.#room?.reject(error);
    this.#finish?.promise.catch(() => undefined);
    this.#finish?.reject(error);
    this.#writer.error(error);
    this.#endWriting();
  }

  #endReading(): void {
    this.#reading = false;
    this.readableNow();
    if (!this.#writing) this.#onEnded();
  }

  #endWriting(): void {
    this.#writing = false;
    if (!this.#reading) this.#onEnded();
  }

  /** A verb at the end of things: the node may be closed by now. */
  #do(verb: Parameters<StreamRuntime['do']>[0]): void {
    if (!this.#runtime.closed) this.#runtime.do(verb);
  }
}

/** An application's own code, given as the reason of a cancel or abort; anything else is a plain cancel. */
const codeOf = (reason: unknown): number =>
  typeof reason === 'number' && Number.isInteger(reason) && reason >= 0 && reason <= 0xffff_ffff
    ? reason
    : StreamCode.cancelled;
