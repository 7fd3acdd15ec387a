import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { fromHex } from '@coconet/cluster-protocol/core';

const FOLDER = join(import.meta.dirname, '../../../test-vectors');
/** Below this a hexadecimal text may as well be a number or a word. */
const LEAST_DIGITS = 4;

/** Everything in hexadecimal below `path` of a file of test vectors; what is no vector of the decoder does no harm. */
export function vectorBytes(file: string, ...path: readonly string[]): readonly Uint8Array[] {
  return texts(file, ...path).flatMap(text => {
    const bytes = text.length >= LEAST_DIGITS ? fromHex(text) : undefined;
    return bytes === undefined ? [] : [bytes];
  });
}

/** All texts below `path` of a file of test vectors. */
export function texts(file: string, ...path: readonly string[]): readonly string[] {
  let value: unknown = JSON.parse(readFileSync(join(FOLDER, `${file}.json`), 'utf8'));
  for (const name of path) value = (value as Record<string, unknown>)[name];
  const found: string[] = [];
  collect(value, found);
  if (found.length === 0) throw new Error(`${file}.json has nothing at ${path.join('.')}`);
  return found;
}

function collect(value: unknown, into: string[]): void {
  if (typeof value === 'string') into.push(value);
  else if (typeof value === 'object' && value !== null)
    for (const item of Object.values(value)) collect(item, into);
}
