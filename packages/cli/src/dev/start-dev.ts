import { rm } from 'node:fs/promises';
import { userInfo } from 'node:os';

import type { Network } from '@coconet/client-sdk';
import type { RunningNmn } from '@coconet/nmn';

import { devPlaces, type DevPlaces } from '../places.js';
import { holdsAnything } from '../store.js';
import {
  DEV_INVITATIONS,
  type DevInvitation,
  type DevState,
  type KeptInvitation,
  makeDevFolder,
  readDevState,
  removeDevFolder,
  writeDevState,
} from './dev-state.js';

/** How {@link startDev} is to start. */
export interface DevOptions {
  /** `.coconet` is made in it. */
  readonly folder: string;
  /** UDP port of the NMN; 0: any. Default: that of last time, else the default port, else any free one. */
  readonly port?: number | undefined;
  /** Something that a person should know and nobody waits for. Default: it is dropped. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Calls the start off. */
  readonly signal?: AbortSignal | undefined;
}

/** A network on this machine, for trying things out. */
export interface Dev extends AsyncDisposable {
  readonly nmn: RunningNmn;
  /** `.coconet`, absolute. */
  readonly folder: string;
  /** UDP port of the NMN, on 127.0.0.1. */
  readonly port: number;
  readonly networkId: string;
  /** A device invitation for the program that is started with it: {@link Dev.joinUris}' `command`. */
  readonly joinUri: string;
  /** Invitations that nobody has used yet: for that program, for another device, for an app. */
  readonly joinUris: Readonly<Record<DevInvitation, string>>;
  /** Folder with the identity of the network's owner, a client. Nothing holds it open. */
  readonly clientStore: string;
  /** Stops the NMN; the network stays for the next start. */
  close(): Promise<void>;
}

/** The NMN of a folder is reached from this machine alone. */
const LOOPBACK = '127.0.0.1';

const NETWORK_NAME = 'dev';

/** Life of an invitation: as long as an NMN lets one live, seven days. */
const INVITATION_LIFE = 7 * 86_400_000;
/** One with less life left than this is made anew: a person may come back to what was printed in the morning. */
const LEFT_AT_LEAST = 86_400_000;
/** What happened while this node was away is told within this: 5 s. Else an invitation that was used is offered again. */
const NEWS_PATIENCE = 5_000;
/** How long the NMN next door may take to answer: 15 s, on a machine that is busy with other things. */
const PATIENCE = 15_000;

/**
 * Starts an NMN on loopback with everything in `.coconet`, makes a network in it the first time, and has invitations
 * ready. The same folder gives the same network again.
 *
 * @throws {NmnError} `DATA_FOLDER_IN_USE` when one runs there already, `PORT_IN_USE` for a port that was asked for.
 * @example
 * const dev = await startDev({ folder: process.cwd() });
 * spawn('node', ['lamp.js'], { env: { ...process.env, COCONET_JOIN: dev.joinUri } });
 */
export async function startDev({ folder, port, onNotice, signal }: DevOptions): Promise<Dev> {
  const places = devPlaces(folder);
  const isNew = await makeDevFolder(places.root);
  const state = await readDevState(places.state);
  const nmn = await startNmnAt(places, port, state?.port, onNotice).catch(async (error: unknown) => {
    if (isNew) await removeDevFolder(places.root);
    throw error;
  });
  try {
    if (state !== undefined && state.port !== nmn.port && state.port !== 0) {
      await moveOwner(places, nmn.port);
      onNotice?.(
        `port ${state.port} is taken or was given up; the NMN is at ${nmn.port} now, and programs learn it from COCONET_JOIN`,
      );
    }
    if (state === undefined) await makeNetwork(places, nmn, signal);
    const { networkId, invitations } = await invite(places, nmn.port, state, signal, onNotice);
    await writeDevState(places.state, { port: nmn.port, networkId, invitations });
    const joinUris = {
      command: invitations.command.uri,
      device: invitations.device.uri,
      client: invitations.client.uri,
    };
    const close = (): Promise<void> => nmn.close();
    return {
      nmn,
      folder: places.root,
      port: nmn.port,
      networkId,
      joinUri: joinUris.command,
      joinUris,
      clientStore: places.client,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await nmn.close();
    throw error;
  }
}

async function startNmnAt(
  places: DevPlaces,
  wanted: number | undefined,
  last: number | undefined,
  onNotice: ((text: string) => void) | undefined,
): Promise<RunningNmn> {
  const { DEFAULT_PORT, startNmn } = await import('@coconet/nmn');
  const start = (port: number): Promise<RunningNmn> =>
    startNmn({
      config: {
        dataFolder: places.nmn,
        listen: { port, bind: [LOOPBACK] },
        http: { port: 0 },
        logLevel: 'warn',
      },
      ...(onNotice && { log: onNotice }),
    });
  try {
    return await start(wanted ?? last ?? DEFAULT_PORT);
  } catch (error) {
    if (wanted !== undefined || codeOf(error) !== 'PORT_IN_USE') throw error;
    return start(0);
  }
}

/** Tells the owner's node where its NMN is now; its own memory knows the old place alone. */
async function moveOwner({ client }: DevPlaces, port: number): Promise<void> {
  const { encodeHosts, NMN_HOSTS_KEY } = await import('@coconet/cluster-protocol');
  const { acquireStoreLock, openFileStore } = await import('@coconet/cluster-protocol/node');
  const lock = await acquireStoreLock(client);
  if (!lock.held) return; // Somebody runs this node already; it keeps looking where it is.
  try {
    const store = await openFileStore(client);
    await store.write(new Map([[NMN_HOSTS_KEY, encodeHosts([{ host: LOOPBACK, port }])]]));
    await store.close();
  } finally {
    await lock.release();
  }
}

async function makeNetwork(
  places: DevPlaces,
  nmn: RunningNmn,
  signal: AbortSignal | undefined,
): Promise<void> {
  // A start that was interrupted may have left a whole network, or a root key of one that nobody owns.
  if (await holdsMembership(places.client)) return;
  await rm(places.client, { recursive: true, force: true });
  await rm(places.rootKey, { force: true });
  const { createNetwork } = await import('@coconet/client-sdk');
  const user = userName();
  await createNetwork({
    operator: await nmn.operatorUri(),
    name: NETWORK_NAME,
    user,
    nodeName: `${user} (dev)`,
    store: places.client,
    rootFile: places.rootKey,
    signal,
  });
}

async function holdsMembership(store: string): Promise<boolean> {
  if (!(await holdsAnything(store))) return false;
  const { connect } = await import('@coconet/client-sdk');
  try {
    await (await connect({ store })).close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'NOT_A_MEMBER') return false;
    throw error;
  }
}

interface Invited {
  readonly networkId: string;
  readonly invitations: Readonly<Record<DevInvitation, KeptInvitation>>;
}

/** Invitations of the last start that are still good, and new ones for the others. */
async function invite(
  places: DevPlaces,
  port: number,
  state: DevState | undefined,
  signal: AbortSignal | undefined,
  onNotice: ((text: string) => void) | undefined,
): Promise<Invited> {
  const { connect } = await import('@coconet/client-sdk');
  const network = await connect({ store: places.client, signal, onNotice });
  try {
    const invitations: Partial<Record<DevInvitation, KeptInvitation>> = {};
    if (state !== undefined) await network.ready({ signal, timeout: NEWS_PATIENCE });
    for (const name of DEV_INVITATIONS) {
      const kept = state?.invitations[name];
      invitations[name] =
        kept !== undefined && isGood(kept, network, port) ? kept : await make(network, name, signal);
    }
    return { networkId: network.networkId, invitations: invitations as Invited['invitations'] };
  } finally {
    await network.close();
  }
}

function isGood({ nodeId, uri, expiresAt }: KeptInvitation, network: Network, port: number): boolean {
  const used = network.nodes().some(node => node.nodeId === nodeId);
  return !used && expiresAt > Date.now() + LEFT_AT_LEAST && uri.startsWith(`coconet://${LOOPBACK}:${port}/`);
}

async function make(
  network: Network,
  name: DevInvitation,
  signal: AbortSignal | undefined,
): Promise<KeptInvitation> {
  const wish =
    name === 'client' ? ({ kind: 'client', role: 'guest' } as const) : ({ kind: 'device' } as const);
  const { uri, nodeId, expiresAt } = await network.admin.createInvitation(
    { ...wish, expiresIn: INVITATION_LIFE },
    { signal, timeout: PATIENCE },
  );
  return { uri, nodeId, expiresAt: expiresAt.getTime() };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'owner';
  }
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
