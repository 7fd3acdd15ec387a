import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Surroundings } from './context.js';

/** Folder of `coconet dev`, below the one it was started in. */
export const DEV_FOLDER = '.coconet';

/** The folder of this node, and who chose it. */
export interface StoreChoice {
  /** Absolute. */
  readonly path: string;
  readonly chosenBy: 'option' | 'environment' | 'dev' | 'default';
}

/** The store of a command: what `--store` says, else COCONET_HOME, else that of `coconet dev` in this folder, else the system's. */
export function chooseStore(wanted: string | undefined, surroundings: Surroundings): StoreChoice {
  const { folder, variables } = surroundings;
  if (wanted !== undefined) return { path: resolve(folder, wanted), chosenBy: 'option' };
  const home = variables.COCONET_HOME;
  if (home !== undefined && home !== '') return { path: resolve(folder, home), chosenBy: 'environment' };
  const dev = devPlaces(folder).client;
  if (existsSync(dev)) return { path: dev, chosenBy: 'dev' };
  return { path: join(dataFolder(surroundings), 'client'), chosenBy: 'default' };
}

/** What `coconet dev` keeps, and where. */
export interface DevPlaces {
  readonly root: string;
  /** The client's store. */
  readonly client: string;
  /** The NMN's data folder. */
  readonly nmn: string;
  /** The root key; never in the NMN's folder. */
  readonly rootKey: string;
  /** The port of the first start and the invitations that nobody has used yet. */
  readonly state: string;
}

/** The places of a `coconet dev` that is started in `folder`. */
export function devPlaces(folder: string): DevPlaces {
  const root = join(resolve(folder), DEV_FOLDER);
  return {
    root,
    client: join(root, 'client'),
    nmn: join(root, 'nmn'),
    rootKey: join(root, 'root.key'),
    state: join(root, 'dev.json'),
  };
}

/** The data folder of an NMN that was started without `--data`. */
export const defaultNmnFolder = (surroundings: Surroundings): string => join(dataFolder(surroundings), 'nmn');

/** Where the system wants a program's data of this user (XDG Base Directory Specification 0.8 on Linux). */
export function dataFolder({ platform, home, variables }: Surroundings): string {
  const { LOCALAPPDATA: local, XDG_DATA_HOME: xdg } = variables;
  if (platform === 'win32')
    return join(local !== undefined && local !== '' ? local : join(home, 'AppData', 'Local'), 'coconet');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'coconet');
  // The specification wants a relative path ignored.
  return join(xdg?.startsWith('/') === true ? xdg : join(home, '.local', 'share'), 'coconet');
}
