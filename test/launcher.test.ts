import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

const run = promisify(execFile);
const launcher = join(import.meta.dirname, '../packages/cli/bin/coconet.js');

/** A developer's own settings must not be what makes the launcher work. */
const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;

test('the tool runs from its sources, from any folder, with nothing built', async t => {
  const { stdout } = await run(process.execPath, [launcher, '--version'], { cwd: tmpdir(), env });

  t.regex(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('the sources of all packages resolve each other in a program that registers them', async t => {
  const source = join(import.meta.dirname, '../packages/cli/bin/source.js');
  const script = "console.log(import.meta.resolve('@coconet/cluster-protocol'))";
  const cwd = join(import.meta.dirname, '../packages/nmn');

  const { stdout } = await run(
    process.execPath,
    [`--import=${source}`, '--input-type=module', '-e', script],
    { cwd, env },
  );

  t.regex(stdout, /cluster-protocol\/src\/index\.ts\n$/);
});
