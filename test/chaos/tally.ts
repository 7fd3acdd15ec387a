import { quantile } from '../../benchmarks/statistics.js';
import { KeptFile } from '../../scripts/kept-file.js';
import type { Round } from './round.js';

/** Times and flaws that are kept of each kind, the latest: more would tell nothing new. */
const MOST_TIMES = 50_000;
const MOST_FLAWS = 100;

interface Sum {
  rounds: number;
  readonly counts: Record<string, number>;
  readonly times: Record<string, number[]>;
  readonly flaws: string[];
}

/** What the rounds of one kind have shown so far. */
export interface Summary {
  readonly rounds: number;
  readonly counts: Readonly<Record<string, number>>;
  /** Ms. */
  readonly times: Readonly<
    Record<string, { readonly p50: number; readonly p99: number; readonly most: number }>
  >;
  readonly flaws: readonly string[];
}

/** The sum of all rounds of all runs, in a file that the next run goes on with. */
export class Tally {
  readonly #file: KeptFile<Record<string, Sum>>;

  private constructor(file: KeptFile<Record<string, Sum>>) {
    this.#file = file;
  }

  /** The tally of earlier runs; an empty one if there is none or `fresh` says so. */
  static async open(file: string, fresh: boolean): Promise<Tally> {
    return new Tally(await KeptFile.open<Record<string, Sum>>(file, fresh, {}));
  }

  add(kind: string, { counts, times, flaws }: Round): void {
    const sum = (this.#file.value[kind] ??= { rounds: 0, counts: {}, times: {}, flaws: [] });
    sum.rounds++;
    for (const [name, count] of Object.entries(counts)) sum.counts[name] = (sum.counts[name] ?? 0) + count;
    for (const [name, time] of Object.entries(times)) {
      const kept = (sum.times[name] ??= []);
      kept.push(Math.round(time * 10) / 10);
      if (kept.length > MOST_TIMES) kept.shift();
    }
    sum.flaws.push(...flaws);
    sum.flaws.splice(0, sum.flaws.length - MOST_FLAWS);
  }

  save(): Promise<void> {
    return this.#file.save();
  }

  summary(): Readonly<Record<string, Summary>> {
    return Object.fromEntries(
      Object.entries(this.#file.value).map(([kind, { rounds, counts, times, flaws }]) => [
        kind,
        {
          rounds,
          counts,
          times: Object.fromEntries(
            Object.entries(times).map(([name, values]) => [
              name,
              { p50: quantile(values, 0.5), p99: quantile(values, 0.99), most: Math.max(...values) },
            ]),
          ),
          flaws,
        },
      ]),
    );
  }
}

/** A summary for people. */
export function textOf(summaries: Readonly<Record<string, Summary>>): string {
  const lines: string[] = [];
  for (const [kind, { rounds, counts, times, flaws }] of Object.entries(summaries)) {
    lines.push(`${kind}: ${rounds} rounds, ${flaws.length} flaws`);
    for (const [name, { p50, p99, most }] of Object.entries(times))
      lines.push(`  ${name}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${most.toFixed(1)} ms`);
    const all = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
    for (let i = 0; i < all.length; i += 6) lines.push(`  ${all.slice(i, i + 6).join(' · ')}`);
    for (const flaw of flaws) lines.push(`  FLAW ${flaw}`);
  }
  return `${lines.join('\n')}\n`;
}
