import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import test from 'ava';

import { parseLine } from '../src/arguments.js';
import { COMMANDS } from '../src/commands/index.js';
import { dispatch } from '../src/dispatch.js';
import { runTool } from './support/run-tool.js';

const golden = join(import.meta.dirname, 'golden');

/** UPDATE_GOLDEN=1 writes what is said now; the difference is for a person to read. */
async function expected(name: string, said: string): Promise<string> {
  const file = join(golden, `${name}.txt`);
  if (process.env.UPDATE_GOLDEN === undefined) return readFile(file, 'utf8');
  await mkdir(golden, { recursive: true });
  await writeFile(file, said);
  return said;
}

for (const { name } of COMMANDS) {
  test(`coconet ${name} --help says what its golden text says`, async t => {
    const { status, stdout, stderr } = await runTool([...name.split(' '), '--help']);

    t.is(status, 0);
    t.is(stderr, '');
    t.is(stdout, await expected(name.replace(' ', '-'), stdout));
  });

  test(`coconet help ${name} says the same as --help`, async t => {
    const byOption = await runTool([...name.split(' '), '-h']);
    const byWord = await runTool(['help', ...name.split(' ')]);

    t.deepEqual(byWord, byOption);
  });
}

test('coconet --help lists all commands', async t => {
  const { status, stdout } = await runTool(['--help']);

  t.is(status, 0);
  t.is(stdout, await expected('overview', stdout));
  for (const { name, summary } of COMMANDS) {
    t.true(stdout.includes(`  ${name} `), name);
    t.true(stdout.replace(/\s+/g, ' ').includes(summary), summary);
  }
});

for (const group of ['nmn', 'network', 'invite']) {
  test(`coconet ${group} --help lists its commands`, async t => {
    const { status, stdout } = await runTool([group, '--help']);

    t.is(status, 0);
    t.is(stdout, await expected(group, stdout));
  });
}

test('every help fits a terminal of 80 columns, examples aside', async t => {
  for (const { name } of COMMANDS) {
    const { stdout } = await runTool([...name.split(' '), '--help']);
    const lines = stdout.split('\n').filter(line => !line.startsWith('  $ ') && !line.startsWith('  # '));
    t.deepEqual(
      lines.filter(line => line.length > 80),
      [],
      name,
    );
  }
});

/** The words of a line as a shell would give them; no more of a shell than the examples need. */
const wordsOf = (line: string): readonly string[] =>
  (line.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map(word => word.replaceAll("'", ''));

test('every example is a line that the tool understands', t => {
  const lines = COMMANDS.flatMap(({ examples }) => examples.map(({ line }) => line));
  const own = lines.filter(line => line.startsWith('coconet '));

  for (const line of own) {
    const request = dispatch(wordsOf(line).slice(1), COMMANDS);
    if (request.kind !== 'run') return t.fail(line);
    t.notThrows(() => parseLine(request.command, request.words), line);
  }
  t.true(own.length >= COMMANDS.length - 1);
});

test('coconet --version prints the version of the package', async t => {
  const manifest: unknown = JSON.parse(await readFile(join(import.meta.dirname, '../package.json'), 'utf8'));

  const { status, stdout } = await runTool(['--version']);

  t.is(status, 0);
  t.like(manifest, { version: stdout.trim() });
});
