/**
 * Fuzzes everything that reads bytes from strangers, on all processors (docs/contributing/fuzzing.md):
 *
 *   npm run fuzz -- [--inputs N] [--seed S] [--target NAME] [--processes N] [--replay FILE] [--distil] [--fresh] [--json]
 */
import { createHash } from 'node:crypto';
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
const ORDER = { least: 500, most: 50_000, share: 64 } as const;
/** Orders of a target after which the heap of a process is what it is. */
const WARM = 4;
/** Bytes of all cases of a target in the corpus that is committed. */
const MOST_CORPUS = 24 * 1024;

type Output = Awaited<ReturnType<Parameters<typeof runCommand<FuzzOptions>>[3]>>;

/** What is known of one target in this run. */
interface Work {
  readonly target: string;
  /** Of this run, and so far. */
  readonly inputs: number;
  given: number;
  readonly sum: Sum;
  readonly found: Uint8Array[];
  /** Bytes of heap of each process after each order. */
  readonly heaps: number[][];
}

/** How the inputs of a run are shared among targets. */
function workOf({ targets, inputs }: FuzzOptions): readonly Work[] {
  const all = targets.reduce((sum, name) => sum + TARGETS[name]!.weight, 0);
  return targets.map(target => ({
    target,
    inputs: Math.ceil((inputs * TARGETS[target]!.weight) / all),
    given: 0,
    sum: nothing(),
    found: [...readCorpus(BUILD, target)],
    heaps: [],
  }));
}

/** Lets the processes give all targets their inputs, one target after the other. */
async function runAll(options: FuzzOptions, tally: Tally, crew: Crew): Promise<Record<string, Sum>> {
  const works = workOf(options);
  let seed = options.seed ?? tally.value.next;
  let told = performance.now();
  await crew.run<Order, Result>({
    flags: ['--expose-gc'],
    ...(options.processes !== undefined && { processes: options.processes }),
    next: () => {
      const work = works.find(({ given, inputs }) => given < inputs);
      if (!work) return undefined;
      const size = Math.round(Math.min(ORDER.most, Math.max(ORDER.least, work.inputs / ORDER.share)));
      const order = { target: work.target, seed: seed++, inputs: Math.min(size, work.inputs - work.given) };
      work.given += order.inputs;
      return order;
    },
    take: async (result, worker) => {
      const { target } = result;
      const work = works.find(one => one.target === target)!;
      const { sum, inputs } = work;
      await take(work, result, worker);
      if (performance.now() - told < PROGRESS_MS && sum.inputs < inputs) return;
      told = performance.now();
      if (work.found.length > 0) writeCorpus(BUILD, target, work.found);
      progress(
        `${target}: ${sum.inputs} of ${inputs} inputs, ${sum.features} features, ${sum.failures.length} flaws`,
      );
    },
  });
  const done = works.filter(({ sum }) => sum.inputs > 0);
  if (options.seed === undefined) {
    tally.value.next = seed;
    for (const { target, sum } of done) {
      const before = (tally.value.sums[target] ??= nothing());
      add(before, { ...EMPTY, ...sum }, sum.growth, sum.failures);
    }
    await tally.save();
  }
  return Object.fromEntries(done.map(({ target, sum }) => [target, sum]));
}

async function take({ target, sum, found, heaps }: Work, result: Result, worker: number): Promise<void> {
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
  const name = createHash('sha256').update(hex).digest('hex').slice(0, 12);
  const file = join(folder, `${target}-${name}.txt`);
  await writeFile(file, `${hex}\n`);
  return { flaw, replay: `npm run fuzz -- --target ${target} --replay ${file}` };
}

const replayOf = (target: string, seed: number, inputs: number): string =>
  `npm run fuzz -- --target ${target} --seed ${seed} --inputs ${inputs}`;

async function fuzz(options: FuzzOptions, crew: Crew): Promise<Output> {
  const tally = await openTally(join(BUILD, 'tally.json'), options.fresh);
  const sums = await runAll(options, tally, crew);
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
    const subject = await TARGETS[target]!.open();
    const campaign = new Campaign(subject);
    // What the seeds show need not be kept twice.
    campaign.learn(subject.seeds);
    const { found, findings } = campaign.learn(all.sort((a, b) => a.length - b.length));
    let room = MOST_CORPUS;
    const kept = found.filter(({ length }) => (room -= length) >= 0);
    writeCorpus(CORPUS, target, kept);
    sound &&= findings.length === 0;
    lines.push(
      `${target}: ${kept.length} of ${all.length} cases, ${MOST_CORPUS - Math.max(0, room)} bytes\n`,
    );
  }
  return { output: lines.join(''), sound };
}

await runCommand(USAGE, parseOptions(process.argv.slice(2)), WORKER, (options, crew) => {
  if (options.replay !== undefined) return replay(options.targets[0]!, options.replay);
  return options.distil ? distil(options.targets) : fuzz(options, crew);
});
