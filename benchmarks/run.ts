/**
 * Compares commands over the cluster protocol with raw datagrams and with TLS 1.3 (docs/contributing/benchmarks.md):
 *
 *   npm run bench -- [--json] [--rounds N] [--quick]
 */
import { BASELINE, CONTESTANTS } from './contestants/index.js';
import { twoCores } from './cores.js';
import { Deferred } from './deferred.js';
import { parseOptions, USAGE, type BenchOptions } from './options.js';
import { Pair } from './pair.js';
import { type BenchResult, type Round, summarize } from './result.js';
import { tableOf } from './table.js';
import { type Figures, type Scale, WORKS } from './work.js';

const FULL: Scale = { commands: 3_000, rateTime: 500, setUps: 20 };
/** Before the first round, so that no round pays for what the engine learns. */
const WARM_UP: Scale = { commands: 5_000, rateTime: 1_500, setUps: 20 };
const QUICK: Scale = { commands: 20, rateTime: 20, setUps: 1 };

/** Shell convention: 128 and the number of the signal. */
const INTERRUPTED = 130;
const TERMINATED = 143;

const progress = (text: string): void => void process.stderr.write(`${text}\n`);

async function bench({ rounds, quick }: BenchOptions, started: (pair: Pair) => void): Promise<BenchResult> {
  const cores = twoCores();
  if (!cores) progress('processes are not pinned: no taskset, or fewer than two cores');
  const pairs = new Map<string, Pair>();
  const absent: BenchResult['absent'][number][] = [];
  for (const contestant of Object.keys(CONTESTANTS)) {
    progress(`${contestant}: starting`);
    try {
      const pair = await Pair.start(contestant, cores, started);
      if (!quick) for (const work of WORKS) await pair.measure(work, WARM_UP);
      pairs.set(contestant, pair);
    } catch (error) {
      // Nothing can be compared without these two; anybody else may be missing.
      if (contestant === BASELINE || contestant === 'coconet') throw error;
      absent.push({ contestant, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    measured.push(await roundOf(pairs, round, quick ? QUICK : FULL));
  }
  return summarize(measured, {
    cores,
    quick,
    baseline: BASELINE,
    contestants: Object.keys(CONTESTANTS),
    absent,
  });
}

/** Every work by everybody, one after the other; another one begins each time, so that nobody always comes last. */
async function roundOf(pairs: ReadonlyMap<string, Pair>, round: number, scale: Scale): Promise<Round> {
  const order = [...pairs];
  const figures = new Map<string, Figures>();
  for (const work of WORKS) {
    for (let i = 0; i < order.length; i++) {
      const [name, pair] = order[(round + i) % order.length]!;
      figures.set(name, { ...figures.get(name), ...(await pair.measure(work, scale)) });
    }
  }
  return figures;
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
  const running: Pair[] = [];
  const stopped = new Deferred<number>();
  process.once('SIGINT', () => {
    stopped.resolve(INTERRUPTED);
  });
  process.once('SIGTERM', () => {
    stopped.resolve(TERMINATED);
  });
  const work = bench(options, pair => running.push(pair)).then(result => {
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : tableOf(result));
    return 0;
  });
  try {
    return await Promise.race([work, stopped.promise]);
  } catch (error) {
    progress(`the benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    work.catch(() => undefined); // What fails now fails because it was stopped.
    await Promise.all(running.map(pair => pair.stop()));
  }
}

process.exitCode = await main();
