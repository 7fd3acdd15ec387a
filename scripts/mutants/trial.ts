import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

import { type Mutant, ROOT, sourceOf } from './mutant.js';
import { readTap, type TestRun } from './tap.js';

const AVA = join(ROOT, 'node_modules/ava/entrypoints/cli.mjs');
const HOOK = pathToFileURL(join(import.meta.dirname, 'plant.js')).href;

/** Seeds of each scenario of the simulator, where that is what finds a fault. */
const SEEDS = '12';

/** How long after ava should have given up it is taken to be stuck itself. */
const STUCK_MS = 30_000;

/** One run of a file of tests. */
export interface Trial extends TestRun {
  /** Whether ava itself was content. */
  readonly good: boolean;
  /** Whether the fault's source was read at all. */
  readonly planted: boolean;
  /** Whether it ended because nothing happened any more. */
  readonly stuck: boolean;
  readonly milliseconds: number;
  readonly report: string;
}

/** Runs files of tests in processes of their own, with a fault or without one. */
export class Trials {
  readonly #folder: string;
  readonly #running = new Set<ChildProcess>();
  #ended = false;
  #count = 0;

  /** `folder` is for files that come and go. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether {@link Trials.end} was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Kills what runs. Nothing begins after it, and what ran is worth nothing. */
  end(): void {
    this.#ended = true;
    for (const child of this.#running) kill(child);
  }

  /** Runs one file of tests; `quietMs` is how long nothing may happen. `undefined`: it was ended. */
  async run(test: string, mutant: Mutant | undefined, quietMs: number): Promise<Trial | undefined> {
    if (this.#ended) return undefined;
    const seen = join(this.#folder, `seen-${this.#count++}`);
    const { NODE_OPTIONS: _nodeOptions, COCONET_MUTANT: _mutant, ...env } = process.env;
    const start = performance.now();
    const child = spawn(
      process.execPath,
      [AVA, test, '--tap', '--fail-fast', `--timeout=${Math.ceil(quietMs / 1_000)}s`],
      {
        cwd: ROOT,
        // A group of its own: whatever a test starts ends with it.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...env,
          NODE_OPTIONS: `--import=${HOOK}`,
          NO_UPDATE_NOTIFIER: '1',
          COCONET_SEEDS: SEEDS,
          ...(mutant && { COCONET_MUTANT: planOf(mutant, seen) }),
        },
      },
    );
    this.#running.add(child);
    const alarm = setTimeout(
      () => {
        kill(child);
      },
      quietMs * 4 + STUCK_MS,
    );
    const exit = new Promise<number | null>((resolve, reject) => {
      child.once('close', resolve);
      child.once('error', reject);
    });
    const [code, report, complaints] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
    clearTimeout(alarm);
    kill(child);
    this.#running.delete(child);
    const planted = existsSync(seen);
    await rm(seen, { force: true });
    if (this.ended) return undefined;
    const milliseconds = performance.now() - start;
    const good = code === 0;
    const stuck = !good && milliseconds >= quietMs;
    return { ...readTap(report), good, planted, stuck, milliseconds, report: report + complaints };
  }
}

const planOf = (mutant: Mutant, seen: string): string =>
  JSON.stringify({
    url: pathToFileURL(join(ROOT, sourceOf(mutant))).href,
    original: mutant.original,
    replacement: mutant.replacement,
    seen,
  });

/** Kills a child with all that it has started. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}
