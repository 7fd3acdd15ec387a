/**
 * Attacks the product as the threat model says, with full counts (docs/contributing/threat-tests.md):
 *
 *   npm run threats -- [--only T8,T5] [--share F] [--json]
 */
import type { Exercise, Outcome } from '../../packages/cluster-protocol/test/threats/exercise.js';
import { handshakeThreats } from '../../packages/cluster-protocol/test/threats/handshake-threats.js';
import { keyThreats } from '../../packages/cluster-protocol/test/threats/key-threats.js';
import { memberThreats } from '../../packages/cluster-protocol/test/threats/member-threats.js';
import { sessionThreats } from '../../packages/cluster-protocol/test/threats/session-threats.js';
import { strangerThreats } from '../../packages/cluster-protocol/test/threats/stranger-threats.js';
import { nmnThreats } from '../../packages/nmn/test/threats/nmn-threats.js';
import { floodThreats } from './flood.js';
import { parseOptions, USAGE } from './options.js';

const rowNumber = (exercise: Exercise): number => Number(exercise.threat.slice(1));

const EXERCISES: readonly Exercise[] = [
  ...sessionThreats,
  ...handshakeThreats,
  ...strangerThreats,
  ...keyThreats,
  ...memberThreats,
  ...nmnThreats,
  ...floodThreats,
].sort((a, b) => rowNumber(a) - rowNumber(b));

interface Report extends Outcome {
  readonly threat: string;
  readonly title: string;
  readonly size: number;
  readonly unit: string;
  readonly seconds: number;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function report({ threat, title, unit, sizes, run }: Exercise, share: number): Promise<Report> {
  const size = Math.max(1, Math.round(sizes.full * share));
  say(`${threat}: ${title} (${size} ${unit})`);
  const start = performance.now();
  let told = start;
  const outcome = await run(size, done => {
    if (performance.now() - told < 2_000) return;
    told = performance.now();
    say(`  ${done} of ${size}`);
  });
  const seconds = +((performance.now() - start) / 1_000).toFixed(1);
  say(
    outcome.failures.length === 0
      ? `  holds, ${seconds} s`
      : `  FAILS, ${seconds} s: ${outcome.failures.join('; ')}`,
  );
  return { threat, title, size, unit, seconds, ...outcome };
}

function tableOf(reports: readonly Report[]): string {
  const rows = reports.map(({ threat, title, counts, failures, seconds }) => {
    const figures = Object.entries(counts).map(([what, value]) => `${what} ${value}`);
    return [
      `${threat.padEnd(4)} ${failures.length === 0 ? 'holds' : 'FAILS'}  ${title}  (${seconds} s)`,
      `            ${figures.join(', ')}`,
      ...failures.map(failure => `            ! ${failure}`),
    ].join('\n');
  });
  const failed = reports.filter(({ failures }) => failures.length > 0).length;
  return `${rows.join('\n')}\n\n${reports.length - failed} hold, ${failed} fail\n`;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), new Set(EXERCISES.map(({ threat }) => threat)));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if ('wrong' in options) {
    process.stderr.write(`${options.wrong}\n\n${USAGE}`);
    return 2;
  }
  const { only, share, json } = options;
  const reports: Report[] = [];
  for (const exercise of EXERCISES)
    if (only.length === 0 || only.includes(exercise.threat)) reports.push(await report(exercise, share));
  process.stdout.write(json ? `${JSON.stringify({ share, exercises: reports })}\n` : tableOf(reports));
  return reports.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

process.exitCode = await main();
