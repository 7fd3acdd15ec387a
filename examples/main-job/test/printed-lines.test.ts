import { execFileSync } from 'node:child_process';

import test from 'ava';
import fc from 'fast-check';

import { printedLines, quoted } from '../src/printed-lines.js';

test('each line is complete, with the store it needs', t => {
  const lines = printedLines('Computer', '/tmp/coconet-x/.coconet/client');

  for (const { line } of lines) {
    t.true(line.startsWith('npx coconet '));
    t.true(line.endsWith(' --store /tmp/coconet-x/.coconet/client'));
  }
  t.true(lines.some(({ line }) => line.includes('call Computer/beacon onOff.toggle')));
});

test('plain words stay as they are, others are quoted', t => {
  t.is(quoted('Computer/system'), 'Computer/system');
  t.is(quoted('/home/a b/it'), "'/home/a b/it'");
  t.is(quoted("Ann's"), String.raw`'Ann'\''s'`);
});

test('a shell reads every word back as it was', t => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }).filter(word => !word.includes('\0')),
      word => execFileSync('sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' }) === word,
    ),
    { numRuns: 20 },
  );
  t.pass();
});
