/**
 * Runs seeds of simulated worlds on all processors (docs/contributing/simulation.md):
 *
 *   npm run simulate -- [--scenario NAME] [--seeds N] [--seed BASE] [--chart] [--qlog FOLDER] [--resume FILE] [--fresh] [--json]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { SCENARIOS } from '../../test/simulation/scenarios.js';
import { parseOptions, type SimulateOptions, USAGE } from './options.js';
import type { Order, Result } from './order.js';
import { add, nothing, rateOf, replayOf, type Sum, Tally, textOf } from './tally.js';

const FOLDER = join(import.meta.dirname, '../../build/simulate');
const WORKER = join(import.meta.dirname, 'worker.ts');
/** Shell convention: 128 and the number of the signal. */
const INTERRUPTED = 130;
const PROGRESS_MS = 2_000;
const PROBLEMS_SHOWN = 5;

const progress = (text: string): void => void process.stderr.write(`${text}\n`);

/** Processes of this run; nothing of them outlives it. */
const workers = new Set<ChildProcess>();
let interrupted = false;

process.on('exit', () => {
  for (const worker of workers) worker.kill('SIGKILL');
});

/** Lets all processors run the seeds of one scenario; the sum of those that were run. */
async function runScenario(name: string, options: SimulateOptions, tally: Tally): Promise<Sum> {
  const total = options.seeds ?? SCENARIOS[name]!.usual;
  const base = options.base ?? tally.next(name);
  const sum = nothing();
  progress(`${name}: ${total} seeds from ${base} on`);
  const orders = {
    given: 0,
    next(): Order | undefined {
      if (interrupted || this.given >= total) return undefined;
      const { chart, qlog } = options;
      return {
        scenario: name,
        seed: base + this.given++,
        record: total === 1 ? 'always' : 'failing',
        chart,
        qlog,
      };
    },
  };
  let told = performance.now();
  const take = async (result: Result): Promise<void> => {
    add(sum, result);
    if (options.base === undefined) tally.add(name, base + orders.given, result);
    if (result.problems.length > 0) {
      for (const problem of result.problems.slice(0, PROBLEMS_SHOWN))
        progress(`${name}: seed ${result.seed}: ${problem}`);
      progress(`  replay with: ${replayOf(name, result.seed)}`);
    }
    if (result.chart !== undefined) {
      const file = join(FOLDER, `${name}-${result.seed}.mmd`);
      await mkdir(FOLDER, { recursive: true });
      await writeFile(file, result.chart);
      progress(`  chart: ${file}`);
    }
    for (const file of result.traces ?? []) progress(`  qlog: ${file}`);
    if (performance.now() - told < PROGRESS_MS) return;
    told = performance.now();
    progress(`${name}: ${sum.seeds} of ${total} seeds, ${sum.failed} failed, ${rateOf(sum)} × real time`);
  };
  const processes = Math.min(availableParallelism(), Math.max(1, total));
  await Promise.all(Array.from({ length: processes }, () => work(orders, take)));
  if (options.base === undefined) await tally.save();
  return sum;
}

/** One process that runs seed after seed. Rejects when it dies. */
async function work(
  orders: { next(): Order | undefined },
  take: (result: Result) => Promise<void>,
): Promise<void> {
  const worker = fork(WORKER, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  workers.add(worker);
  await new Promise<void>((resolve, reject) => {
    const give = (): void => {
      const order = orders.next();
      if (order) worker.send(order);
      else worker.disconnect();
    };
    worker.on('message', (result: Result) => {
      take(result).then(give, reject);
    });
    worker.once('exit', code => {
      workers.delete(worker);
      if (code === 0) resolve();
      else reject(new Error(`a worker ended with status ${code}`));
    });
    give();
  });
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), join(FOLDER, 'tally.json'));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if ('wrong' in options) {
    process.stderr.write(`${options.wrong}\n\n${USAGE}`);
    return 2;
  }
  process.once('SIGINT', () => {
    interrupted = true;
  });
  const tally = await Tally.open(options.tally, options.fresh);
  const sums: Record<string, Sum> = {};
  for (const name of options.scenarios)
    if (!interrupted) sums[name] = await runScenario(name, options, tally);
  const failed = Object.values(sums).some(sum => sum.failed > 0);
  const summary = { run: sums, tally: tally.sums };
  const before = options.base === undefined ? `\nWith the runs before:\n${textOf(tally.sums)}` : '';
  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : `${textOf(sums)}${before}`);
  return interrupted ? INTERRUPTED : failed ? 1 : 0;
}

process.exitCode = await main();
