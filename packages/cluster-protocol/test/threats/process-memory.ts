import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

import { loadRawSodium } from '../../src/sodium/raw-sodium.js';

/** XORed over whatever is searched for, so that the searcher does not find itself. */
const MASK = 0xa5;

/** A secret in a form that a search through memory does not find. */
export type Masked = readonly number[];

/** Masks a secret without leaving a copy of it. */
export function masked(secret: Uint8Array): Masked {
  const result = new Array<number>(secret.length);
  for (let i = 0; i < secret.length; i++) result[i] = secret[i]! ^ MASK;
  return result;
}

/** Where a search looked, and how often it found one of the secrets. */
export interface Search {
  readonly bytes: number;
  readonly hits: number;
}

/** Searches the memory of libsodium's WebAssembly. */
export async function searchSodium(secrets: readonly Masked[]): Promise<Search> {
  const { HEAPU8: heap } = await loadRawSodium();
  return { bytes: heap.length, hits: hitsIn(heap, heap.length, secrets) };
}

/** Searches everything that this process can write to, as a core dump would hold it; `undefined` where there is no /proc. */
export function searchProcess(secrets: readonly Masked[]): Search | undefined {
  let file: number;
  let maps: string;
  try {
    maps = readFileSync('/proc/self/maps', 'latin1');
    file = openSync('/proc/self/mem', 'r');
  } catch {
    return undefined;
  }
  const chunk = new Uint8Array(CHUNK + LONGEST);
  let [bytes, hits] = [0, 0];
  for (const line of maps.split('\n')) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    if (from === undefined || to === undefined) continue;
    const end = Number.parseInt(to, 16);
    for (let at = Number.parseInt(from, 16); at < end; at += CHUNK) {
      const wanted = Math.min(chunk.length, end - at);
      const length = readOrSkip(file, chunk, wanted, at);
      bytes += Math.min(length, CHUNK);
      hits += hitsIn(chunk, length, secrets);
      // What was read lies in this very memory, and must not be found when its turn comes.
      chunk.fill(0);
    }
  }
  closeSync(file);
  return { bytes, hits };
}

const CHUNK = 2 ** 20;
const LONGEST = 64;

/** Some regions, as those of the graphics driver, cannot be read. */
function readOrSkip(file: number, into: Uint8Array, length: number, at: number): number {
  try {
    return readSync(file, into, 0, length, at);
  } catch {
    return 0;
  }
}

function hitsIn(memory: Uint8Array, length: number, secrets: readonly Masked[]): number {
  const byFirst = new Map<number, Masked[]>();
  const isFirst = new Uint8Array(65_536);
  for (const secret of secrets) {
    const first = ((secret[0]! ^ MASK) << 8) | (secret[1]! ^ MASK);
    byFirst.set(first, [...(byFirst.get(first) ?? []), secret]);
    isFirst[first] = 1;
  }
  let hits = 0;
  for (let at = 0; at + 1 < length; at++) {
    const first = (memory[at]! << 8) | memory[at + 1]!;
    if (isFirst[first] === 0) continue;
    for (const secret of byFirst.get(first) ?? [])
      if (secret.every((byte, i) => memory[at + i] === (byte ^ MASK))) hits++;
  }
  return hits;
}
