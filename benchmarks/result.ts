import { ANSWER_LENGTH, REQUEST_LENGTH } from './contestant.js';
import type { Cores } from './cores.js';
import { judge, type Verdict } from './goals.js';
import { type Spread, spreadOf } from './statistics.js';
import type { FigureName, Figures } from './work.js';

/** A row of the result. */
interface Row {
  readonly name: FigureName;
  readonly title: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
  /** What ratios are taken to: a contestant, and a figure of its where that is another one. Absent: there is no ratio. */
  readonly over?: { readonly contestant: string; readonly figure?: FigureName };
}

const dgram = { contestant: 'dgram' } as const;

/** What is measured, in the order of the tables. */
export const ROWS: readonly Row[] = [
  { name: 'commandP50', title: 'command + ack, p50', unit: 'ms', better: 'less', over: dgram },
  { name: 'commandP99', title: 'command + ack, p99', unit: 'ms', better: 'less', over: dgram },
  { name: 'rate', title: '64 in flight, rate', unit: '1/s', better: 'more', over: dgram },
  {
    name: 'fanOut',
    title: 'one value to 100 receivers, deliveries',
    unit: '1/s',
    better: 'more',
    over: dgram,
  },
  { name: 'bulk', title: 'bulk over one stream', unit: 'B/s', better: 'more', over: { contestant: 'tcp' } },
  {
    name: 'setUp',
    title: 'set-up to first answer, over one exchange',
    unit: 'ms',
    better: 'less',
    over: { contestant: 'dgram', figure: 'commandP50' },
  },
  { name: 'serverMemory', title: 'memory per session, server', unit: 'B', better: 'less' },
  { name: 'clientMemory', title: 'memory per session, client', unit: 'B', better: 'less' },
  { name: 'commandBytes', title: 'bytes per command', unit: 'B', better: 'less', over: dgram },
  { name: 'rateBytes', title: 'bytes per command, 64 in flight', unit: 'B', better: 'less', over: dgram },
  { name: 'packetBytes', title: 'bytes added to a packet', unit: 'B', better: 'less' },
  { name: 'frameBytes', title: 'bytes added by a frame', unit: 'B', better: 'less' },
  { name: 'commandAllocated', title: 'allocated per packet, commands', unit: 'B', better: 'less' },
  { name: 'rateAllocated', title: 'allocated per packet, 64 in flight', unit: 'B', better: 'less' },
  { name: 'bulkAllocated', title: 'allocated per packet, bulk', unit: 'B', better: 'less' },
  { name: 'heapGrowth', title: 'growth of the heap per packet', unit: 'B', better: 'less' },
];

/** One contestant in one row. */
export interface Cell {
  /** As measured; means something on this machine at this hour. */
  readonly value: Spread;
  /** To the baseline of the same round: this is what may be compared. `null` where the row has none. */
  readonly ratio: Spread | null;
}

/** Who could not take part, in what, and why. */
export interface Absence {
  readonly contestant: string;
  /** Absent from everything, or from one kind of work. */
  readonly work?: string;
  readonly reason: string;
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
  readonly contestants: readonly string[];
  readonly absent: readonly Absence[];
  /** Rows in which nobody has a figure are left out. */
  readonly rows: readonly (Omit<Row, 'over'> & {
    /** Whose figure of the same round it is divided by. */
    readonly baseline: string | null;
    /** `null`: absent, or the row does not apply. */
    readonly cells: Readonly<Record<string, Cell | null>>;
  })[];
  /** What we want to reach, and whether we did. */
  readonly goals: readonly Verdict[];
}

/** Figures of one round by contestant. */
export type Round = ReadonlyMap<string, Figures>;

/** What the rounds say together. */
export function summarize(
  rounds: readonly Round[],
  run: Pick<BenchResult, 'quick' | 'contestants' | 'absent'> & { readonly cores: Cores | undefined },
): BenchResult {
  const { quick, contestants, absent, cores } = run;
  const rows = ROWS.map(({ over, ...row }) => ({
    ...row,
    baseline: over?.contestant ?? null,
    cells: Object.fromEntries(
      contestants.map(name => [name, cellOf(rounds, name, { ...row, ...(over && { over }) })]),
    ),
  })).filter(({ cells }) => Object.values(cells).some(cell => cell !== null));
  return {
    node: process.version,
    rounds: rounds.length,
    quick,
    cores: cores ?? null,
    requestBytes: REQUEST_LENGTH,
    answerBytes: ANSWER_LENGTH,
    contestants,
    absent,
    rows,
    goals: judge(rows),
  };
}

function cellOf(rounds: readonly Round[], contestant: string, { name, over }: Row): Cell | null {
  const values: number[] = [];
  const ratios: number[] = [];
  for (const round of rounds) {
    const value = round.get(contestant)?.[name];
    if (value === undefined) return null;
    values.push(value);
    const base = over && round.get(over.contestant)?.[over.figure ?? name];
    if (base !== undefined) ratios.push(value / base);
  }
  if (values.length === 0) return null;
  return { value: spreadOf(values), ratio: ratios.length === values.length ? spreadOf(ratios) : null };
}
