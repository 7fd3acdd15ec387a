import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { fromHex, toHex } from '@coconet/cluster-protocol/core';

/** Cases that once showed something new, one file for each target; `npm test` runs all of them. */
export const CORPUS: string = join(import.meta.dirname, 'corpus');

const fileOf = (folder: string, target: string): string => join(folder, `${target}.txt`);

/** The cases in a folder's file of a target: hexadecimal, one a line. None where there is no file. */
export function readCorpus(folder: string, target: string): readonly Uint8Array[] {
  const file = fileOf(folder, target);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line, i) => {
    const bytes = fromHex(line);
    if (!bytes) throw new Error(`line ${i + 1} of ${file} is not hexadecimal`);
    return bytes;
  });
}

/** Writes the cases of a target, each once, the shortest first. */
export function writeCorpus(folder: string, target: string, cases: readonly Uint8Array[]): void {
  mkdirSync(folder, { recursive: true });
  const lines = [...new Set(cases.map(toHex))].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  writeFileSync(fileOf(folder, target), lines.map(line => `${line}\n`).join(''));
}
