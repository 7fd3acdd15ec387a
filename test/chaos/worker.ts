/** One process of the chaos: `worker.ts KIND SEED FOLDER` does a round for each order of its parent. */
import { rm } from 'node:fs/promises';
import { argv } from 'node:process';

import { serve } from '../../scripts/crew.js';
import { KINDS } from './kinds.js';
import type { Round } from './round.js';

const [kind = '', seed = '', folder = ''] = argv.slice(2);
const rounds = KINDS[kind]?.(Number(seed), folder);
if (!rounds) throw new Error(`there is no chaos of the kind ${kind}`);

let flawed = false;
serve(
  async (): Promise<Round> => {
    const { value, done } = await rounds.next();
    if (done === true) throw new Error(`the chaos of the kind ${kind} ended by itself`);
    flawed ||= value.flaws.length > 0;
    return value;
  },
  async () => {
    await rounds.return();
    // What is in the folder of a flaw tells how it came to it.
    if (!flawed) await rm(folder, { recursive: true, force: true });
  },
);
