/**
 * Plants faults in the core, one at a time, and says which of them the tests find (docs/contributing/mutants.md):
 *
 *   npm run mutants -- [--only NAME] [--jobs N] [--list] [--json]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { compileErrors } from './compile.js';
import { type Mutant, planted, testsOf } from './mutant.js';
import { parseOptions, USAGE } from './options.js';
import { Trials } from './trial.js';
import { isEnough, judge, lineOf, type Outcome, summaryOf, type Verdict } from './verdict.js';

/** Shell convention: 128 and the number of the signal. */
const INTERRUPTED = 130;

/** Nothing may happen for so long, or for so many times what the tests take in all: a fault has made an endless loop. */
const LEAST_QUIET_MS = 30_000;
const QUIET_TIMES = 3;

/** The time that ava gives a test of ours without a fault. */
const PATIENT_MS = 120_000;

const progress = (text: string): void => void process.stderr.write(`${text}\n`);

/** What a file of tests does without a fault. */
interface Baseline {
  readonly titles: ReadonlySet<string>;
  readonly milliseconds: number;
}

/** Does `work` for all of them, `jobs` at a time. */
async function each<T>(items: readonly T[], jobs: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

/** The tests without a fault; `undefined`: they fail, or it was ended. */
async function runBaselines(
  trials: Trials,
  mutants: readonly Mutant[],
  jobs: number,
): Promise<ReadonlyMap<string, Baseline> | undefined> {
  const tests = [...new Set(mutants.flatMap(testsOf))];
  progress(`${tests.length} files of tests without a fault`);
  const baselines = new Map<string, Baseline>();
  await each(tests, jobs, async test => {
    const trial = await trials.run(test, undefined, PATIENT_MS);
    if (trial === undefined) return;
    const { good, passed, milliseconds, report } = trial;
    if (good && passed.length > 0) baselines.set(test, { titles: new Set(passed), milliseconds });
    else progress(`${report}\n${test} fails without a fault: mend that first`);
  });
  return baselines.size === tests.length ? baselines : undefined;
}

/** What comes of one fault; `undefined`: it was ended. */
async function plant(
  trials: Trials,
  mutant: Mutant,
  baselines: ReadonlyMap<string, Baseline>,
): Promise<Verdict | undefined> {
  for (const test of testsOf(mutant)) {
    const { titles, milliseconds } = baselines.get(test)!;
    const trial = await trials.run(test, mutant, Math.max(LEAST_QUIET_MS, QUIET_TIMES * milliseconds));
    if (trial === undefined) return undefined;
    const verdict = judge(test, trial, titles);
    if (verdict !== undefined) return verdict;
  }
  return { kind: 'survived' };
}

/** What cannot even be planted. */
function misplaced(mutants: readonly Mutant[]): readonly string[] {
  return mutants.flatMap(mutant => {
    const result = planted(mutant);
    return 'wrong' in result ? [result.wrong] : [];
  });
}

async function plantAll(
  trials: Trials,
  mutants: readonly Mutant[],
  jobs: number,
): Promise<readonly Outcome[] | undefined> {
  const errors = compileErrors(mutants);
  const baselines = await runBaselines(trials, mutants, jobs);
  if (baselines === undefined) return undefined;
  const outcomes = new Map<Mutant, Outcome>();
  await each(mutants, jobs, async mutant => {
    const start = performance.now();
    const error = errors.get(mutant);
    const verdict: Verdict | undefined =
      error === undefined
        ? await plant(trials, mutant, baselines)
        : { kind: 'broken', why: `it does not compile: ${error}` };
    if (verdict === undefined) return;
    const outcome = { mutant, verdict, seconds: (performance.now() - start) / 1_000 };
    outcomes.set(mutant, outcome);
    progress(`${String(outcomes.size).padStart(3)} of ${mutants.length}: ${lineOf(outcome)}`);
  });
  return mutants.flatMap(mutant => outcomes.get(mutant) ?? []);
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if ('wrong' in options) {
    process.stderr.write(`${options.wrong}\n\n${USAGE}`);
    return 2;
  }
  const { mutants, all, list, json, jobs } = options;
  if (list) {
    const names = mutants.map(({ name }) => name);
    process.stdout.write(json ? `${JSON.stringify(names)}\n` : `${names.join('\n')}\n`);
    return 0;
  }
  const wrong = misplaced(mutants);
  if (wrong.length > 0) {
    process.stderr.write(`${wrong.join('\n\n')}\n`);
    return 1;
  }
  const folder = await mkdtemp(join(tmpdir(), 'coconet-mutants-'));
  const trials = new Trials(folder);
  for (const event of ['SIGINT', 'SIGTERM', 'exit'])
    process.once(event, () => {
      trials.end();
    });
  try {
    const outcomes = await plantAll(trials, mutants, jobs);
    if (outcomes === undefined) return trials.ended ? INTERRUPTED : 1;
    process.stdout.write(json ? `${JSON.stringify({ outcomes })}\n` : summaryOf(outcomes));
    return trials.ended ? INTERRUPTED : isEnough(outcomes, all) ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
