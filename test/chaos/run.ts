/**
 * Does bad things to the real programs for as long as it may (docs/contributing/chaos.md):
 *
 *   npm run chaos -- [--minutes N] [--kind NAME] [--fresh] [--json]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseOptions, USAGE } from './options.js';
import type { Round } from './round.js';
import { Tally, textOf } from './tally.js';

const ROOT = join(import.meta.dirname, '../..');
const WORKER = join(import.meta.dirname, 'worker.ts');
const TALLY = join(ROOT, 'build/chaos/tally.json');
/** Shell convention: 128 and the number of the signal. */
const INTERRUPTED = 130;
/** So many rounds share one line of progress. */
const PROGRESS = 50;

const progress = (text: string): void => void process.stderr.write(`${text}\n`);

/** Processes of this run; nothing of them outlives it. */
const workers = new Set<ChildProcess>();
let interrupted = false;

process.on('exit', () => {
  for (const worker of workers) worker.kill('SIGKILL');
});

/** Lets all processors do one kind of bad thing for so many ms; whether anything was found that must not be. */
async function runKind(kind: string, ms: number, tally: Tally): Promise<boolean> {
  let rounds = 0;
  let sound = true;
  const take = (round: Round): void => {
    tally.add(kind, round);
    sound &&= round.flaws.length === 0;
    for (const flaw of round.flaws) progress(`${kind}: FLAW ${flaw}`);
    if (++rounds % PROGRESS === 0) progress(`${kind}: ${rounds} rounds`);
  };
  const ends: Promise<boolean>[] = [];
  for (let i = 0; i < availableParallelism(); i++) {
    const folder = await mkdtemp(join(tmpdir(), `coconet-chaos-${kind}-`));
    const seed = Math.floor(Math.random() * 2 ** 32);
    const worker = fork(WORKER, [kind, String(seed), folder], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    workers.add(worker);
    worker.on('message', (round: Round) => {
      take(round);
    });
    ends.push(
      once(worker, 'exit').then(([code]) => {
        workers.delete(worker);
        return code === 0;
      }),
    );
  }
  const over = setTimeout(stop, ms);
  if (interrupted) stop();
  const ended = await Promise.all(ends);
  clearTimeout(over);
  await tally.save();
  if (!ended.includes(false)) return sound;
  progress(`${kind}: a worker failed`);
  return false;
}

/** Every worker ends after the round that it is in. */
function stop(): void {
  for (const worker of workers) if (worker.connected) worker.disconnect();
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
  process.once('SIGINT', () => {
    interrupted = true;
    stop();
  });
  const tally = await Tally.open(TALLY, options.fresh);
  let sound = true;
  for (const kind of options.kinds)
    if (!interrupted)
      sound = (await runKind(kind, (options.minutes * 60_000) / options.kinds.length, tally)) && sound;
  const summary = tally.summary();
  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : textOf(summary));
  return interrupted ? INTERRUPTED : sound ? 0 : 1;
}

process.exitCode = await main();
