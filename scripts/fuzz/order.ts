import { join } from 'node:path';

/** What runs have found, tallies and failures; nothing of it is committed. */
export const BUILD: string = join(import.meta.dirname, '../../build/fuzz');

/** What a process is to try. */
export interface Order {
  readonly target: string;
  readonly seed: number;
  readonly inputs: number;
}

/** What came of it. Plain data: it travels between processes; cases are hexadecimal. */
export interface Result extends Order {
  readonly findings: readonly { readonly flaw: string; readonly hex: string }[];
  /** Cases that showed something new. */
  readonly found: readonly string[];
  /** Ms of the slowest input. */
  readonly slowest: number;
  /** Different things that this process has seen happen. */
  readonly features: number;
  /** Ms that it took. */
  readonly real: number;
  /** Bytes of heap after a collection. */
  readonly heap: number;
}
