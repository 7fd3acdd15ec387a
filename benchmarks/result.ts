import { ANSWER_LENGTH, REQUEST_LENGTH } from './contestant.js';
import type { Cores } from './cores.js';
import { type Spread, spreadOf } from './statistics.js';
import type { FigureName, Figures } from './work.js';

/** A row of the result. */
interface Row {
  readonly name: FigureName;
  readonly title: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
  /** The figure of the baseline that it is divided by, where that is another one. */
  readonly over?: FigureName;
}

/** What is measured, in the order of the table. */
export const ROWS: readonly Row[] = [
  { name: 'commandP50', title: 'command + ack, p50', unit: 'ms', better: 'less' },
  { name: 'commandP99', title: 'command + ack, p99', unit: 'ms', better: 'less' },
  { name: 'rate', title: '64 in flight, rate', unit: '1/s', better: 'more' },
  {
    name: 'setUp',
    title: 'set-up to first answer, over one exchange',
    unit: 'ms',
    better: 'less',
    over: 'commandP50',
  },
  { name: 'commandBytes', title: 'bytes per command', unit: 'B', better: 'less' },
  { name: 'rateBytes', title: 'bytes per command, 64 in flight', unit: 'B', better: 'less' },
];

/** One contestant in one row. */
export interface Cell {
  /** As measured; means something on this machine at this hour. */
  readonly value: Spread;
  /** To the baseline of the same round: this is what may be compared. */
  readonly ratio: Spread;
}

/** The JSON value of `npm run bench -- --json`. */
export interface BenchResult {
  readonly node: string;
  readonly rounds: number;
  readonly quick: boolean;
  /** Core of the server and core of the client; `null`: not pinned. */
  readonly cores: Cores | null;
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly baseline: string;
  readonly contestants: readonly string[];
  /** Who could not take part, and why. */
  readonly absent: readonly { readonly contestant: string; readonly reason: string }[];
  readonly rows: readonly (Omit<Row, 'over'> & {
    /** `null`: absent, or the row does not apply. */
    readonly cells: Readonly<Record<string, Cell | null>>;
  })[];
}

/** Figures of one round by contestant. */
export type Round = ReadonlyMap<string, Figures>;

/** What the rounds say together. */
export function summarize(
  rounds: readonly Round[],
  run: Pick<BenchResult, 'quick' | 'baseline' | 'contestants' | 'absent'> & {
    readonly cores: Cores | undefined;
  },
): BenchResult {
  const { quick, baseline, contestants, absent, cores } = run;
  return {
    node: process.version,
    rounds: rounds.length,
    quick,
    cores: cores ?? null,
    requestBytes: REQUEST_LENGTH,
    answerBytes: ANSWER_LENGTH,
    baseline,
    contestants,
    absent,
    rows: ROWS.map(({ over, ...row }) => ({
      ...row,
      cells: Object.fromEntries(
        contestants.map(name => [name, cellOf(rounds, name, baseline, row.name, over ?? row.name)]),
      ),
    })),
  };
}

function cellOf(
  rounds: readonly Round[],
  name: string,
  baseline: string,
  figure: FigureName,
  over: FigureName,
): Cell | null {
  const values: number[] = [];
  const ratios: number[] = [];
  for (const round of rounds) {
    const value = round.get(name)?.[figure];
    const base = round.get(baseline)?.[over];
    if (value === undefined || base === undefined) return null;
    values.push(value);
    ratios.push(value / base);
  }
  return { value: spreadOf(values), ratio: spreadOf(ratios) };
}
