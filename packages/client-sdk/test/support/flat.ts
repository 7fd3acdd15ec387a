import { mkdtemp, rm } from 'node:fs/promises';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { level, onOff } from '@coconet/capabilities';
import { createNodeHost, openFileStore } from '@coconet/cluster-protocol/node';
import { memberOf, smallNetwork, storeOf } from '@coconet/cluster-protocol/testing';
import { socketAddress } from '@coconet/cluster-protocol/wire';
import { createDevice, type Device } from '../../../device-sdk/src/index.js';

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>(resolve => socket.close(() => resolve()));
  return port;
}

/** A real device over loopback, and a real store of an app that knows where it is; no NMN. */
export interface Flat {
  readonly device: Device;
  /** What the lamp did. */
  readonly runs: string[];
  /** Folder of the app's store. */
  readonly store: string;
  readonly folder: string;
  readonly setLevel: (level: number) => void;
  /** Lets the handlers of `level.setLevel` end. */
  readonly release: () => void;
}

/** Makes a flat, and removes it after the test. */
export async function openFlat(t: ExecutionContext): Promise<Flat> {
  const folder = await mkdtemp(join(tmpdir(), 'coconet-client-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const host = await createNodeHost();
  const network = smallNetwork(host.crypto, host.random, host.wallTime(), [
    { name: 'Desk', kind: 'device' },
    { name: 'phone', kind: 'client', role: 'guest' },
  ]);
  const port = await freePort();
  const address = socketAddress('127.0.0.1', port)!;
  for (const name of ['Desk', 'phone']) {
    const knows = name === 'phone' ? new Map([[memberOf(network, 'Desk').nodeId, [address]]]) : new Map();
    const store = await openFileStore(join(folder, name));
    await store.write(storeOf(network, name, knows));
    await store.close();
  }
  const device = await createDevice({ store: join(folder, 'Desk'), port });
  t.teardown(() => device.close());
  const runs: string[] = [];
  const waiting: (() => void)[] = [];
  const lamp = device.addResource('lamp', [onOff, level]);
  lamp.onOff.set({ on: false });
  lamp.level.set({ level: 0 });
  lamp.onOff.handle({
    turnOn: () => {
      runs.push('turnOn');
      lamp.onOff.set({ on: true });
    },
  });
  lamp.level.handle({
    setLevel: async ({ level: wanted }) => {
      runs.push(`setLevel ${wanted}`);
      await new Promise<void>(resolve => waiting.push(resolve));
      lamp.level.set({ level: wanted });
    },
  });
  return {
    device,
    runs,
    store: join(folder, 'phone'),
    folder,
    setLevel: wanted => lamp.level.set({ level: wanted }),
    release: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}
