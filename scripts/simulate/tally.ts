import { KeptFile } from '../kept-file.js';
import type { Result } from './order.js';

/** Failures that are kept of each scenario: more would tell nothing new. */
const MOST_FAILURES = 100;

/** What the seeds of one scenario have shown. */
export interface Sum {
  seeds: number;
  failed: number;
  /** Ms of virtual time, and of processor time. */
  virtual: number;
  real: number;
  readonly counts: Record<string, number>;
  readonly failures: { readonly seed: number; readonly problems: readonly string[] }[];
}

interface Kept {
  /** The first seed that was not run yet. */
  next: number;
  readonly sum: Sum;
}

/** An empty sum. */
export const nothing = (): Sum => ({ seeds: 0, failed: 0, virtual: 0, real: 0, counts: {}, failures: [] });

/** Adds what came of a seed. */
export function add(sum: Sum, { seed, problems, virtual, real, counts }: Result): void {
  sum.seeds++;
  sum.virtual += virtual;
  sum.real += real;
  for (const [name, count] of Object.entries(counts)) sum.counts[name] = (sum.counts[name] ?? 0) + count;
  if (problems.length === 0) return;
  sum.failed++;
  if (sum.failures.length < MOST_FAILURES) sum.failures.push({ seed, problems });
}

/** The sum of all seeds that went on from each other, in a file that the next run goes on with. */
export class Tally {
  readonly #file: KeptFile<Record<string, Kept>>;

  private constructor(file: KeptFile<Record<string, Kept>>) {
    this.#file = file;
  }

  /** The tally of earlier runs; an empty one if there is none or `fresh` says so. */
  static async open(file: string, fresh: boolean): Promise<Tally> {
    return new Tally(await KeptFile.open<Record<string, Kept>>(file, fresh, {}));
  }

  /** The first seed of a scenario that was not run yet. */
  next(scenario: string): number {
    return this.#file.value[scenario]?.next ?? 1;
  }

  /** Adds seeds up to, not including, `next`. */
  add(scenario: string, next: number, result: Result): void {
    const kept = (this.#file.value[scenario] ??= { next: 1, sum: nothing() });
    kept.next = Math.max(kept.next, next);
    add(kept.sum, result);
  }

  save(): Promise<void> {
    return this.#file.save();
  }

  /** Everything so far. */
  get sums(): Readonly<Record<string, Sum>> {
    return Object.fromEntries(Object.entries(this.#file.value).map(([name, { sum }]) => [name, sum]));
  }
}

/** How much faster than real time one process is that has a processor for itself. */
export const rateOf = ({ virtual, real }: Sum): number => Math.round(virtual / Math.max(1, real));

/** The one command that runs a seed again. */
export const replayOf = (scenario: string, seed: number): string =>
  `npm run simulate -- --scenario ${scenario} --seed ${seed} --seeds 1 --chart`;

/** Sums for people. */
export function textOf(sums: Readonly<Record<string, Sum>>): string {
  const lines: string[] = [];
  for (const [name, sum] of Object.entries(sums)) {
    const hours = (sum.virtual / 3_600_000).toFixed(1);
    lines.push(
      `${name}: ${sum.seeds} seeds, ${sum.failed} failed; ${hours} virtual hours, ${rateOf(sum)} × real time in each process`,
    );
    const counts = Object.entries(sum.counts).map(([what, count]) => `${what} ${Math.round(count)}`);
    if (counts.length > 0) lines.push(`  ${counts.join(' · ')}`);
    for (const { seed, problems } of sum.failures)
      lines.push(`  seed ${seed}: ${problems[0]}`, `    ${replayOf(name, seed)}`);
  }
  return `${lines.join('\n')}\n`;
}
