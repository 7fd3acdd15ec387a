import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { DropReason } from '@coconet/cluster-protocol/core';
import { JsonLineClient, type JsonLineMethod, JsonLineServer } from '@coconet/cluster-protocol/node';

import { NmnError } from '../errors.js';
import { DATA_FILES, type DataFolder } from '../storage/data-folder.js';
import { ON_WINDOWS, replacePrivateFile } from '../storage/private-file.js';

/** Bytes of a socket's path that every system takes (103 on macOS and the BSDs, 107 on Linux, without the final zero). */
const MAX_SOCKET_PATH = 103;
const TEMPORARY_PREFIX = 'coconet-nmn-';

/**
 * The operator's way in: a local socket that only the owner of the data folder may open, one JSON value a line (the same
 * lines that programs sharing a store speak). Whoever holds the folder holds the socket, so a stale one is replaced.
 */
export class AdminSocket {
  readonly #server: Server;
  readonly #lines: JsonLineServer;
  /** A folder of our own, where the data folder's path is too long for a socket. */
  readonly #temporary: string | undefined;

  private constructor(server: Server, lines: JsonLineServer, temporary: string | undefined) {
    this.#server = server;
    this.#lines = lines;
    this.#temporary = temporary;
  }

  /** Throws `ADMIN_SOCKET_FAILED`. */
  static async listen(
    folder: DataFolder,
    methods: Readonly<Record<string, JsonLineMethod>>,
  ): Promise<AdminSocket> {
    const lines = new JsonLineServer(methods);
    const server = createServer(socket => {
      socket.on('error', () => socket.destroy());
      lines.accept(socket);
    });
    await rm(folder.file('adminSocketPath'), { force: true });
    const near = folder.file('adminSocket');
    const fits = ON_WINDOWS || Buffer.byteLength(near) <= MAX_SOCKET_PATH;
    const temporary = fits ? undefined : await mkdtemp(join(tmpdir(), TEMPORARY_PREFIX));
    const address =
      temporary === undefined ? addressOf(folder.path) : join(temporary, DATA_FILES.adminSocket);
    if (!ON_WINDOWS) await rm(address, { force: true });
    try {
      await new Promise<void>((done, failed) => {
        server.once('error', failed);
        server.listen({ path: address }, done);
      });
      // Nobody else could reach it meanwhile: its folder has the mode 0700.
      if (!ON_WINDOWS) await chmod(address, 0o600);
      if (temporary !== undefined)
        await replacePrivateFile(
          folder.file('adminSocketPath'),
          folder.file('newAdminSocketPath'),
          `${address}\n`,
        );
    } catch (error) {
      server.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new NmnError('ADMIN_SOCKET_FAILED', `the local socket ${address} cannot be opened: ${reason}`, {
        cause: error,
      });
    }
    return new AdminSocket(server, lines, temporary);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(done => this.#server.close(() => done()));
    await this.#lines.close();
    await closed;
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true });
  }
}

/** What the NMN on a data folder says of itself. */
export interface NmnStatus {
  readonly pid: number;
  readonly port: number;
  readonly httpPort: number | undefined;
  readonly networks: number;
  readonly members: number;
  readonly sessions: number;
  readonly health: string;
  /** What came from the network and was dropped since the start, by reason; what is relayed and STUN have their own metrics. */
  readonly dropped: Partial<Readonly<Record<DropReason, number>>>;
}

/** A network in the list of an NMN. */
export interface NetworkSummary {
  /** Network id, 22 characters. */
  readonly network: string;
  readonly name: string;
  readonly members: number;
  readonly online: number;
}

/** A conversation with the NMN that runs on a data folder. */
export interface NmnAdmin {
  status(): Promise<NmnStatus>;
  listNetworks(): Promise<readonly NetworkSummary[]>;
  /** A URI with which somebody may create one network, once, within the hour. */
  operatorToken(): Promise<string>;
  /** Resolves when the NMN has begun to stop. */
  stop(): Promise<void>;
  close(): void;
}

/** Throws `ADMIN_SOCKET_FAILED` when no NMN runs on this folder, or it belongs to another user. */
export async function connectToNmn(dataFolder: string): Promise<NmnAdmin> {
  const folder = resolve(dataFolder);
  const recorded = await readFile(join(folder, DATA_FILES.adminSocketPath), 'utf8').catch(() => undefined);
  const socket = await open(recorded?.trim() ?? addressOf(folder), folder);
  const client = new JsonLineClient(socket);
  return {
    status: async () => (await client.request('status')) as NmnStatus,
    listNetworks: async () => (await client.request('listNetworks')) as readonly NetworkSummary[],
    operatorToken: async () => ((await client.request('operatorToken')) as { readonly uri: string }).uri,
    stop: async () => {
      await client.request('stop');
    },
    close: () => socket.destroy(),
  };
}

function open(address: string, folder: string): Promise<Socket> {
  return new Promise((done, failed) => {
    const socket = connect({ path: address });
    socket.once('error', cause =>
      failed(
        new NmnError(
          'ADMIN_SOCKET_FAILED',
          `no NMN answers on the data folder ${folder} (${cause.message}); start it, or name the right folder`,
          { cause },
        ),
      ),
    );
    socket.once('connect', () => done(socket));
  });
}

/** Where the socket of a folder is, unless the folder says otherwise. */
function addressOf(folder: string): string {
  if (!ON_WINDOWS) return join(folder, DATA_FILES.adminSocket);
  return `\\\\.\\pipe\\coconet-nmn-${createHash('sha256').update(folder.toLowerCase()).digest('hex').slice(0, 32)}`;
}
