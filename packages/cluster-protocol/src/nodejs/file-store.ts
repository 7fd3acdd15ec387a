import { copyFile, open, readdir, readFile, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { ClusterError } from '../base/index.js';
import { DAMAGED_KEY, type Store } from '../interface/machine.js';
import { checkStoreKey } from '../interface/memory-store.js';
import { checkFileMode, prepareStoreFolder, replaceFile, temporaryName, unusable } from './store-folder.js';
import {
  changesLength,
  encodeFrame,
  HEADER_LENGTH,
  LOG_VERSION,
  logHeader,
  MAX_FRAME,
  readFrames,
  readLogHeader,
} from './store-log.js';

const LOG_NAME = 'store.log';

/** A log is rewritten when it is so many times larger than what it holds … */
const COMPACT_FACTOR = 4;

/** … and at least this large: a small log is not worth the fsyncs. */
const COMPACT_FROM = 1024 * 1024;

/** Bytes of writes that wait for the disk; more means that the disk is dead or the caller mad. */
const MAX_WAITING = 64 * 1024 * 1024;

/**
 * What {@link openFileStore} found. `damaged`: acknowledged changes are lost, not by a crash; the old log was set aside,
 * and the entry {@link DAMAGED_KEY} says so until somebody deletes it.
 */
export type StoreCondition = 'created' | 'clean' | 'tornTail' | 'damaged';

interface Write {
  readonly changes: ReadonlyMap<string, Uint8Array | undefined>;
  readonly length: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly error: ClusterError }
  | { readonly kind: 'closed' };

/**
 * A store in a folder: one log of checksummed frames, written behind each other and synced before a write resolves.
 * Writes of the same moment share a frame and a sync. Only the holder of the folder's lock may open it.
 */
export class FileStore implements Store {
  readonly durable = true;
  readonly path: string;
  /** How the log was found. */
  readonly condition: StoreCondition;
  readonly #entries: Map<string, Uint8Array>;
  #file: FileHandle;
  /** Where the next frame goes; everything before it is durable. */
  #end: number;
  /** Bytes that the entries take in a log of their own. */
  #live: number;
  #compactFrom = COMPACT_FROM;
  #waiting: Write[] = [];
  #waitingLength = 0;
  #flushing: Promise<void> | undefined;
  #state: State = { kind: 'open' };

  /** Use {@link openFileStore}. */
  constructor(
    path: string,
    condition: StoreCondition,
    file: FileHandle,
    contents: { readonly entries: Map<string, Uint8Array>; readonly end: number },
  ) {
    this.path = path;
    this.condition = condition;
    this.#file = file;
    this.#entries = contents.entries;
    this.#end = contents.end;
    this.#live = changesLength(contents.entries);
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    this.#checkOpen();
    return copyOf(this.#entries.get(key));
  }

  async list(prefix: string): Promise<readonly string[]> {
    this.#checkOpen();
    return [...this.#entries.keys()].filter(key => key.startsWith(prefix)).sort();
  }

  /**
   * As the interface says; what is not durable yet is not read back either. Fails with `INVALID_ARGUMENT` (a key, or
   * more than 16 MiB at once), `QUEUE_FULL`, or `STORE_UNUSABLE`: then nothing of it was or will be stored, unless the
   * disk failed to sync, after which the store refuses everything and says so.
   */
  async write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    this.#checkOpen();
    for (const key of changes.keys()) checkStoreKey(key);
    if (changes.size === 0) return this.#flushing;
    const copies = new Map([...changes].map(([key, value]) => [key, copyOf(value)] as const));
    const length = changesLength(copies);
    if (length > MAX_FRAME) {
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `${length} bytes in one write; a store takes ${MAX_FRAME} at once`,
      );
    }
    if (this.#waitingLength + length > MAX_WAITING) {
      throw new ClusterError(
        'QUEUE_FULL',
        `${this.#waitingLength} bytes wait to be written to ${this.path} already`,
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ changes: copies, length, resolve, reject });
      this.#waitingLength += length;
      this.#flushing ??= this.#flush();
    });
  }

  /** Waits for the writes under way, then closes. */
  async close(): Promise<void> {
    if (this.#state.kind === 'closed') return;
    await this.#flushing;
    if (this.#isClosed()) return;
    this.#state = { kind: 'closed' };
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    // Whatever is written in this turn of the event loop shares the first sync.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        await this.#commit(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#flushing = undefined;
  }

  #nextGroup(): readonly Write[] {
    let length = 0;
    const tooMany = this.#waiting.findIndex(write => (length += write.length) > MAX_FRAME);
    const group = this.#waiting.splice(0, tooMany < 0 ? this.#waiting.length : tooMany);
    for (const write of group) this.#waitingLength -= write.length;
    return group;
  }

  async #commit(group: readonly Write[]): Promise<void> {
    if (this.#state.kind === 'failed') throw this.#state.error;
    const frame = encodeFrame(
      this.#end,
      group.map(({ changes }) => changes),
    );
    await this.#checkAlone();
    try {
      await writeWhole(this.#file, frame, this.#end);
    } catch (error) {
      await this.#cutBack(error);
      throw unusable(this.path, error);
    }
    try {
      await this.#file.datasync();
    } catch (error) {
      // After a failed sync nobody knows what the disk holds, and the next sync would lie.
      throw this.#fail(unusable(this.path, error));
    }
    this.#end += frame.length;
    for (const { changes } of group) this.#apply(changes);
    await this.#compactIfWorthIt();
  }

  #apply(changes: ReadonlyMap<string, Uint8Array | undefined>): void {
    for (const [key, value] of changes) {
      const old = this.#entries.get(key);
      if (old !== undefined) this.#live -= changesLength([[key, old]]);
      if (value === undefined) this.#entries.delete(key);
      else {
        this.#entries.set(key, value);
        this.#live += changesLength([[key, value]]);
      }
    }
  }

  /** Two programs on one log would ruin it: each sees when the other has written. */
  async #checkAlone(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size === this.#end) return;
    throw this.#fail(
      new ClusterError(
        'STORE_IN_USE',
        `another program writes to the store ${this.path}: every program needs one of its own.`,
      ),
    );
  }

  async #cutBack(cause: unknown): Promise<void> {
    try {
      await this.#file.truncate(this.#end);
    } catch {
      this.#fail(unusable(this.path, cause));
    }
  }

  #fail(error: ClusterError): ClusterError {
    this.#state = { kind: 'failed', error };
    return error;
  }

  async #compactIfWorthIt(): Promise<void> {
    if (this.#end < this.#compactFrom || this.#end < COMPACT_FACTOR * this.#live) return;
    try {
      const { file, end } = await writeLog(this.path, this.#entries);
      const old = this.#file;
      this.#file = file;
      this.#end = end;
      this.#compactFrom = COMPACT_FROM;
      await old.close();
    } catch {
      // Nothing is lost: the old log goes on. It is tried again when that has grown a good deal.
      this.#compactFrom = 2 * this.#end;
    }
  }

  #checkOpen(): void {
    if (this.#isClosed()) throw new ClusterError('INVALID_STATE', `the store ${this.path} is closed`);
    if (this.#state.kind === 'failed') throw this.#state.error;
  }

  #isClosed(): boolean {
    return this.#state.kind === 'closed';
  }
}

/**
 * Opens the store in the folder `path`, which is made when it is not there. Only the holder of the folder's lock may.
 * Fails with `STORE_UNUSABLE` (and what to do) or `STORE_NEWER`.
 */
export async function openFileStore(path: string): Promise<FileStore> {
  await prepareStoreFolder(path);
  try {
    await removeLeftovers(path);
    return await openLog(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

async function openLog(path: string): Promise<FileStore> {
  const name = join(path, LOG_NAME);
  const log = await readIfThere(name);
  if (log === undefined) {
    const { file, end } = await writeLog(path, new Map());
    return new FileStore(path, 'created', file, { entries: new Map(), end });
  }
  await checkFileMode(name);
  const header = logHeader();
  if (log.length < HEADER_LENGTH && log.every((byte, i) => byte === header[i])) {
    // A log appears under its name when it is whole; a file system that lost its end lost an empty store.
    const { file, end } = await writeLog(path, new Map());
    return new FileStore(path, 'tornTail', file, { entries: new Map(), end });
  }
  checkVersion(name, log);
  const contents = readFrames(log);
  if (contents.damaged) {
    // Aside by copy: at no moment is there no log, which would be an empty store after a crash.
    await copyFile(name, temporaryName(join(path, 'store.damaged')).replace(/\.new$/, ''));
    const entries = new Map(contents.entries).set(DAMAGED_KEY, new Uint8Array(0));
    const { file, end } = await writeLog(path, entries);
    return new FileStore(path, 'damaged', file, { entries, end });
  }
  const file = await open(name, 'r+');
  if (contents.end === log.length) return new FileStore(path, 'clean', file, contents);
  try {
    await file.truncate(contents.end);
    await file.sync();
  } catch (error) {
    await file.close();
    throw error;
  }
  return new FileStore(path, 'tornTail', file, contents);
}

function checkVersion(name: string, log: Uint8Array): void {
  const version = readLogHeader(log);
  if (version === undefined) {
    throw new ClusterError(
      'STORE_UNUSABLE',
      `${name} is not a store of Coconet, or its first bytes are damaged: choose another folder, or restore a backup.`,
    );
  }
  if (version > LOG_VERSION) {
    throw new ClusterError(
      'STORE_NEWER',
      `${name} was written by a newer program (format ${version}, this one knows ${LOG_VERSION}): update this program.`,
    );
  }
}

/** Writes a log that holds `entries` and nothing else, in the place of the old one. */
async function writeLog(
  path: string,
  entries: ReadonlyMap<string, Uint8Array>,
): Promise<{ readonly file: FileHandle; readonly end: number }> {
  let end = 0;
  const file = await replaceFile(path, LOG_NAME, async created => {
    const append = async (bytes: Uint8Array): Promise<void> => {
      await writeWhole(created, bytes, end);
      end += bytes.length;
    };
    await append(logHeader());
    let batch: [string, Uint8Array][] = [];
    let length = 0;
    for (const entry of entries) {
      length += changesLength([entry]);
      if (length > MAX_FRAME) {
        await append(encodeFrame(end, [batch]));
        batch = [];
        length = changesLength([entry]);
      }
      batch.push(entry);
    }
    if (batch.length > 0) await append(encodeFrame(end, [batch]));
  });
  return { file, end };
}

/** A copy, of a Buffer too: that class's own `slice` gives a view. */
const copyOf = (value: Uint8Array | undefined): Uint8Array | undefined =>
  value === undefined ? undefined : new Uint8Array(value);

async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function readIfThere(name: string): Promise<Uint8Array | undefined> {
  try {
    const { buffer, byteOffset, byteLength } = await readFile(name);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes what a compaction that was killed left behind. */
async function removeLeftovers(path: string): Promise<void> {
  for (const name of await readdir(path)) {
    if (name.startsWith(`${LOG_NAME}.`) && name.endsWith('.new')) await unlink(join(path, name));
  }
}
