import { KeptFile } from '../kept-file.js';
import type { Result } from './order.js';

/** Failures that are kept of each target: more would tell nothing new. */
const MOST_FAILURES = 100;
/**
 * Bytes of heap that a process may gain between its first stretches of a target and its last, what it learns about the target
 * included. A leak of one small object for each input is many times that.
 */
export const MOST_GROWTH: number = 64 * 1024 * 1024;

/** A flaw, and the command that shows it again. */
export interface Failure {
  readonly flaw: string;
  readonly replay: string;
}

/** What the inputs of one target have shown. */
export interface Sum {
  inputs: number;
  /** Different things that happened, as far as one process has seen. */
  features: number;
  /** Ms of the slowest input; ms in all, of all processes. */
  slowest: number;
  real: number;
  /** Bytes that the heap of one process gained at most. */
  growth: number;
  readonly failures: Failure[];
}

/** An empty sum. */
export const nothing = (): Sum => ({ inputs: 0, features: 0, slowest: 0, real: 0, growth: 0, failures: [] });

/** Adds what came of an order. */
export function add(
  sum: Sum,
  { inputs, features, slowest, real }: Result,
  growth: number,
  failures: readonly Failure[],
): void {
  sum.inputs += inputs;
  sum.features = Math.max(sum.features, features);
  sum.slowest = Math.max(sum.slowest, slowest);
  sum.real += real;
  sum.growth = Math.max(sum.growth, growth);
  sum.failures.push(...failures);
  sum.failures.splice(0, sum.failures.length - MOST_FAILURES);
}

interface Kept {
  /** The first seed that was not used yet. */
  next: number;
  readonly sums: Record<string, Sum>;
}

/** All inputs of all runs that went on from each other. */
export type Tally = KeptFile<Kept>;

/** The tally of earlier runs; an empty one if there is none or `fresh` says so. */
export const openTally = (file: string, fresh: boolean): Promise<Tally> =>
  KeptFile.open<Kept>(file, fresh, { next: 1, sums: {} });

/** Sums for people. */
export function textOf(sums: Readonly<Record<string, Sum>>): string {
  const lines: string[] = [];
  let [inputs, failures] = [0, 0];
  for (const [name, sum] of Object.entries(sums)) {
    inputs += sum.inputs;
    failures += sum.failures.length;
    const rate = Math.round(sum.inputs / Math.max(0.001, sum.real / 1_000));
    lines.push(
      `${name}: ${sum.inputs} inputs, ${sum.failures.length} flaws; ${sum.features} features, slowest ${sum.slowest.toFixed(1)} ms, heap +${(sum.growth / 2 ** 20).toFixed(1)} MiB, ${rate}/s in each process`,
    );
    for (const { flaw, replay } of sum.failures) lines.push(`  ${flaw.split('\n')[0]}`, `    ${replay}`);
  }
  lines.push(`${inputs} inputs in all, ${failures} flaws`);
  return `${lines.join('\n')}\n`;
}
