import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test from 'ava';

import { MUTANTS } from '../scripts/mutants/catalogue.js';
import { type Mutant, planted, ROOT, testsOf } from '../scripts/mutants/mutant.js';
import { readTap } from '../scripts/mutants/tap.js';
import type { Trial } from '../scripts/mutants/trial.js';
import { isEnough, judge, type Outcome } from '../scripts/mutants/verdict.js';

/** What the command asks for is reckoned in fiftieths; ten more make up for one that a change makes worthless. */
const LEAST = 60;

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly progress: string;
}

/** Runs the command to its end; a process that it left behind would hold the pipes open and never let this return. */
async function mutants(args: readonly string[], interruptAt?: RegExp): Promise<Run> {
  const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
  const child = spawn(
    process.execPath,
    ['--import=./packages/cli/bin/source.js', 'scripts/mutants/run.ts', ...args],
    { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const closed = once(child, 'close') as Promise<[number | null]>;
  let progress = '';
  child.stderr.on('data', (chunk: Buffer) => {
    const before = interruptAt?.test(progress);
    progress += chunk.toString();
    if (interruptAt?.test(progress) && before !== true) child.kill('SIGINT');
  });
  const output = await text(child.stdout);
  const [code] = await closed;
  return { code, output, progress };
}

test('every fault has its place: its text occurs once, and its tests are there', t => {
  for (const mutant of MUTANTS) {
    const result = planted(mutant);
    if ('wrong' in result) t.fail(result.wrong);
    t.true(mutant.tests.length > 0, mutant.name);
    for (const file of testsOf(mutant)) t.true(existsSync(join(ROOT, file)), `"${mutant.name}": no ${file}`);
  }
});

test('there are faults enough, and no two have one name', t => {
  t.true(MUTANTS.length >= LEAST);
  t.is(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
});

test('a fault whose text has moved, or whose file has gone, is named with it', t => {
  const [some] = MUTANTS;
  const wrongOf = (changes: Partial<Mutant>): string => {
    const result = planted({ ...some!, ...changes });
    return 'wrong' in result ? result.wrong : '';
  };

  t.regex(wrongOf({ original: 'nowhere to be found' }), /occurs 0 times in .*nowhere to be found$/s);
  t.regex(wrongOf({ original: ';\n' }), /occurs \d+ times/);
  t.regex(wrongOf({ file: 'no/such.ts' }), /there is no .*no\/such\.ts/);
  t.regex(wrongOf({ replacement: some!.original }), /changes nothing/);
});

const REPORT = `TAP version 13
ok 1 - it works
not ok 2 - it holds
  ---
    name: AssertionError
    assertion: t.is()
  ...
not ok 3 - it never throws
  ---
    name: RangeError
    message: too far
  ...
not ok 4 - it ends
  ---
    name: Error
    message: >-
      Exited because no new tests completed
      within the last 30000ms of inactivity
  ...
ok 5 - later # SKIP
`;

test('the report of a run tells what failed, and how', t => {
  t.deepEqual(readTap(REPORT), {
    passed: ['it works'],
    failed: [
      { title: 'it holds', how: 'assertion' },
      { title: 'it never throws', how: 'thrown' },
      { title: 'it ends', how: 'timeOut' },
    ],
  });
});

test('a fault is found by a test that passes without it, and by nothing else', t => {
  const [mutant] = MUTANTS;
  const trial = (changes: Partial<Trial>): Trial => ({
    passed: [],
    failed: [],
    good: false,
    planted: true,
    stuck: false,
    milliseconds: 1,
    report: '',
    ...changes,
  });
  const verdict = (changes: Partial<Trial>) => judge('a.test.ts', trial(changes), new Set(['it holds']));
  const failed = [{ title: 'it holds', how: 'assertion' }] as const;

  t.is(verdict({ good: true, passed: ['it holds'] }), undefined);
  t.deepEqual(verdict({ failed }), {
    kind: 'found',
    how: 'assertion',
    test: 'a.test.ts',
    title: 'it holds',
  });
  t.like(verdict({ stuck: true }), { kind: 'found', how: 'timeOut' });
  t.is(verdict({ failed, planted: false })?.kind, 'broken', 'its source was not read');
  t.is(verdict({ failed: [{ title: 'SyntaxError', how: 'thrown' }] })?.kind, 'broken', 'it did not load');
  t.is(verdict({})?.kind, 'broken', 'it ended without a word');

  const outcomes = (found: number, lost: number): Outcome[] =>
    Array.from({ length: found + lost }, (_, i) => ({
      mutant: mutant!,
      verdict: i < found ? verdict({ failed })! : { kind: 'survived' },
      seconds: 1,
    }));
  t.true(isEnough(outcomes(48, 2), true));
  t.false(isEnough(outcomes(47, 3), true));
  t.true(isEnough(outcomes(192, 8), true));
  t.false(isEnough(outcomes(191, 9), true));
  t.false(isEnough(outcomes(48, 2), false));
});

test.serial('a planted fault is found, and the source is as before', async t => {
  t.timeout(180_000);
  const mutant = MUTANTS.find(({ file }) => file === 'session/replay-window.ts')!;
  const before = planted(mutant);

  const { code, output, progress } = await mutants(['--only', mutant.name, '--json']);

  t.is(code, 0, progress);
  const { outcomes } = JSON.parse(output) as { outcomes: Outcome[] };
  t.like(outcomes[0], { mutant: { name: mutant.name }, verdict: { kind: 'found', how: 'assertion' } });
  t.deepEqual(planted(mutant), before);
});

test.serial('the names are listed, and a wrong option is named and ends with status 2', async t => {
  const list = await mutants(['--list']);
  t.is(list.code, 0);
  t.deepEqual(
    list.output.trim().split('\n'),
    MUTANTS.map(({ name }) => name),
  );

  for (const [args, sentence] of [
    [['--jobs', '0'], /^--jobs is 0; give an integer from 1 to 64/],
    [['--only', 'nothing like this'], /^--only is nothing like this; no fault has a name with it/],
    [['--fast'], /Unknown option '--fast'/],
  ] as const) {
    const { code, progress } = await mutants(args);
    t.is(code, 2);
    t.regex(progress, sentence);
  }
});

test.serial('Ctrl-C ends the run, leaves no process and says what was found so far', async t => {
  t.timeout(180_000);
  const { code, output } = await mutants(
    ['--only', 'CUBIC', '--jobs', '1'],
    /files of tests without a fault/,
  );

  t.is(code, 130);
  t.is(output, '');
});
