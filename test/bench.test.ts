import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test from 'ava';

import type { BenchResult } from '../benchmarks/result.js';

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

// One after the other: a benchmark wants the machine for itself.
test.serial('the benchmark compares everybody with raw datagrams and prints one JSON value', async t => {
  const { code, output, progress } = await bench(['--json', '--quick', '--rounds', '1']);

  t.is(code, 0, progress);
  const result = JSON.parse(output) as BenchResult;
  t.like(result, {
    node: process.version,
    rounds: 1,
    quick: true,
    requestBytes: 130,
    answerBytes: 16,
    baseline: 'dgram',
    contestants: ['coconet', 'dgram', 'tls'],
    absent: [],
  });
  t.deepEqual(
    result.rows.map(({ name }) => name),
    ['commandP50', 'commandP99', 'rate', 'setUp', 'commandBytes', 'rateBytes'],
  );
  for (const { name, cells } of result.rows) {
    if (name === 'setUp') t.is(cells['dgram'], null);
    else t.deepEqual(cells['dgram']?.ratio, ratio);
    for (const contestant of ['coconet', 'tls']) {
      const cell = cells[contestant];
      t.truthy(cell);
      for (const { least, median, most } of cell ? [cell.value, cell.ratio] : [])
        t.true(least > 0 && least <= median && median <= most);
    }
  }
});

test.serial('without --json the benchmark prints a table of ratios', async t => {
  const { code, output } = await bench(['--quick', '--rounds', '2']);

  t.is(code, 0);
  t.regex(output, /^Ratios to dgram of the same round: median \(least–most\) of 2 rounds/);
  t.regex(output, /^command \+ ack, p50 .*\d\.\d\d \(\d+\.\d\d–\d+\.\d\d\)/m);
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
