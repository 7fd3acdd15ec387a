import { readdir } from 'node:fs/promises';

import type { Context } from './context.js';
import { CliError } from './errors.js';
import type { StoreChoice } from './places.js';

const CHOSEN_BY: Readonly<Record<StoreChoice['chosenBy'], string>> = {
  option: 'named by --store',
  environment: 'named by COCONET_HOME',
  dev: 'made by coconet dev',
  default: 'the default',
};

/** The store of a command in words: where it is and why there. */
export const describeStore = ({ path, chosenBy }: StoreChoice): string => `${path} (${CHOSEN_BY[chosenBy]})`;

/** Whether anything is in the folder. A folder that may not be read counts as one that holds something. */
export async function holdsAnything(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length > 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** Refuses a store that was never used, before something else makes its folder. */
export async function requireStore({ store }: Context): Promise<void> {
  if (await holdsAnything(store.path)) return;
  throw new CliError(
    'NO_MEMBERSHIP',
    `this node is in no network: there is nothing in its store ${describeStore(store)}`,
    {
      next:
        'join with `coconet join URI`, create a network with `coconet network create NAME`, try one with `coconet dev`, ' +
        'or name another store with --store',
    },
  );
}
