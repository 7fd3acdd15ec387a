import test from 'ava';

import { Output } from '../src/output.js';
import { printable, printableJson } from '../src/printable.js';
import { Collector } from './support/run-tool.js';

function output(options: { json?: boolean; plain?: boolean; terminal?: boolean; columns?: number } = {}): {
  out: Output;
  stdout: Collector;
  stderr: Collector;
} {
  const stdout = new Collector(options.terminal, options.columns);
  const stderr = new Collector(options.terminal);
  const out = new Output(stdout, stderr, { json: options.json ?? false, plain: options.plain ?? false });
  return { out, stdout, stderr };
}

test('a result is its text for people and one line of JSON for programs', t => {
  const people = output();
  const programs = output({ json: true });

  for (const { out } of [people, programs]) out.result({ on: true }, 'it is on');

  t.is(people.stdout.text, 'it is on\n');
  t.is(programs.stdout.text, '{"on":true}\n');
});

test('notes go to standard error, whatever the form of results', t => {
  const { out, stdout, stderr } = output({ json: true });

  out.note('waiting');

  t.is(stdout.text, '');
  t.is(stderr.text, 'waiting\n');
});

test('colour is for terminals alone, and not for those that forbid it', t => {
  t.is(output({ terminal: true }).out.style('red', 'x'), '\u001b[31mx\u001b[39m');
  t.is(output({ terminal: true, plain: true }).out.style('red', 'x'), 'x');
  t.is(output({ terminal: true, json: true }).out.style('red', 'x'), 'x');
  t.is(output().out.style('red', 'x'), 'x');
});

test('a table has columns as wide as what stands in them, and no spaces at line ends', t => {
  const { out } = output();

  const table = out.table(
    ['NAME', 'ID'],
    [
      ['Desk', '#17'],
      ['Küche', '#4'],
    ],
  );

  t.is(table, 'NAME   ID\nDesk   #17\nKüche  #4');
});

test('names from the network cannot move the cursor or turn text around', t => {
  const { out } = output();

  t.is(printable('a\u001b[2Jb\u009bc\u202ed'), 'a\\u001b[2Jb\\u009bc\\u202ed');
  t.is(out.table(['NAME'], [['a\u001b]0;title\u0007']]), 'NAME\na\\u001b]0;title\\u0007');
});

test('JSON stays the same value when control characters are written as escapes', t => {
  const value = { name: 'a\u001b\u009b\u2028\u202e"\\' };

  const line = printableJson(value);

  t.regex(line, /^[\x20-\x7e]*$/);
  t.deepEqual(JSON.parse(line), value);
});

test('quick work says nothing about itself', async t => {
  const { out, stderr } = output();

  t.is(await out.progress('working', Promise.resolve(7)), 7);
  t.is(stderr.text, '');
});

test('text is broken between words where the terminal ends, and a long word where it has to be', t => {
  const { out } = output({ terminal: true, columns: 30 });

  t.deepEqual(out.wrap('one two three four five six', 10), ['one two three four', 'five six']);
  t.deepEqual(out.wrap('a'.repeat(45), 10), ['a'.repeat(20), 'a'.repeat(20), 'aaaaa']);
  t.deepEqual(out.wrap('short', 10), ['short']);
});

test('without a terminal, or with one of an unknown width, nothing is broken', t => {
  const long = 'word '.repeat(100);

  for (const { out } of [output(), output({ terminal: true }), output({ terminal: true, columns: 0 })])
    t.deepEqual(out.wrap(long, 10), [long]);
});

test('a terminal that leaves no room still gets lines of some length', t => {
  const { out } = output({ terminal: true, columns: 20 });

  t.true(out.wrap('a'.repeat(64), 40).every(line => line.length <= 16));
});
