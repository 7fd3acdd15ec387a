/**
 * Compares the cluster protocol with raw sockets, TLS 1.3 and its peers (docs/contributing/benchmarks.md):
 *
 *   npm run bench -- [--peers] [--only NAMES] [--rounds N] [--packets N] [--json] [--quick]
 */
import { Arena } from './arena.js';
import { OURS, PEERS } from './contestants/index.js';
import { twoCores } from './cores.js';
import { Deferred } from './deferred.js';
import { installPeers } from './install.js';
import { type BenchOptions, parseOptions, USAGE } from './options.js';
import { type Absence, type BenchResult, type Round, summarize } from './result.js';
import { tableOf } from './table.js';

/** Shell convention: 128 and the number of the signal. */
const INTERRUPTED = 130;
const TERMINATED = 143;

const progress = (text: string): void => void process.stderr.write(`${text}\n`);

/** `whole` is called with what all whole rounds so far say together, after each. */
async function bench(
  options: BenchOptions,
  arena: Arena,
  signal: AbortSignal,
  whole: (result: BenchResult) => void,
): Promise<void> {
  const { works, rounds, quick } = options;
  const absent: Absence[] = [];
  let { contestants } = options;
  if (contestants.some(name => name in PEERS)) {
    try {
      await installPeers(progress, signal);
    } catch (error) {
      const missing = contestants.filter(name => name in PEERS);
      const reason = `it is not installed: ${error instanceof Error ? error.message : String(error)}`;
      absent.push(...missing.map(contestant => ({ contestant, reason })));
      contestants = contestants.filter(name => !missing.includes(name));
    }
  }
  // Ratios are taken to these, asked for or not.
  const needed = [
    ...(works.some(work => work !== 'core') ? ['dgram'] : []),
    ...(works.includes('bulk') ? ['tcp'] : []),
  ];
  contestants = [...contestants, ...needed.filter(name => !contestants.includes(name))];
  await arena.admit(contestants);
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    measured.push(await arena.round(round));
    whole(
      summarize(measured, {
        cores: arena.cores,
        quick,
        contestants: [...contestants, ...absent.map(({ contestant }) => contestant)],
        absent: [...absent, ...arena.absent],
      }),
    );
  }
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
  const stopped = new Deferred<number>();
  const abort = new AbortController();
  process.once('SIGINT', () => {
    stopped.resolve(INTERRUPTED);
  });
  process.once('SIGTERM', () => {
    stopped.resolve(TERMINATED);
  });
  const cores = twoCores();
  if (!cores) progress('processes are not pinned: no taskset, or fewer than two cores');
  const arena = new Arena(options, cores, new Set(OURS), progress);
  let result: BenchResult | undefined;
  const work = bench(options, arena, abort.signal, soFar => {
    result = soFar;
  }).then(() => 0);
  try {
    return await Promise.race([work, stopped.promise]);
  } catch (error) {
    progress(`the benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    work.catch(() => undefined); // What fails now fails because it was stopped.
    abort.abort();
    await arena.close();
    // Whole rounds are worth something, however it ended.
    if (result) process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : tableOf(result));
  }
}

process.exitCode = await main();
