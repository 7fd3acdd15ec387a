/**
 * Items waiting at once. A commit takes a few milliseconds; so many waiting mean that the disk does not keep up, and a
 * caller is better told so than kept.
 */
export const MAX_WAITING_WRITES = 16_384;

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One writer: whatever asks while a commit is under way shares the next one, so that a thousand joins cost a few flushes
 * of the disk and not a thousand. When a commit fails, all that was asked for so far fails with it: what came later was
 * decided in the belief that the earlier was kept.
 */
export class WriteQueue<T> {
  readonly #commit: (items: readonly T[]) => Promise<void>;
  #waiting: Waiting<T>[] = [];
  #running: Promise<void> | undefined;

  constructor(commit: (items: readonly T[]) => Promise<void>) {
    this.#commit = commit;
  }

  /** Resolves when `item` is durable. */
  write(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= MAX_WAITING_WRITES) {
        reject(new Error('the disk does not keep up: too many writes are waiting'));
        return;
      }
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when everything that was asked for so far is written or has failed. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // The rest of this turn's writes join the first batch.
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#commit(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failed = [...batch, ...this.#waiting];
        this.#waiting = [];
        for (const { reject } of failed) reject(error);
      }
    }
    this.#running = undefined;
  }
}
