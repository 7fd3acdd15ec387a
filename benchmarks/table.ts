import type { BenchResult, Cell } from './result.js';

const ABSENT = '–';

/** The result for people: ratios, and what the baseline itself took. */
export function tableOf(result: BenchResult): string {
  const { rows, contestants, baseline, rounds, cores, quick } = result;
  const others = contestants.filter(name => name !== baseline);
  const lines = [
    ['', ...others, `${baseline}, for orientation`],
    ...rows.map(({ title, better, unit, cells }) => [
      `${title} (${better} is better)`,
      ...others.map(name => ratio(cells[name] ?? null)),
      absolute(cells[baseline] ?? null, unit),
    ]),
  ];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)));
  const table = lines.map(line =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('   ')
      .trimEnd(),
  );
  const where = cores ? `pinned to cores ${cores.join(' and ')}` : 'not pinned';
  return [
    `Ratios to ${baseline} of the same round: median (least–most) of ${rounds} round${rounds === 1 ? '' : 's'}; ${where}`,
    ...(quick ? ['Quick: these figures show that everything runs and nothing else.'] : []),
    '',
    ...table,
    ...result.absent.map(({ contestant, reason }) => `\n${contestant} is absent: ${reason}`),
    '',
  ].join('\n');
}

function ratio(cell: Cell | null): string {
  if (!cell) return ABSENT;
  const { median, least, most } = cell.ratio;
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

function absolute(cell: Cell | null, unit: string): string {
  if (!cell) return ABSENT;
  const { median } = cell.value;
  return `${median >= 100 ? Math.round(median) : Number(median.toPrecision(3))} ${unit}`;
}
