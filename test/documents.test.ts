import test from 'ava';

import { commandsIn, documents, type Fence, fencesIn, fencesOf, inlineCodeOf } from './packages/documents.js';
import { type Block, isBlock, type Walk } from './packages/walk.js';
import { NOT_RUN, WALKS } from './packages/walks.js';

const PROGRAMS = ['js', 'ts'];
const SHELL = 'sh';
/** Blocks to look at. */
const PICTURES = ['text', 'mermaid'];

const place = ({ document, line }: Fence): string => `${document}:${line}`;

/** The lines of a document that a walk types. */
function typedLines(document: string): ReadonlySet<string> {
  return new Set(WALKS.filter(walk => walk.documents.includes(document)).flatMap(printedLines));
}

const printedLines = ({ steps }: Walk): string[] =>
  steps.flatMap(step => ('line' in step && step.printed ? [step.line] : []));

const blocksOf = ({ programs }: Walk): Block[] =>
  programs.flatMap(({ parts }) => parts.filter(part => typeof part !== 'string'));

const excused = (document: string, line: string): boolean => NOT_RUN[document]?.[line] !== undefined;

const firstLine = ({ text }: Fence): string => text.split('\n', 1)[0] ?? '';

test('every shell line of the README and the guides is typed by a test, or it is said why not', t => {
  for (const document of documents()) {
    const typed = typedLines(document);
    for (const fence of fencesOf(document).filter(({ language }) => language === SHELL))
      for (const line of commandsIn(fence))
        t.true(typed.has(line) || excused(document, line), `nobody runs ${place(fence)}: ${line}`);
  }
});

test('every program of the README and the guides is run by a test, or it is said why not', t => {
  const blocks = WALKS.flatMap(blocksOf);
  for (const fence of documents().flatMap(fencesOf)) {
    if (fence.language === SHELL || PICTURES.includes(fence.language)) continue;
    const run = PROGRAMS.includes(fence.language) && blocks.some(block => isBlock(fence, block));
    t.true(
      run || excused(fence.document, firstLine(fence)),
      `nobody runs ${place(fence)} (${fence.language})`,
    );
  }
});

test('a program is in one block, and a step starts it', t => {
  const fences = documents().flatMap(fencesOf);
  for (const walk of WALKS) {
    const lines = walk.steps.flatMap(step => ('line' in step ? [step.line] : [])).join('\n');
    for (const block of blocksOf(walk))
      t.is(fences.filter(fence => isBlock(fence, block)).length, 1, `${block.document}: ${block.begins}`);
    for (const { file } of walk.programs)
      t.true(
        lines.includes(`node ${file.replace(/\.ts$/, '.js')}`) ||
          walk.programs.some(({ parts }) => partOf(parts, file)),
        `${walk.title}: nobody starts ${file}`,
      );
  }
});

/** Whether another program imports the file. */
const partOf = (parts: readonly (Block | string)[], file: string): boolean =>
  parts.some(part => typeof part === 'string' && part.includes(`'./${file.replace(/\.ts$/, '.js')}'`));

test('what a walk types as printed is printed', t => {
  for (const walk of WALKS) {
    const printed = new Set(
      walk.documents.flatMap(document => [
        ...inlineCodeOf(document),
        ...fencesOf(document)
          .filter(({ language }) => language === SHELL)
          .flatMap(commandsIn),
      ]),
    );
    for (const line of printedLines(walk)) t.true(printed.has(line), `${walk.documents.join(', ')}: ${line}`);
  }
});

test('what is excused is still there', t => {
  for (const [document, lines] of Object.entries(NOT_RUN)) {
    const there = fencesOf(document).flatMap(fence => [firstLine(fence), ...commandsIn(fence)]);
    for (const line of Object.keys(lines)) t.true(there.includes(line), `${document}: ${line}`);
  }
});

test('the READMEs of the SDKs show the programs of the README', t => {
  const [lamp, app] = ['lamp.js', 'app.js'].map(name =>
    fencesOf('README.md').find(fence => fence.name === name),
  );

  t.is(fencesOf('packages/device-sdk/README.md')[0]?.text, lamp?.text);
  t.is(fencesOf('packages/client-sdk/README.md')[0]?.text, app?.text);
});

test('a block that a new guide brings is found, whatever stands before it', t => {
  const text =
    'Do:\n\n1. This:\n\n   ```sh\n   npx coconet ls # all\n   npx coconet \\\n     nodes\n   ```\n\n~~~js a.js\n```\n~~~\n';

  const fences = fencesIn('new.md', text);

  t.deepEqual(
    fences.map(({ line, language, name }) => ({ line, language, name })),
    [
      { line: 5, language: 'sh', name: undefined },
      { line: 11, language: 'js', name: 'a.js' },
    ],
  );
  t.deepEqual(fences.flatMap(commandsIn).slice(0, 2), ['npx coconet ls', 'npx coconet nodes']);
});

test('a block that is never closed is an error', t => {
  t.throws(() => fencesIn('new.md', '```sh\nls\n'), { message: 'new.md:1: this block is never closed' });
});
