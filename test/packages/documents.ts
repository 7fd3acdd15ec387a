import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../scripts/packages.js';

/** A block of code in a document. */
export interface Fence {
  /** Path from the repository's root. */
  readonly document: string;
  /** The line of the document on which the block opens, from 1. */
  readonly line: number;
  readonly language: string;
  /** The file that a reader is told to make of it: the word behind the language, as in ` ```js lamp.js `. */
  readonly name: string | undefined;
  readonly text: string;
}

/** What people follow word by word: the README and the guides. */
export function documents(): string[] {
  const guides = readdirSync(join(ROOT, 'docs/guides')).filter(name => name.endsWith('.md'));
  return ['README.md', ...guides.sort().map(name => `docs/guides/${name}`)];
}

export function fencesOf(document: string): Fence[] {
  return fencesIn(document, readFileSync(join(ROOT, document), 'utf8'));
}

/** The blocks of a text; blocks inside a list or a quotation are found as well. */
export function fencesIn(document: string, text: string): Fence[] {
  const fences: Fence[] = [];
  let open: { line: number; mark: string; indent: string; info: string; lines: string[] } | undefined;
  for (const [index, whole] of text.split('\n').entries()) {
    if (open === undefined) {
      const [, indent, mark, info] = /^([\s>]*)(`{3,}|~{3,})\s*(.*?)\s*$/.exec(whole) ?? [];
      if (indent !== undefined && mark !== undefined && info !== undefined)
        open = { line: index + 1, mark, indent, info, lines: [] };
    } else if (whole.trimStart() === open.mark) {
      const [language = '', name] = open.info.split(/\s+/);
      const { line, lines } = open;
      fences.push({ document, line, language, name, text: lines.map(each => `${each}\n`).join('') });
      open = undefined;
    } else {
      open.lines.push(whole.startsWith(open.indent) ? whole.slice(open.indent.length) : whole);
    }
  }
  if (open !== undefined) throw new Error(`${document}:${open.line}: this block is never closed`);
  return fences;
}

/** The commands of a shell block: a line each, without remarks; one that ends in a backslash goes on. */
export function commandsIn(fence: Fence): string[] {
  return fence.text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map(line => line.replace(/(^|\s)#\s.*$/, '').trim())
    .filter(line => line !== '');
}

/** What a document says between single backticks, blocks left out. */
export function inlineCodeOf(document: string): ReadonlySet<string> {
  let text = readFileSync(join(ROOT, document), 'utf8');
  for (const fence of fencesIn(document, text)) text = text.replace(fence.text, '');
  return new Set(
    [...text.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, code = '']) => code.replace(/\s+/g, ' ')),
  );
}
