import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';

import sqlite3 from 'sqlite3';

/** What a disk says that does not do what it should. */
export interface Fault {
  /** The I/O that fails, from 1. */
  readonly at: number;
  /** So does every one after it, until the disk is mended. */
  readonly lasting: boolean;
  readonly error: 'EIO' | 'ENOSPC';
}

const SQLITE_ERRORS = {
  EIO: { code: 'SQLITE_IOERR', errno: 10, message: 'SQLITE_IOERR: disk I/O error' },
  ENOSPC: { code: 'SQLITE_FULL', errno: 13, message: 'SQLITE_FULL: database or disk is full' },
} as const;

/** Everything of `node:fs/promises` that touches the disk here. */
const FILE_CALLS = ['open', 'readFile', 'readdir', 'mkdir', 'chmod', 'stat', 'rename', 'unlink'] as const;
const HANDLE_CALLS = ['writeFile', 'sync'] as const;
const STATEMENT_CALLS = ['run', 'all', 'get', 'exec'] as const;

type Call = (this: unknown, ...args: unknown[]) => unknown;
type Callback = (error: Error | null) => void;

/**
 * The disk of this process: it counts the calls into the file system and the statements that SQLite is given, and fails
 * those that it is told to. As SQLite does, it takes a transaction back when a statement of it cannot be written. For a
 * process that runs one test file, whose tests take turns.
 */
export class FaultyIo {
  #fault: Fault | undefined;
  #count = 0;
  #met = false;
  /** Called before each statement, to look at the files as they lie there. */
  #before: (() => Promise<void>) | undefined;
  readonly #databases = new Set<sqlite3.Database>();

  /** Puts itself between this process and its disk, for good. */
  static async install(): Promise<FaultyIo> {
    const io = new FaultyIo();
    const promises = fs.promises as unknown as Record<string, Call>;
    const handle = await fs.promises.open(fileURLToPath(import.meta.url));
    const handles = Object.getPrototypeOf(handle) as Record<keyof FileHandle, Call>;
    await handle.close();
    for (const name of FILE_CALLS) promises[name] = io.#file(name, promises[name]!);
    for (const name of HANDLE_CALLS) handles[name] = io.#file(name, handles[name]);
    syncBuiltinESMExports();
    const statements = sqlite3.Database.prototype as unknown as Record<string, Call>;
    for (const name of STATEMENT_CALLS) statements[name] = io.#statement(statements[name]!);
    return io;
  }

  /** Counts from one again, and fails what the fault says. */
  break(fault: Fault): void {
    this.#fault = fault;
    this.#count = 0;
    this.#met = false;
  }

  /** The fault is over. Returns whether anything met it. */
  mend(): boolean {
    this.#fault = undefined;
    return this.#met;
  }

  /** Lets the caller look before each statement that SQLite is given, until it is called without a function. */
  beforeStatements(look?: () => Promise<void>): void {
    this.#before = look;
  }

  /** The connections that SQLite was used through. */
  get databases(): readonly sqlite3.Database[] {
    return [...this.#databases];
  }

  #fails(): Fault['error'] | undefined {
    if (!this.#fault) return undefined;
    this.#count++;
    const { at, lasting, error } = this.#fault;
    if (this.#count !== at && !(lasting && this.#count > at)) return undefined;
    this.#met = true;
    return error;
  }

  #file(name: string, call: Call): Call {
    const fails = (): string | undefined => this.#fails();
    return async function (...args) {
      const code = fails();
      if (code !== undefined) throw Object.assign(new Error(`${code}: the disk failed, ${name}`), { code });
      return call.apply(this, args);
    };
  }

  #statement(call: Call): Call {
    const look = (): (() => Promise<void>) | undefined => this.#before;
    const fails = (text: string): Fault['error'] | undefined =>
      // Taking a transaction back needs no disk.
      /^\s*rollback/i.test(text) ? undefined : this.#fails();
    const databases = this.#databases;
    return function (...args) {
      databases.add(this as sqlite3.Database);
      const text = String(args[0]);
      const begin = look();
      if (begin) {
        void begin().then(() => call.apply(this, args));
        return this;
      }
      const code = fails(text);
      if (code === undefined) return call.apply(this, args);
      const done = args.at(-1) as Callback;
      const { message, ...rest } = SQLITE_ERRORS[code];
      const error = Object.assign(new Error(message), rest);
      // Outside of a transaction this does nothing.
      call.call(this, 'ROLLBACK', () => {
        done.call(this, error);
      });
      return this;
    };
  }
}
