import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const MODULES = fileURLToPath(new URL('../../../../../node_modules', import.meta.url));

/**
 * Makes one file of the NMN's program in a folder of its own, so that a start takes what it takes an operator and not
 * what it takes a compiler. Returns its path.
 */
export async function bundleNmn(folder: string): Promise<string> {
  const program = join(folder, 'nmn.mjs');
  await build({
    entryPoints: [MAIN],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['coconet-source'],
    // Packages of others are found where the repository has them: one of them is native.
    external: ['sqlite3', 'knex', 'libsodium-wrappers', 'dgram-as-promised'],
    logLevel: 'silent',
  });
  await symlink(MODULES, join(folder, 'node_modules'), 'junction');
  return program;
}

/** Processes of this one; nothing of them outlives it. */
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The real process of an NMN. */
export class NmnProcess {
  /** Resolves with the ms from its beginning until it answers, or with `undefined` when it ends before. */
  readonly ready: Promise<number | undefined>;
  /** How it ended, and what it said on its standard error. */
  readonly ended: Promise<{ readonly how: string; readonly errors: string }>;
  readonly #child: ChildProcess;

  /** `program`: from {@link bundleNmn}; `config`: path of its settings. */
  constructor(program: string, config: string) {
    const begun = performance.now();
    const child = spawn(process.execPath, [program, config], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    running.add(child);
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    const lines = createInterface({ input: child.stdout });
    this.ended = once(child, 'close').then(() => {
      running.delete(child);
      const how = child.signalCode ?? `status ${child.exitCode ?? -1}`;
      return { how, errors: Buffer.concat(errors).toString() };
    });
    this.ready = new Promise(resolve => {
      lines.on('line', line => {
        if (line.includes('"event":"started"')) resolve(performance.now() - begun);
      });
      void this.ended.then(() => {
        resolve(undefined);
      });
    });
  }

  /** `kill -9`. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** The polite end. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended;
  }
}
