import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rename, rm, symlink, unlink } from 'node:fs/promises';
import { connect as connectTo, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import { ClusterError } from '../base/index.js';
import { createWhole, prepareStoreFolder, temporaryName, unusable } from './store-folder.js';

/** Leads to the socket of the present holder, for programs that do not read the records. */
const SOCKET_NAME = 'store.sock';

/** Bytes of a socket's path that every system takes: 103 on macOS and the BSDs, 107 on Linux, without the final zero. */
const MAX_SOCKET_PATH = 103;

/** `holder-N`: the record of the N-th holder of a store; its one line is the address of its socket. */
const RECORD = /^holder-([1-9][0-9]{0,14})$/;

/** Lost races before we give up: each one means that another program has become the holder meanwhile. */
const MAX_ATTEMPTS = 50;

/** Connections that came before the holder was ready to serve. */
const MAX_EARLY = 64;

/** This process holds the store. */
export interface HeldLock {
  readonly held: true;
  /** Gives every connection of another program to `accept`, those included that waited. */
  serve(accept: (socket: Socket) => void): void;
  /** Lets the next program take over. Connections that were accepted are their owner's to end. */
  release(): Promise<void>;
}

/** Another process holds the store. */
export interface ForeignLock {
  readonly held: false;
  /** A connection to the holder; fails when it has ended, and then it is time to ask for the lock again. */
  connect(): Promise<Socket>;
}

/** Who holds a store. */
export type StoreLock = HeldLock | ForeignLock;

/**
 * Takes the lock of the store in the folder `path`, or finds its holder. A holder that was killed counts for nothing.
 *
 * Every holder has a number, and numbers only grow. A candidate opens a socket, sees that the newest holder does not
 * answer, and creates the record with the next number, which succeeds for one candidate only. It then looks again: when
 * it sees a higher number it was late and withdraws. A record is removed only by the holder of a higher one, and never
 * by its own, so that the highest number in the folder never falls; therefore a late candidate always sees who was
 * faster. Nobody's clock or process number matters.
 */
export async function acquireStoreLock(path: string): Promise<StoreLock> {
  const folder = resolve(path);
  await prepareStoreFolder(folder);
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const lock = await tryOnce(folder);
      if (lock !== undefined) return lock;
    }
  } catch (error) {
    throw unusable(folder, error);
  }
  throw new ClusterError(
    'STORE_IN_USE',
    `many programs fight over the store ${folder}: stop some of them and try again.`,
  );
}

async function tryOnce(folder: string): Promise<StoreLock | undefined> {
  const newest = (await recordsIn(folder)).at(-1) ?? 0;
  const address = newest === 0 ? undefined : await readRecord(folder, newest);
  if (address !== undefined && (await isAnswered(address))) return new Foreign(address);
  const socket = await HolderSocket.open(folder);
  try {
    // It listens before its record exists: whoever finds the record of a living holder gets an answer.
    if (!(await createWhole(folder, `holder-${newest + 1}`, socket.address))) {
      await socket.discard();
      return undefined;
    }
    // Twice: a folder that changes while it is read may show neither what went nor what came.
    const records = [...(await recordsIn(folder)), ...(await recordsIn(folder))];
    if (Math.max(...records) !== newest + 1) {
      await unlink(join(folder, `holder-${newest + 1}`));
      await socket.discard();
      return undefined;
    }
    await removeOld(folder, new Set(records.filter(number => number <= newest)));
    await socket.showAs(join(folder, SOCKET_NAME));
    return socket;
  } catch (error) {
    await socket.discard();
    throw error;
  }
}

/** The socket of a process that holds a store, or is about to. */
class HolderSocket implements HeldLock {
  readonly held = true;
  /** A path in the file system, or a named pipe on Windows. */
  readonly address: string;
  readonly #server: Server;
  readonly #early: Socket[] = [];
  #accept: ((socket: Socket) => void) | undefined;

  private constructor(server: Server, address: string) {
    this.#server = server;
    this.address = address;
    server.on('connection', socket => this.#take(socket));
  }

  static async open(folder: string): Promise<HolderSocket> {
    const server = createServer({ pauseOnConnect: true });
    const holder = new HolderSocket(server, await chooseAddress(folder));
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen({ path: holder.address }, done);
    });
    // Nobody else can reach it meanwhile: its folder is this user's alone.
    if (!isPipe(holder.address)) await chmod(holder.address, 0o600);
    return holder;
  }

  serve(accept: (socket: Socket) => void): void {
    this.#accept = accept;
    for (const socket of this.#early.splice(0)) this.#take(socket);
  }

  async release(): Promise<void> {
    // The record stays, see above; its socket is gone, so the next candidate takes over.
    await this.discard();
  }

  /** Stops listening. */
  async discard(): Promise<void> {
    for (const socket of this.#early.splice(0)) socket.destroy();
    this.#accept = socket => socket.destroy();
    this.#server.close(); // Not awaited: it waits for connections that are not ours to end.
    await removeSocket(this.address);
  }

  /** Lets `path` lead here. */
  async showAs(path: string): Promise<void> {
    if (isPipe(this.address)) return;
    const temporary = temporaryName(path);
    const isNear = dirname(this.address) === dirname(path);
    await symlink(isNear ? basename(this.address) : this.address, temporary);
    await rename(temporary, path);
  }

  #take(socket: Socket): void {
    // A client that ends at a bad moment is not our trouble.
    socket.on('error', () => socket.destroy());
    if (this.#accept !== undefined) {
      socket.resume();
      this.#accept(socket);
    } else if (this.#early.length < MAX_EARLY) this.#early.push(socket);
    else socket.destroy();
  }
}

class Foreign implements ForeignLock {
  readonly held = false;
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  connect(): Promise<Socket> {
    return new Promise((done, failed) => {
      const socket = connectTo({ path: this.#address });
      socket.once('error', failed);
      socket.once('connect', () => {
        socket.off('error', failed);
        done(socket);
      });
    });
  }
}

/** Numbers of the records in a folder, the highest last. */
async function recordsIn(folder: string): Promise<readonly number[]> {
  const numbers = (await readdir(folder)).map(name => Number(RECORD.exec(name)?.[1] ?? 0));
  return numbers.filter(number => number > 0).sort((a, b) => a - b);
}

/** The address in a record; `undefined` when the record was removed since it was seen. */
async function readRecord(folder: string, number: number): Promise<string | undefined> {
  try {
    return await readFile(join(folder, `holder-${number}`), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether a living process listens there. Only a clear no counts as no: a holder that is slow is still the holder. */
function isAnswered(address: string): Promise<boolean> {
  return new Promise(answer => {
    const socket = connectTo({ path: address });
    socket.once('connect', () => {
      socket.destroy();
      answer(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      answer(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT' && error.code !== 'ENOTSOCK');
    });
  });
}

async function removeOld(folder: string, numbers: ReadonlySet<number>): Promise<void> {
  for (const number of numbers) {
    const address = await readRecord(folder, number);
    if (address !== undefined) await removeSocket(address);
    await unlink(join(folder, `holder-${number}`)).catch(() => undefined);
  }
}

async function chooseAddress(folder: string): Promise<string> {
  const name = `store-${randomBytes(6).toString('hex')}.sock`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\coconet-${name}`;
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  // A folder of our own, mode 0700: in the temporary folder anybody could take a name, or listen in.
  const base = Buffer.byteLength(tmpdir()) <= MAX_SOCKET_PATH - 32 ? tmpdir() : '/tmp';
  return join(await mkdtemp(join(base, TEMPORARY_PREFIX)), 's');
}

const TEMPORARY_PREFIX = 'coconet-';

async function removeSocket(address: string): Promise<void> {
  if (isPipe(address)) return;
  // A record holds what a holder wrote, but a wrong one must not make us remove anything that is not a socket's.
  if (/^store-[0-9a-f]{12}\.sock$/.test(basename(address))) await rm(address, { force: true });
  else if (basename(address) === 's' && basename(dirname(address)).startsWith(TEMPORARY_PREFIX)) {
    await rm(address, { force: true });
    await rm(dirname(address), { force: true, recursive: true });
  }
}

const isPipe = (address: string): boolean => address.startsWith('\\\\.\\pipe\\');
