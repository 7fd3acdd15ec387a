/** What a reader of a {@link NewestQueue} gets at once. */
export interface Batch<V> {
  /** The newest of each key, in the order in which the keys became new. */
  readonly items: readonly V[];
}

type End = { readonly error: Error | undefined };

/**
 * Between something that changes and a loop that reads about it: holds the newest item of each key until it is read, so
 * that it never holds more than there are keys, however slow the reader is. One reader.
 */
export class NewestQueue<V> implements AsyncIterableIterator<Batch<V>> {
  readonly #items = new Map<string, V>();
  readonly #onStop: () => void;
  readonly #forgetSignal: () => void = () => undefined;
  #pending = false;
  #end: End | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  /** `onStop`: called once, when the reader leaves, the queue ends, or it is aborted. */
  constructor(onStop: () => void, signal?: AbortSignal) {
    this.#onStop = onStop;
    if (signal?.aborted === true) {
      // Nothing has begun, so there is nothing to stop.
      this.#end = { error: undefined };
      this.#stopped = true;
      return;
    }
    const abort = (): void => {
      this.clear();
      this.end();
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#forgetSignal = () => signal?.removeEventListener('abort', abort);
  }

  /** Whether nobody will read what is put in. */
  isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Puts items in; an empty list still makes the reader go round once. */
  put(items: Iterable<readonly [key: string, item: V]>): void {
    if (this.#end) return;
    for (const [key, item] of items) {
      this.#items.delete(key);
      this.#items.set(key, item);
    }
    this.#pending = true;
    this.#wake?.();
  }

  /** Forgets what was not read. */
  clear(): void {
    this.#items.clear();
    this.#pending = false;
  }

  /** What was put in is still read, then the loop ends, with an error if one is given. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#stop();
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Batch<V>, undefined>> {
    while (!this.#pending) {
      if (this.#end) {
        const { error } = this.#end;
        this.#end = { error: undefined };
        if (error) throw error;
        return { done: true, value: undefined };
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    const items = [...this.#items.values()];
    this.clear();
    return { done: false, value: { items } };
  }

  async return(): Promise<IteratorResult<Batch<V>, undefined>> {
    this.clear();
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#forgetSignal();
    this.#onStop();
  }
}

/** The same loop with each batch made into something else; `undefined` is passed over. */
export async function* mapBatches<V, W>(
  queue: NewestQueue<V>,
  make: (items: readonly V[]) => W | undefined,
): AsyncGenerator<W, void, undefined> {
  try {
    for await (const { items } of queue) {
      const made = make(items);
      if (made !== undefined) yield made;
    }
  } finally {
    await queue.return();
  }
}
