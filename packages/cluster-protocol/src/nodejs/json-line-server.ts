import type { Duplex } from 'node:stream';

import { ClusterError } from '../base/index.js';
import { isJsonObject, JsonLines } from './json-lines.js';
import type { JsonLineError, JsonObject } from './json-lines.js';

/** Requests of one connection at a time, streams included. */
const MAX_REQUESTS = 256;

/** Items that a client may allow ahead; what it asks beyond is not counted. */
const MAX_WINDOW = 65_536;

/** Letters of an error's message: it may quote what was asked, and has to fit a line whatever that was. */
const MAX_ERROR_TEXT = 4_096;

/** What a method is told besides its parameters. */
export interface JsonLineContext {
  /** Aborted when the client cancels or goes away. */
  readonly signal: AbortSignal;
}

/**
 * A method. What it returns is the result; an async iterable becomes a stream. What it throws becomes an error with its
 * `code` (`INTERNAL` where it has none), `message` and `status`.
 */
export type JsonLineMethod = (params: JsonObject, context: JsonLineContext) => unknown;

interface Request {
  readonly id: RequestId;
  readonly abort: AbortController;
  /** Items that may still be sent; infinite for a client that set no window. */
  credit: number;
  moreCredit: (() => void) | undefined;
}

type RequestId = number | string;

/**
 * Answers requests over local sockets: `{id, method, params?, window?}` gets exactly one last line, `{id, result}`,
 * `{id, error: {code, message, status?}}` or, after any number of `{id, item}`, `{id, end: true}`. `{cancel: id}` calls
 * a request off; with `window: n` a stream stops after n items until `{more: id, count}` allows some more.
 */
export class JsonLineServer {
  readonly #methods: ReadonlyMap<string, JsonLineMethod>;
  readonly #connections = new Set<Connection>();
  #closed = false;

  /** @param methods - by name */
  constructor(methods: Readonly<Record<string, JsonLineMethod>>) {
    this.#methods = new Map(Object.entries(methods));
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Serves one connection until it ends. */
  accept(stream: Duplex): void {
    if (this.#closed) {
      stream.destroy();
      return;
    }
    const connection = new Connection(stream, this.#methods, () => this.#connections.delete(connection));
    this.#connections.add(connection);
  }

  /** Aborts all requests and ends all connections. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#connections].map(connection => connection.close()));
  }
}

class Connection {
  readonly #lines: JsonLines;
  readonly #methods: ReadonlyMap<string, JsonLineMethod>;
  readonly #requests = new Map<RequestId, Request>();
  readonly #over: Promise<void>;
  #paused = false;

  constructor(stream: Duplex, methods: ReadonlyMap<string, JsonLineMethod>, forget: () => void) {
    this.#methods = methods;
    let isOver = (): void => undefined;
    this.#over = new Promise(resolve => {
      isOver = resolve;
    });
    this.#lines = new JsonLines(stream, {
      handleValue: value => this.#take(value),
      handleMalformed: reason => this.#refuse(null, 'INVALID_ARGUMENT', reason),
      handleClose: () => {
        for (const request of this.#requests.values()) cancel(request);
        forget();
        isOver();
      },
    });
  }

  async close(): Promise<void> {
    for (const request of this.#requests.values()) cancel(request);
    this.#lines.end();
    // Who does not read its last lines within this turn does not hold us up.
    await new Promise(setImmediate);
    this.#lines.destroy();
    await this.#over;
  }

  #take(value: unknown): void {
    if (!isJsonObject(value)) {
      this.#refuse(null, 'INVALID_ARGUMENT', 'a request is an object');
    } else if ('cancel' in value) {
      const request = this.#requests.get(value.cancel as RequestId);
      if (request !== undefined) cancel(request);
    } else if ('more' in value) {
      const request = this.#requests.get(value.more as RequestId);
      if (request !== undefined) allow(request, value.count);
    } else {
      this.#begin(value);
    }
  }

  #begin({ id, method, params = {}, window }: JsonObject): void {
    const name = typeof method === 'string' ? method : undefined;
    const run = name === undefined ? undefined : this.#methods.get(name);
    if (!isRequestId(id)) {
      this.#refuse(null, 'INVALID_ARGUMENT', 'id: a number, or a text of at most 64 letters');
    } else if (this.#requests.has(id)) {
      this.#refuse(id, 'INVALID_ARGUMENT', 'id: a request with this id is under way');
    } else if (this.#requests.size >= MAX_REQUESTS) {
      this.#refuse(id, 'QUEUE_FULL', `${MAX_REQUESTS} requests of this connection are under way already`);
    } else if (name === undefined) {
      this.#refuse(id, 'INVALID_ARGUMENT', 'method: a text');
    } else if (run === undefined) {
      const known = [...this.#methods.keys()].join(', ');
      this.#refuse(id, 'INVALID_ARGUMENT', `method: there is no '${name.slice(0, 64)}', only ${known}`);
    } else if (!isJsonObject(params)) {
      this.#refuse(id, 'INVALID_ARGUMENT', 'params: an object');
    } else {
      const credit = isCount(window) ? Math.min(window, MAX_WINDOW) : Infinity;
      const request: Request = { id, abort: new AbortController(), credit, moreCredit: undefined };
      this.#requests.set(id, request);
      void this.#answer(request, run, params);
    }
  }

  async #answer(request: Request, run: JsonLineMethod, params: JsonObject): Promise<void> {
    const { id, abort } = request;
    try {
      const result = await run(params, { signal: abort.signal });
      if (isAsyncIterable(result)) await this.#stream(request, result);
      else this.#write({ id, result: result ?? null });
    } catch (error) {
      this.#write({ id, error: describeError(error) });
    } finally {
      this.#requests.delete(id);
    }
  }

  async #stream(request: Request, items: AsyncIterable<unknown>): Promise<void> {
    const { id, abort } = request;
    const iterator = items[Symbol.asyncIterator]();
    const aborted = whenAborted(abort.signal);
    try {
      for (;;) {
        await Promise.race([Promise.all([this.#credit(request), this.#lines.drained()]), aborted]);
        const next = await Promise.race([iterator.next(), aborted]);
        if (next.done === true) break;
        request.credit--;
        this.#write({ id, item: next.value ?? null });
      }
    } finally {
      // Not awaited: a source that is stuck may never come back, and it was told by its signal.
      iterator.return?.().catch(() => undefined);
    }
    this.#write({ id, end: true });
  }

  async #credit(request: Request): Promise<void> {
    if (request.credit > 0) return;
    await new Promise<void>(resolve => {
      request.moreCredit = resolve;
    });
  }

  #refuse(id: RequestId | null, code: string, message: string): void {
    this.#write({ id, error: { code, message } });
  }

  #write(line: unknown): void {
    this.#lines.write(line);
    if (this.#paused || !this.#lines.needsDrain) return;
    // Who does not read its answers may not ask more, or they would pile up here.
    this.#paused = true;
    void this.#lines.pauseUntil(this.#lines.drained()).then(() => {
      this.#paused = false;
    });
  }
}

function cancel(request: Request): void {
  request.abort.abort(new ClusterError('CANCELLED', 'the request was cancelled'));
}

function allow(request: Request, count: unknown): void {
  if (!isCount(count)) return;
  request.credit = Math.min(request.credit + count, MAX_WINDOW);
  request.moreCredit?.();
  request.moreCredit = undefined;
}

/** Rejects with the signal's reason; never rejects unheard. */
function whenAborted(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
  aborted.catch(() => undefined);
  return aborted;
}

function describeError(error: unknown): { code: string; message: string; status?: string } {
  if (!(error instanceof Error)) return { code: 'INTERNAL', message: 'the method failed' };
  const { code, status } = error as Partial<JsonLineError>;
  return {
    code: typeof code === 'string' ? code : 'INTERNAL',
    message: error.message.slice(0, MAX_ERROR_TEXT),
    ...(typeof status === 'string' && { status }),
  };
}

const isRequestId = (id: unknown): id is RequestId =>
  (typeof id === 'number' && Number.isFinite(id)) || (typeof id === 'string' && id.length <= 64);

const isCount = (count: unknown): count is number => Number.isInteger(count) && (count as number) > 0;

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
