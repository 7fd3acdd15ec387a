import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test from 'ava';

import { type BenchResult, ROWS } from '../benchmarks/result.js';

const root = join(import.meta.dirname, '..');

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly progress: string;
}

/** Runs the benchmark to its end; a process that it left behind would hold the pipes open and never let this return. */
async function bench(args: readonly string[], interruptAt?: RegExp): Promise<Run> {
  const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
  const child = spawn(
    process.execPath,
    ['--import=./packages/cli/bin/source.js', 'benchmarks/run.ts', ...args],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const closed = once(child, 'close') as Promise<[number | null]>;
  let seen = '';
  child.stderr.on('data', (chunk: Buffer) => {
    const before = interruptAt?.test(seen);
    seen += chunk.toString();
    if (interruptAt?.test(seen) && before !== true) child.kill('SIGINT');
  });
  const output = await text(child.stdout);
  const [code] = await closed;
  return { code, output, progress: seen };
}

const ratio = { median: 1, least: 1, most: 1 };
/** Those in which a figure of ours has something to reach. */
const ROWS_WITH_GOALS = 12;

// One after the other: a benchmark wants the machine for itself.
test.serial('the benchmark compares everybody with raw sockets and prints one JSON value', async t => {
  const args = ['--json', '--quick', '--rounds', '1', '--only', 'coconet,tls'];

  const { code, output, progress } = await bench(args);

  t.is(code, 0, progress);
  const result = JSON.parse(output) as BenchResult;
  t.like(result, {
    node: process.version,
    rounds: 1,
    quick: true,
    requestBytes: 130,
    answerBytes: 16,
    contestants: ['coconet', 'tls', 'dgram', 'tcp'],
    absent: [],
  });
  t.deepEqual(
    result.rows.map(({ name }) => name),
    ROWS.map(({ name }) => name),
  );
  for (const { name, baseline, cells } of result.rows) {
    t.truthy(cells['coconet'], name);
    for (const cell of Object.values(cells)) {
      if (!cell) continue;
      t.is(cell.ratio === null, baseline === null);
      for (const { least, median, most } of [cell.value, ...(cell.ratio ? [cell.ratio] : [])])
        t.true(least <= median && median <= most);
    }
    if (baseline !== null && name !== 'setUp') t.deepEqual(cells[baseline]?.ratio, ratio);
  }
  t.is(result.goals.length, ROWS_WITH_GOALS);
});

test.serial('without --json the benchmark prints tables of what was asked for', async t => {
  const { code, output } = await bench(['--quick', '--rounds', '2', '--only', 'coconet,commands']);

  t.is(code, 0);
  t.regex(output, /^Median \(least–most\) of 2 rounds; ratios are to figures of the same round/);
  t.regex(output, /^command \+ ack, p50 .*ratio to dgram\)\n {2}coconet +[\d.k]+ \([\d.k]+–[\d.k]+\)/m);
  t.notRegex(output, /bulk/);
});

test.serial('a wrong option is named and ends with status 2', async t => {
  const { code, output, progress } = await bench(['--rounds', 'none']);

  t.is(code, 2);
  t.is(output, '');
  t.regex(progress, /^--rounds is none; give a whole number from 1 to/);
});

test.serial('Ctrl-C ends the benchmark with status 130 and leaves no process', async t => {
  const { code, output } = await bench(['--rounds', '1000'], /coconet: starting/);

  t.is(code, 130);
  t.is(output, '');
});
