import type { Reader } from '../wire/reader.js';
import type { Writer } from '../wire/writer.js';

/**
 * Closed lists on the wire: one byte, the 1-based place in the list, so that zeroed memory means nothing. Lists only
 * grow at their end.
 */
export function writeCode<T extends string>(writer: Writer, list: readonly T[], value: T): void {
  writer.uint8(list.indexOf(value) + 1);
}

/** The member of `list` that the next byte stands for; any other byte makes the reader fail. */
export function readCode<T extends string>(reader: Reader, list: readonly [T, ...T[]]): T {
  const value = list[reader.uint8() - 1];
  if (value === undefined) reader.fail();
  return value ?? list[0];
}

/** One byte that is 0 or 1; anything else makes the reader fail. */
export function readFlag(reader: Reader): boolean {
  const value = reader.uint8();
  if (value > 1) reader.fail();
  return value === 1;
}
