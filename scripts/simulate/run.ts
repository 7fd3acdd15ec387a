/**
 * Runs seeds of simulated worlds on all processors (docs/contributing/simulation.md):
 *
 *   npm run simulate -- [--scenario NAME] [--seeds N] [--seed BASE] [--chart] [--qlog FOLDER] [--resume FILE] [--fresh] [--json]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { SCENARIOS } from '../../test/simulation/scenarios.js';
import { type Crew, progress, runCommand } from '../crew.js';
import { parseOptions, type SimulateOptions, USAGE } from './options.js';
import type { Order, Result } from './order.js';
import { add, nothing, rateOf, replayOf, type Sum, Tally, textOf } from './tally.js';

const FOLDER = join(import.meta.dirname, '../../build/simulate');
const WORKER = join(import.meta.dirname, 'worker.ts');
const PROGRESS_MS = 2_000;
const PROBLEMS_SHOWN = 5;

/** Lets all processors run the seeds of one scenario; the sum of those that were run. */
async function runScenario(name: string, options: SimulateOptions, tally: Tally, crew: Crew): Promise<Sum> {
  const total = options.seeds ?? SCENARIOS[name]!.usual;
  const base = options.base ?? tally.next(name);
  const sum = nothing();
  progress(`${name}: ${total} seeds from ${base} on`);
  if (SCENARIOS[name]!.unseen === true && (options.chart || options.qlog !== undefined))
    progress(`  ${name} has no network: there is nothing to draw or to trace`);
  let given = 0;
  let told = performance.now();
  await crew.run<Order, Result>({
    processes: total,
    next: () => {
      if (given >= total) return undefined;
      const { chart, qlog } = options;
      return {
        scenario: name,
        seed: base + given++,
        record: total === 1 ? 'always' : 'failing',
        chart,
        qlog,
      };
    },
    take: async result => {
      add(sum, result);
      if (options.base === undefined) tally.add(name, base + given, result);
      if (result.problems.length > 0) {
        for (const problem of result.problems.slice(0, PROBLEMS_SHOWN))
          progress(`${name}: seed ${result.seed}: ${problem}`);
        progress(`  replay with: ${replayOf(name, result.seed)}`);
      }
      if (result.chart !== undefined) {
        const file = join(FOLDER, `${name.replace('/', '-')}-${result.seed}.mmd`);
        await mkdir(FOLDER, { recursive: true });
        await writeFile(file, result.chart);
        progress(`  chart: ${file}`);
      }
      for (const file of result.traces ?? []) progress(`  qlog: ${file}`);
      if (performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      progress(`${name}: ${sum.seeds} of ${total} seeds, ${sum.failed} failed, ${rateOf(sum)} × real time`);
    },
  });
  if (options.base === undefined) await tally.save();
  return sum;
}

await runCommand(
  USAGE,
  parseOptions(process.argv.slice(2), join(FOLDER, 'tally.json')),
  WORKER,
  async (options, crew) => {
    const tally = await Tally.open(options.tally, options.fresh);
    const sums: Record<string, Sum> = {};
    for (const name of options.scenarios)
      if (!crew.interrupted) sums[name] = await runScenario(name, options, tally, crew);
    const summary = { run: sums, tally: tally.sums };
    const before = options.base === undefined ? `\nWith the runs before:\n${textOf(tally.sums)}` : '';
    return {
      output: options.json ? `${JSON.stringify(summary)}\n` : `${textOf(sums)}${before}`,
      sound: Object.values(sums).every(sum => sum.failed === 0),
    };
  },
);
