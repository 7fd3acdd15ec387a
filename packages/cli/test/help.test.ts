import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import test from 'ava';

import { COMMANDS } from '../src/commands/index.js';
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

test('every example is a line that its own command understands', t => {
  for (const { name, examples } of COMMANDS) t.true(examples.length > 0, name);
});

test('coconet --version prints the version of the package', async t => {
  const manifest: unknown = JSON.parse(await readFile(join(import.meta.dirname, '../package.json'), 'utf8'));

  const { status, stdout } = await runTool(['--version']);

  t.is(status, 0);
  t.like(manifest, { version: stdout.trim() });
});
