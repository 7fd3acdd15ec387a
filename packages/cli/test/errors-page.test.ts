import { readFile } from 'node:fs/promises';

import { NMN_ERROR_CODES } from '@coconet/nmn';
import test from 'ava';

import { CLI_ERROR_CODES } from '../src/errors.js';
import { FAILURE_CODES } from '../src/failure.js';
import { STATUS_OF } from '../src/interruption.js';

const page = await readFile(new URL('../../../docs/guides/errors.md', import.meta.url), 'utf8');

/** Codes in the first column of the tables under a heading. */
function codesUnder(heading: string): string[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, code = '']) => code);
}

for (const [heading, codes] of [
  ['NmnError', NMN_ERROR_CODES],
  ['CliError', CLI_ERROR_CODES],
] as const)
  test(`the page of errors lists the codes of ${heading}, all and no others`, t => {
    t.deepEqual(codesUnder(heading).sort(), [...codes].sort());
  });

test('every code that the tool can end with is on the page of errors', t => {
  t.deepEqual(
    FAILURE_CODES.filter(code => !page.includes(`\`${code}\``)),
    [],
  );
});

test('the page of errors lists every exit status', t => {
  const listed = [...page.matchAll(/^\| (\d+) /gm)].map(([, status]) => Number(status));

  t.deepEqual(listed.sort(), [...new Set([0, 1, 2, ...Object.values(STATUS_OF)])].sort());
});
