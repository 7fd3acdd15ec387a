/**
 * Does bad things to the real programs for as long as it may (docs/contributing/chaos.md):
 *
 *   npm run chaos -- [--minutes N] [--kind NAME] [--fresh] [--json]
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Crew, progress, runCommand } from '../../scripts/crew.js';
import { parseOptions, USAGE } from './options.js';
import type { Round } from './round.js';
import { Tally, textOf } from './tally.js';

const ROOT = join(import.meta.dirname, '../..');
const WORKER = join(import.meta.dirname, 'worker.ts');
const TALLY = join(ROOT, 'build/chaos/tally.json');
/** So many rounds share one line of progress. */
const PROGRESS = 50;

/** Lets all processors do one kind of bad thing for so many ms; whether all was as it must be. */
async function runKind(kind: string, ms: number, tally: Tally, crew: Crew): Promise<boolean> {
  let rounds = 0;
  let sound = true;
  const end = performance.now() + ms;
  try {
    await crew.run<object, Round>({
      args: () => {
        const folder = mkdtempSync(join(tmpdir(), `coconet-chaos-${kind}-`));
        return [kind, String(Math.floor(Math.random() * 2 ** 32)), folder];
      },
      next: () => (performance.now() < end ? {} : undefined),
      take: round => {
        tally.add(kind, round);
        sound &&= round.flaws.length === 0;
        for (const flaw of round.flaws) progress(`${kind}: FLAW ${flaw}`);
        if (++rounds % PROGRESS === 0) progress(`${kind}: ${rounds} rounds`);
      },
    });
  } catch (error) {
    progress(`${kind}: ${error instanceof Error ? error.message : String(error)}`);
    sound = false;
  }
  await tally.save();
  return sound;
}

await runCommand(USAGE, parseOptions(process.argv.slice(2)), WORKER, async (options, crew) => {
  const tally = await Tally.open(TALLY, options.fresh);
  const each = (options.minutes * 60_000) / options.kinds.length;
  let sound = true;
  for (const kind of options.kinds)
    if (!crew.interrupted) sound = (await runKind(kind, each, tally, crew)) && sound;
  const summary = tally.summary();
  return { output: options.json ? `${JSON.stringify(summary)}\n` : textOf(summary), sound };
});
