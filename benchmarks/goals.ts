import type { BenchResult } from './result.js';
import type { FigureName } from './work.js';

/** What one of our figures is to reach. */
interface Goal {
  readonly row: FigureName;
  /** Whether the ratio to the baseline is meant, or the value as measured. */
  readonly of: 'ratio' | 'value';
  readonly bound: 'atMost' | 'atLeast';
  /** With the path MTU as found, and with datagrams of 1452 bytes at most. */
  readonly found: number;
  readonly capped: number;
}

const atMost = (row: FigureName, of: Goal['of'], limit: number): Goal => ({
  row,
  of,
  bound: 'atMost',
  found: limit,
  capped: limit,
});

const atLeast = (row: FigureName, found: number, capped: number): Goal => ({
  row,
  of: 'ratio',
  bound: 'atLeast',
  found,
  capped,
});

/** Better than any encrypted peer on the same work, by what was measured of them. */
const GOALS: readonly Goal[] = [
  atMost('commandP50', 'ratio', 1.15),
  atLeast('rate', 5.6, 4.5),
  atLeast('fanOut', 2.3, 1.9),
  atLeast('bulk', 0.4, 0.21),
  atMost('setUp', 'ratio', 20),
  atMost('serverMemory', 'value', 12_000),
  atMost('packetBytes', 'value', 25),
  atMost('frameBytes', 'value', 6),
  atMost('commandAllocated', 'value', 64),
  atMost('rateAllocated', 'value', 64),
  atMost('bulkAllocated', 'value', 64),
  // Flat: less than one object in a thousand packets stays behind.
  atMost('heapGrowth', 'value', 0.05),
];

const CONTESTANTS = { found: 'coconet', capped: 'coconet-1452' } as const;

/** A goal beside the median that was measured. */
export interface Verdict {
  readonly row: FigureName;
  readonly title: string;
  readonly contestant: string;
  readonly of: 'ratio' | 'value';
  readonly bound: 'atMost' | 'atLeast';
  readonly limit: number;
  readonly measured: number;
  readonly met: boolean;
}

/** Every goal for which there is a figure. */
export function judge(rows: BenchResult['rows']): readonly Verdict[] {
  return GOALS.flatMap(({ row: name, of, bound, ...limits }) =>
    (['found', 'capped'] as const).flatMap(mtu => {
      const contestant = CONTESTANTS[mtu];
      const row = rows.find(each => each.name === name);
      const measured = row?.cells[contestant]?.[of]?.median;
      if (!row || measured === undefined) return [];
      const limit = limits[mtu];
      const met = bound === 'atMost' ? measured <= limit : measured >= limit;
      return [{ row: name, title: row.title, contestant, of, bound, limit, measured, met }];
    }),
  );
}
