/**
 * Fuzzes everything that reads bytes from strangers, on all processors (docs/contributing/fuzzing.md):
 *
 *   npm run fuzz -- [--inputs N] [--seed S] [--target NAME] [--processes N] [--replay FILE] [--distil] [--fresh] [--json]
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { fromHex } from '@coconet/cluster-protocol/core';

import { Campaign } from '../../test/fuzz/campaign.js';
import { CORPUS, readCorpus, writeCorpus } from '../../test/fuzz/corpus.js';
import { TARGETS } from '../../test/fuzz/targets.js';
import { type Crew, progress, runCommand } from '../crew.js';
import { type FuzzOptions, parseOptions, USAGE } from './options.js';
import { BUILD, type Order, type Result } from './order.js';
import { add, type Failure, MOST_GROWTH, nothing, openTally, type Sum, type Tally, textOf } from './tally.js';

const WORKER = join(import.meta.dirname, 'worker.ts');
const PROGRESS_MS = 5_000;
/** Inputs of one order: a second or so. */
const ORDER = { least: 2_000, most: 50_000, share: 64 } as const;
/** Orders of a target after which the heap of a process is what it is. */
const WARM = 4;

type Output = Awaited<ReturnType<Parameters<typeof runCommand<FuzzOptions>>[3]>>;

/** Gives one target its inputs; the sum of what they showed. */
async function runTarget(
  target: string,
  inputs: number,
  options: FuzzOptions,
  tally: Tally,
  crew: Crew,
): Promise<Sum> {
  const sum = nothing();
  const size = Math.round(Math.min(ORDER.most, Math.max(ORDER.least, inputs / ORDER.share)));
  const found = [...readCorpus(BUILD, target)];
  const heaps: number[][] = [];
  let seed = options.seed ?? tally.value.next;
  let given = 0;
  let told = performance.now();
  await crew.run<Order, Result>({
    flags: ['--expose-gc'],
    processes: Math.min(options.processes ?? Infinity, Math.ceil(inputs / size)),
    next: () => {
      if (given >= inputs) return undefined;
      const order = { target, seed: seed++, inputs: Math.min(size, inputs - given) };
      given += order.inputs;
      return order;
    },
    take: async (result, worker) => {
      const heap = (heaps[worker] ??= []);
      heap.push(result.heap);
      const growth = Math.max(0, ...heap.slice(WARM).map(bytes => bytes - heap[WARM - 1]!));
      const failures = await Promise.all(result.findings.map(finding => keep(target, finding)));
      if (growth > MOST_GROWTH && sum.growth <= MOST_GROWTH)
        failures.push({
          flaw: `the heap grew by ${growth} bytes`,
          replay: replayOf(target, result.seed, result.inputs),
        });
      for (const { flaw, replay } of failures) progress(`${target}: FLAW ${flaw}\n  replay with: ${replay}`);
      add(sum, result, growth, failures);
      found.push(...result.found.map(hex => fromHex(hex)!));
      if (performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      progress(
        `${target}: ${sum.inputs} of ${inputs} inputs, ${sum.features} features, ${sum.failures.length} flaws`,
      );
    },
  });
  if (found.length > 0) writeCorpus(BUILD, target, found);
  if (options.seed !== undefined) return sum;
  tally.value.next = Math.max(tally.value.next, seed);
  const before = (tally.value.sums[target] ??= nothing());
  add(before, { ...EMPTY, ...sum }, sum.growth, sum.failures);
  await tally.save();
  return sum;
}

const EMPTY: Omit<Result, 'inputs' | 'features' | 'slowest' | 'real'> = {
  target: '',
  seed: 0,
  findings: [],
  found: [],
  heap: 0,
};

/** Writes a case down that shows what must not be. */
async function keep(
  target: string,
  { flaw, hex }: { readonly flaw: string; readonly hex: string },
): Promise<Failure> {
  const folder = join(BUILD, 'failures');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${target}-${Date.now()}.txt`);
  await writeFile(file, `${hex}\n`);
  return { flaw, replay: `npm run fuzz -- --target ${target} --replay ${file}` };
}

const replayOf = (target: string, seed: number, inputs: number): string =>
  `npm run fuzz -- --target ${target} --seed ${seed} --inputs ${inputs}`;

async function fuzz(options: FuzzOptions, crew: Crew): Promise<Output> {
  const tally = await openTally(join(BUILD, 'tally.json'), options.fresh);
  const sums: Record<string, Sum> = {};
  const weights = options.targets.map(name => TARGETS[name]!.weight);
  const weight = weights.reduce((sum, one) => sum + one, 0);
  for (const name of options.targets) {
    if (crew.interrupted) break;
    const inputs = Math.ceil((options.inputs * TARGETS[name]!.weight) / weight);
    sums[name] = await runTarget(name, inputs, options, tally, crew);
  }
  const summary = { run: sums, tally: tally.value.sums };
  const before = options.seed === undefined ? `\nWith the runs before:\n${textOf(tally.value.sums)}` : '';
  return {
    output: options.json ? `${JSON.stringify(summary)}\n` : `${textOf(sums)}${before}`,
    sound: Object.values(sums).every(({ failures }) => failures.length === 0),
  };
}

/** Runs one case, and says what it shows. */
async function replay(target: string, file: string): Promise<Output> {
  const bytes = fromHex((await readFile(file, 'utf8')).trim());
  if (!bytes) return { output: `${file} holds no hexadecimal case\n`, sound: false };
  const campaign = new Campaign(await TARGETS[target]!.open());
  const { findings, slowest } = campaign.learn([bytes]);
  const flaws = findings.map(({ flaw }) => `FLAW ${flaw}\n`);
  const seen = [...campaign.features.keys()].map(feature => `${feature}\n`);
  const output = `${[...seen, ...flaws].join('')}slowest ${slowest.toFixed(1)} ms\n`;
  return { output, sound: findings.length === 0 };
}

/** Keeps of all cases, the shortest first, those that show something that none before them showed. */
async function distil(targets: readonly string[]): Promise<Output> {
  const lines: string[] = [];
  let sound = true;
  for (const target of targets) {
    const all = [...readCorpus(CORPUS, target), ...readCorpus(BUILD, target)];
    const campaign = new Campaign(await TARGETS[target]!.open());
    const { found, findings } = campaign.learn(all.sort((a, b) => a.length - b.length));
    writeCorpus(CORPUS, target, found);
    sound &&= findings.length === 0;
    lines.push(`${target}: ${found.length} of ${all.length} cases\n`);
  }
  return { output: lines.join(''), sound };
}

await runCommand(USAGE, parseOptions(process.argv.slice(2)), WORKER, (options, crew) => {
  if (options.replay !== undefined) return replay(options.targets[0]!, options.replay);
  return options.distil ? distil(options.targets) : fuzz(options, crew);
});
