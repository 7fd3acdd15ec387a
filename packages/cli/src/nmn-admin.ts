import { resolve } from 'node:path';

import type { NmnAdmin } from '@coconet/nmn';

import type { Context, Surroundings } from './context.js';
import { CliError } from './errors.js';
import { option } from './option.js';
import { defaultNmnFolder, devPlaces } from './places.js';

/** `--data` of the commands about an NMN. */
export const NMN_DATA = option.text(
  'FOLDER',
  'data folder of the NMN; default: the data folder of the system',
);

/** The data folder that a command means, absolute. */
export const nmnFolder = (data: string | undefined, surroundings: Surroundings): string =>
  data === undefined ? defaultNmnFolder(surroundings) : resolve(surroundings.folder, data);

/** `--data` of the commands that look for an NMN that runs. */
export const NMN_NEAR = option.text(
  'FOLDER',
  'data folder of the NMN; default: that of coconet dev in this folder, else the data folder of the system',
);

/** The data folder of the NMN that a command in this folder means: that of `coconet dev` where its network is used. */
export const nearNmnFolder = (data: string | undefined, { store, surroundings }: Context): string =>
  data === undefined && store.chosenBy === 'dev'
    ? devPlaces(surroundings.folder).nmn
    : nmnFolder(data, surroundings);

/** Asks the NMN that runs on a data folder. Fails with `NMN_NOT_RUNNING`. */
export async function askNmn<T>(
  folder: string,
  signal: AbortSignal,
  ask: (admin: NmnAdmin) => Promise<T>,
): Promise<T> {
  const { connectToNmn } = await import('@coconet/nmn');
  const admin = await connectToNmn(folder).catch((cause: unknown) => {
    throw new CliError('NMN_NOT_RUNNING', `no NMN answers on the data folder ${folder}${whyOf(cause)}`, {
      cause,
    });
  });
  const close = (): void => admin.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    return await ask(admin);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'CONNECTION_LOST')) throw cause;
    throw new CliError('NMN_NOT_RUNNING', `the NMN on ${folder} has ended before it answered`, { cause });
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

/** Whether an NMN runs on this data folder and answers this user. */
export async function isNmnRunning(folder: string, signal: AbortSignal): Promise<boolean> {
  try {
    return await askNmn(folder, signal, () => Promise.resolve(true));
  } catch {
    return false;
  }
}

/** A socket that another user owns is there, but not for us. */
function whyOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return code === 'EACCES' || code === 'EPERM' ? ': it belongs to another user' : '';
}
