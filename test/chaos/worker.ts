/** One process of the chaos: `worker.ts KIND SEED FOLDER` sends rounds to its parent until that goes away. */
import { rm } from 'node:fs/promises';
import { argv } from 'node:process';

import { KINDS } from './kinds.js';

const [kind = '', seed = '', folder = ''] = argv.slice(2);
const rounds = KINDS[kind]?.(Number(seed), folder);
if (!rounds) throw new Error(`there is no chaos of the kind ${kind}`);

// Ctrl-C reaches everybody; the parent decides when it is enough.
process.on('SIGINT', () => undefined);

let flawed = false;
for await (const round of rounds) {
  flawed ||= round.flaws.length > 0;
  // The parent has heard enough: its end of the channel is closed.
  if (!process.connected) break;
  process.send?.(round);
}
if (!flawed) await rm(folder, { recursive: true, force: true });
