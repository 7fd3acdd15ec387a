import { open, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { makeFolder } from '@coconet/cluster-protocol/node';

import { CliError } from '../errors.js';

const FORMAT = 1;

/** An invitation that was made and that nobody has used yet, as far as we know. */
export interface KeptInvitation {
  readonly uri: string;
  readonly nodeId: number;
  /** ms of civil time. */
  readonly expiresAt: number;
}

/** Who is invited: COMMAND, another device, an app. */
export const DEV_INVITATIONS = ['command', 'device', 'client'] as const;

/** One of {@link DEV_INVITATIONS}. */
export type DevInvitation = (typeof DEV_INVITATIONS)[number];

/** What makes tomorrow's `coconet dev` the same as today's. */
export interface DevState {
  /** Of the first start; members remember it. */
  readonly port: number;
  readonly networkId: string;
  readonly invitations: Readonly<Partial<Record<DevInvitation, KeptInvitation>>>;
}

const IGNORED = '.gitignore';

/**
 * Makes the folder of `coconet dev`: private, and kept out of repositories, because it holds keys. Says whether it is new.
 * Fails with the system's own error.
 */
export async function makeDevFolder(root: string): Promise<boolean> {
  const made = await makeFolder(root);
  await writeFile(join(root, IGNORED), '*\n', { flag: 'wx' }).catch((error: unknown) => {
    if (!isSystemError(error, 'EEXIST')) throw error;
  });
  return made !== undefined;
}

/** Takes away what {@link makeDevFolder} made; a folder in which there is more stays. */
export async function removeDevFolder(root: string): Promise<void> {
  const names = await readdir(root).catch(() => []);
  if (names.some(name => name !== IGNORED)) return;
  await rm(join(root, IGNORED), { force: true });
  await rmdir(root).catch(() => undefined);
}

/** The state of an earlier start; `undefined`: there was none that came to its end. */
export async function readDevState(file: string): Promise<DevState | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const state = parse(text);
  if (state !== undefined) return state;
  throw new CliError('NOT_CLEAR', `${file} is damaged, or of a newer program`, {
    next: `remove the folder ${dirname(file)} to begin with a new network`,
  });
}

/** Writes the state; a crash leaves the old one or the new one. */
export async function writeDevState(file: string, state: DevState): Promise<void> {
  const temporary = `${file}.new`;
  // It holds invitations, which are secrets until they are used.
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ format: FORMAT, ...state })}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

const isSystemError = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

function parse(text: string): DevState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.format !== FORMAT) return undefined;
  const { port, networkId, invitations } = value;
  if (typeof port !== 'number' || typeof networkId !== 'string' || !isRecord(invitations)) return undefined;
  const kept = DEV_INVITATIONS.flatMap(name => {
    const invitation = invitations[name];
    return isInvitation(invitation) ? [[name, invitation] as const] : [];
  });
  return { port, networkId, invitations: Object.fromEntries(kept) };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isInvitation = (value: unknown): value is KeptInvitation =>
  isRecord(value) &&
  typeof value.uri === 'string' &&
  typeof value.nodeId === 'number' &&
  typeof value.expiresAt === 'number';
