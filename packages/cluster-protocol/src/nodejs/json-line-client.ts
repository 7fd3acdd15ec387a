import type { Duplex } from 'node:stream';

import { ClusterError } from '../base/index.js';
import { isJsonObject, JsonLineError, JsonLines } from './json-lines.js';
import type { JsonObject } from './json-lines.js';

/** Items of a stream that may wait here to be read; the server stops until half of them were. */
const WINDOW = 64;

/** Options of a request. */
export interface JsonLineOptions {
  /** Calls the request off: it then fails with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  item(value: unknown): void;
  result(value: unknown): void;
  end(): void;
  fail(error: Error): void;
}

/** Asks a {@link JsonLineServer} at the other end of a socket. */
export class JsonLineClient {
  /** Resolves when the connection is over, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #lines: JsonLines;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  /** Why the connection is over, once it is. */
  #lost: JsonLineError | undefined;

  constructor(stream: Duplex) {
    let isClosed = (): void => undefined;
    this.closed = new Promise(resolve => {
      isClosed = resolve;
    });
    this.#lines = new JsonLines(stream, {
      handleValue: value => {
        if (isJsonObject(value)) this.#take(value);
      },
      handleMalformed: reason => this.#lose(`the holder of the store sent nonsense: ${reason}`),
      handleClose: () => {
        this.#lose('the holder of the store has ended');
        isClosed();
      },
    });
  }

  /** Calls a method. Fails with {@link JsonLineError}, or `CANCELLED`, or `MESSAGE_TOO_LARGE`. */
  async request(method: string, params: JsonObject = {}, { signal }: JsonLineOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#begin({ method, params }, signal, {
        item: () => undefined,
        result: resolve,
        end: () => resolve(undefined),
        fail: reject,
      });
    });
  }

  /** Calls a method that streams. Leaving the loop early calls it off; errors as {@link request}. */
  async *stream(
    method: string,
    params: JsonObject = {},
    { signal }: JsonLineOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    const items = new ItemQueue();
    const id = this.#begin({ method, params, window: WINDOW }, signal, items);
    let read = 0;
    try {
      for (;;) {
        const next = await items.next();
        if (next === undefined) return;
        if (++read % (WINDOW / 2) === 0) this.#lines.write({ more: id, count: WINDOW / 2 });
        yield next.item;
      }
    } finally {
      this.#abandon(id);
    }
  }

  /** Ends the connection; what is under way fails with `CONNECTION_LOST`. */
  async close(): Promise<void> {
    this.#lose('this connection was closed');
    this.#lines.end();
    this.#lines.destroy();
    await this.closed;
  }

  #begin(request: JsonObject, signal: AbortSignal | undefined, pending: Pending): number {
    const id = ++this.#lastId;
    if (this.#lost !== undefined) {
      pending.fail(this.#lost);
      return id;
    }
    if (signal?.aborted === true) {
      pending.fail(cancelled(signal));
      return id;
    }
    this.#lines.write({ id, ...request });
    const settle = this.#settling(id, signal, pending);
    this.#pending.set(id, settle);
    return id;
  }

  /** The loop over a stream was left: if that is not over, it shall be. */
  #abandon(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#lines.write({ cancel: id });
    pending.end();
  }

  /** `pending`, minus the listener on its signal once it is over. */
  #settling(id: number, signal: AbortSignal | undefined, pending: Pending): Pending {
    if (signal === undefined) return pending;
    const abort = (): void => {
      if (!this.#pending.delete(id)) return;
      this.#lines.write({ cancel: id });
      pending.fail(cancelled(signal));
    };
    signal.addEventListener('abort', abort, { once: true });
    const over = (): void => signal.removeEventListener('abort', abort);
    return {
      item: value => pending.item(value),
      result: value => {
        over();
        pending.result(value);
      },
      end: () => {
        over();
        pending.end();
      },
      fail: error => {
        over();
        pending.fail(error);
      },
    };
  }

  #take(line: JsonObject): void {
    const id = line.id as number;
    const pending = this.#pending.get(id);
    // The answer to a request that was called off comes too late and is nobody's.
    if (pending === undefined) return;
    if ('item' in line) {
      pending.item(line.item);
      return;
    }
    this.#pending.delete(id);
    if ('error' in line) pending.fail(errorOf(line.error));
    else if ('end' in line) pending.end();
    else pending.result(line.result);
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = new JsonLineError('CONNECTION_LOST', reason);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const request of pending) request.fail(this.#lost);
  }
}

/** Items between the socket and the loop that reads them; {@link WINDOW} bounds it. */
class ItemQueue implements Pending {
  readonly #items: unknown[] = [];
  #over: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  async next(): Promise<{ readonly item: unknown } | undefined> {
    while (this.#items.length === 0) {
      if (this.#over?.error !== undefined) throw this.#over.error;
      if (this.#over !== undefined) return undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    return { item: this.#items.shift() };
  }

  item(value: unknown): void {
    this.#items.push(value);
    this.#wake?.();
  }

  result(): void {
    this.#finish(new JsonLineError('INVALID_ARGUMENT', 'this method answers once: use request, not stream'));
  }

  end(): void {
    this.#finish(undefined);
  }

  fail(error: Error): void {
    // What came before an error of the source is still good; who cancelled wants no more.
    if (error instanceof ClusterError) this.#items.length = 0;
    this.#finish(error);
  }

  #finish(error: Error | undefined): void {
    this.#over ??= { error };
    this.#wake?.();
  }
}

function cancelled(signal: AbortSignal): ClusterError {
  return new ClusterError('CANCELLED', 'the request was cancelled', { cause: signal.reason });
}

function errorOf(error: unknown): JsonLineError {
  if (!isJsonObject(error)) return new JsonLineError('INTERNAL', 'the holder of the store gave no reason');
  const { code, message, status } = error;
  return new JsonLineError(
    typeof code === 'string' ? code : 'INTERNAL',
    typeof message === 'string' ? message : 'no reason given',
    typeof status === 'string' ? status : undefined,
  );
}
