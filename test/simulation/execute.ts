import type { CryptoProvider } from '@coconet/cluster-protocol/core';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCryptoProvider, QlogTrace } from '@coconet/cluster-protocol/node';
import { AuthenticatingProvider, Recorder } from '@coconet/cluster-protocol/testing';
import type { Run } from './run.js';
import type { NamedScenario } from './scenarios.js';

/** The seeds with this last digit have the real cryptography; the others only authenticate, which is faster. */
const REAL = 9;
/** One seed in so many is run twice: the same datagrams have to pass at the same times. */
const TWICE = 20;
/** Lines of a chart: more than anybody reads. */
const MOST_LINES = 5_000;

const real = await createCryptoProvider();

const cryptoFor = (seed: number): CryptoProvider =>
  seed % 10 === REAL ? real : new AuthenticatingProvider();

/** Runs a seed of a scenario. What it throws is a problem like any other. */
export async function execute({ run }: NamedScenario, seed: number): Promise<Run> {
  try {
    const first = await run(seed, cryptoFor(seed));
    if (seed % TWICE !== 0 || first.problems.length > 0) return first;
    const second = await run(seed, cryptoFor(seed));
    if (second.hash === first.hash) return { ...first, virtual: first.virtual + second.virtual };
    return { ...first, problems: [`two runs differ: ${first.hash} and ${second.hash}`] };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { problems: [text], virtual: 0, hash: '', counts: {} };
  }
}

/** When the worlds of the simulator begin, ms since 1970. */
const WORLD_START = Date.UTC(2026, 0, 1);

/** Runs a seed and writes a qlog file for each of its endpoints into a folder; their names. */
export async function qlogOf(
  { run }: NamedScenario,
  seed: number,
  folder: string,
): Promise<readonly string[]> {
  const files = new Map<string, string[]>();
  const recorder = new Recorder({
    trace: (title, now) => {
      const records: string[] = [];
      // The second call of a life has a file of its own, as it would have on a machine.
      let name = title;
      for (let namesakes = 1; files.has(name); namesakes++) name = `${title}-${namesakes}`;
      files.set(name, records);
      return new QlogTrace({ title, now, wallTime: WORLD_START, write: record => void records.push(record) });
    },
  });
  await Promise.resolve()
    .then(() => run(seed, cryptoFor(seed), recorder))
    .catch(() => undefined); // Told already, as for a chart.
  await mkdir(folder, { recursive: true });
  const names = [...files.keys()].map(name => `${name}.sqlog`);
  for (const [name, records] of files) await writeFile(join(folder, `${name}.sqlog`), records.join(''));
  return names;
}

/** Runs a seed and draws it, as a sequence chart in the language of Mermaid. */
export async function chartOf({ run }: NamedScenario, seed: number): Promise<string> {
  const recorder = new Recorder({ keep: MOST_LINES });
  await Promise.resolve()
    .then(() => run(seed, cryptoFor(seed), recorder))
    .catch(() => undefined); // What failed is known already; the chart shows how it came to it.
  return recorder.mermaid();
}
