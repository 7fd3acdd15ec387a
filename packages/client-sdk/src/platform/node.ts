import { lookup } from 'node:dns/promises';
import { open, rm } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import { ClusterError } from '@coconet/cluster-protocol';
import {
  acquireStoreLock,
  createNodeHost,
  JsonLineClient,
  JsonLineServer,
  openFileStore,
} from '@coconet/cluster-protocol/node';
import { ClientError } from '../errors.js';
import type { Platform } from './platform.js';

/** Node: sockets, files and local sockets. */
export const platform: Platform = {
  openHost: () => createNodeHost(),

  async resolve(host) {
    if (isIP(host) !== 0) return [host];
    return (await lookup(host, { all: true })).map(({ address }) => address);
  },

  async openStore(path) {
    const lock = await acquireStoreLock(path);
    if (!lock.held) return { kind: 'shared', connect: async () => new JsonLineClient(await lock.connect()) };
    let server: JsonLineServer | undefined;
    const store = await openFileStore(path).catch(async (error: unknown) => {
      await lock.release();
      throw error;
    });
    return {
      kind: 'held',
      store,
      serve(methods) {
        server = new JsonLineServer(methods);
        lock.serve(socket => server?.accept(socket));
      },
      async release() {
        await server?.close();
        await store.close();
        await lock.release();
      },
    };
  },

  async writePrivateFile(path, text) {
    const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
      if (codeOf(error) === 'EEXIST')
        throw new ClientError(
          'FILE_EXISTS',
          `${path} exists already, and a key is never written over anything: name another file`,
        );
      throw new ClientError('INVALID_OPTION', `${path} cannot be written: the system says ${codeOf(error)}`, {
        cause: error,
      });
    });
    try {
      // The umask may take bits away, it never gives any; but a mode is no mode before it was set.
      if (process.platform !== 'win32') await file.chmod(0o600);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  },

  removeFile: path => rm(path, { force: true }),

  async callSocket(path, method, params) {
    const client = new JsonLineClient(await connectTo(path));
    try {
      return await client.request(method, params);
    } finally {
      await client.close();
    }
  },
};

async function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      resolve(socket);
    });
    socket.once('error', error => {
      reject(
        new ClusterError(
          'NMN_UNREACHABLE',
          `no NMN answers at ${path} (${codeOf(error)}): is it running, as this user?`,
          {
            cause: error,
          },
        ),
      );
    });
  });
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'no reason';
