import { lookup } from 'node:dns/promises';
import { ClusterError } from '@coconet/cluster-protocol';
import type { Store } from '@coconet/cluster-protocol';
import {
  acquireStoreLock,
  createNodeHost,
  JsonLineServer,
  openFileStore,
} from '@coconet/cluster-protocol/node';
import type { DeviceOptions } from './device-options.js';
import { Device } from './device.js';

/**
 * Becomes a device of a network: joins with `join` at the first start, and goes on as the same device at every later
 * one. Waits for an NMN that does not answer as long as it takes, and says so once through `onNotice`; a device that has
 * joined needs no NMN to start.
 *
 * @throws {ClusterError} `JOIN_URI_INVALID`, `JOIN_REFUSED`, `WRONG_NETWORK`, `NOT_A_MEMBER` (no invitation and nothing
 * in the store), `STORE_IN_USE`, `STORE_UNUSABLE`, `STORE_NEWER`, `PORT_IN_USE`, `CANCELLED`.
 * @throws {DeviceError} `INVALID_OPTION`.
 * @example
 * const device = await createDevice({ name: 'Desk', join: process.env.COCONET_JOIN, store: './data' });
 */
export async function createDevice(options: DeviceOptions): Promise<Device> {
  const host = await createNodeHost();
  const { store, release } = await openStore(options.store);
  return Device.open(options, { host, store, resolve, release });
}

async function resolve(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

interface OpenedStore {
  readonly store: Store;
  readonly release: () => Promise<void>;
}

async function openStore(store: string | Store): Promise<OpenedStore> {
  if (typeof store !== 'string') return { store, release: () => Promise.resolve() };
  const lock = await acquireStoreLock(store);
  if (!lock.held)
    throw new ClusterError(
      'STORE_IN_USE',
      `the store ${store} is held by another running program: stop that one, or give this device a store of its own`,
    );
  // A device's program is the only one that can answer its commands: whoever else knocks here is told at once.
  const server = new JsonLineServer({});
  lock.serve(socket => server.accept(socket));
  try {
    const opened = await openFileStore(store);
    return {
      store: opened,
      release: async () => {
        await opened.close();
        await server.close();
        await lock.release();
      },
    };
  } catch (error) {
    await server.close();
    await lock.release();
    throw error;
  }
}
