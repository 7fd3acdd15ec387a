import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import test from 'ava';

const prerequisites = join(import.meta.dirname, '../prerequisites.ts');

function check(ring: string, env: NodeJS.ProcessEnv): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, ['--import=tsx', prerequisites, ring], { env, encoding: 'utf8' });
}

test('a ring whose programs are installed starts', t => {
  t.is(check('system', process.env).status, 0);
});

test('a program that is missing is named, with the package that has it', t => {
  const { status, stderr } = check('system', { ...process.env, PATH: '/nowhere' });

  t.is(status, 1);
  t.regex(stderr, /the program "tshark" \(Debian package tshark\)/);
  t.regex(stderr, /apt-get install -y tshark/);
});

test('a ring that does not exist is an error that names those that do', t => {
  const { status, stderr } = check('nothing', process.env);

  t.is(status, 1);
  t.regex(stderr, /system, nat/);
});
