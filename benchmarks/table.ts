import type { Verdict } from './goals.js';
import type { BenchResult } from './result.js';
import type { Spread } from './statistics.js';

const ABSENT = '–';
const INDENT = '  ';

/** The result for people: row by row everybody's ratio and value, then what we want to reach. */
export function tableOf(result: BenchResult): string {
  const { rows, contestants, absent, goals, rounds, cores, quick } = result;
  const where = cores ? `pinned to cores ${cores.join(' and ')}` : 'not pinned';
  return [
    `Median (least–most) of ${rounds} round${rounds === 1 ? '' : 's'}; ratios are to figures of the same round; ${where}`,
    ...(quick ? ['Quick: these figures show that everything runs and nothing else.'] : []),
    ...rows.flatMap(({ title, better, unit, baseline, cells }) => [
      '',
      `${title} (${better} is better${baseline === null ? '' : `; ratio to ${baseline}`})`,
      ...aligned(
        contestants.flatMap(name => {
          const cell = cells[name];
          if (!cell) return [];
          const ratio = baseline === null ? [] : [cell.ratio ? spread(cell.ratio) : ABSENT];
          return [[name, ...ratio, `${spread(cell.value)} ${unit}`]];
        }),
      ),
    ]),
    ...(goals.length > 0 ? ['', 'Goals', ...aligned(goals.map(goalLine))] : []),
    ...absent.map(
      ({ contestant, work, reason }) =>
        `\n${contestant} is absent${work === undefined ? '' : ` from ${work}`}: ${reason}`,
    ),
    '',
  ].join('\n');
}

function goalLine({ title, contestant, of, bound, limit, measured, met }: Verdict): readonly string[] {
  const by = Math.abs(measured / limit - 1);
  return [
    title,
    contestant,
    `${bound === 'atMost' ? '≤' : '≥'} ${figure(limit)}${of === 'ratio' ? ' ×' : ''}`,
    figure(measured),
    met ? 'met' : `missed by ${(100 * by).toFixed(0)} %`,
  ];
}

/** Columns as wide as their widest cell. */
function aligned(lines: readonly (readonly string[])[]): readonly string[] {
  return lines.map(
    line =>
      INDENT +
      line
        .map((cell, column) => cell.padEnd(Math.max(...lines.map(other => other[column]?.length ?? 0))))
        .join('   ')
        .trimEnd(),
  );
}

const spread = ({ median, least, most }: Spread): string =>
  `${figure(median)} (${figure(least)}–${figure(most)})`;

/** Three digits tell all there is to tell; large figures are shortened. */
function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toPrecision(3)}M`;
  if (size >= 1_000) return `${(value / 1_000).toPrecision(3)}k`;
  return size >= 100
    ? String(Math.round(value))
    : size < 0.01
      ? value.toFixed(3)
      : String(Number(value.toPrecision(3)));
}
