import { ClusterError } from '../base/index.js';
import type { Store } from './machine.js';

/** A store that is forgotten with the process: for programs that join anew each time, and for tests. */
export class MemoryStore implements Store {
  readonly durable: boolean = false;
  readonly #entries = new Map<string, Uint8Array>();
  #closed = false;

  async read(key: string): Promise<Uint8Array | undefined> {
    this.#checkOpen();
    const value = this.#entries.get(key);
    return value === undefined ? undefined : new Uint8Array(value);
  }

  async list(prefix: string): Promise<readonly string[]> {
    this.#checkOpen();
    return [...this.#entries.keys()].filter(key => key.startsWith(prefix)).sort();
  }

  async write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    this.#checkOpen();
    for (const key of changes.keys()) checkStoreKey(key);
    for (const [key, value] of changes) {
      if (value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, new Uint8Array(value)); // Not `slice`: of a Buffer that is a view.
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClusterError('INVALID_STATE', 'this store is closed');
  }
}

/** Letters of a key: what every file system, database and log line takes as it is. */
const KEY = /^[A-Za-z0-9._/:#-]{1,128}$/;

/** Refuses a key that not every implementation of {@link Store} can hold, with `INVALID_ARGUMENT`. */
export function checkStoreKey(key: string): void {
  if (KEY.test(key)) return;
  throw new ClusterError(
    'INVALID_ARGUMENT',
    `${JSON.stringify(key.slice(0, 140))} is no store key: 1 to 128 of A-Z a-z 0-9 . _ / : # -`,
  );
}
