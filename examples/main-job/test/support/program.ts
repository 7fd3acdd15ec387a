import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { ExecutionContext } from 'ava';

/** What a test is given. */
export type TestContext = ExecutionContext;

/** The repository. */
export const ROOT: string = fileURLToPath(new URL('../../../..', import.meta.url));

/** What a program on a machine that is busy with other tests may take for anything, in ms. */
const PATIENCE = 50_000;

/** What makes Node run the sources as they stand. */
export const SOURCE = '--import=./packages/cli/bin/source.js';

/** What runs; nothing of it outlives the tests, however they end. */
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL');
});

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

/** A program that runs, and every line it wrote. */
export class Program {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<number | NodeJS.Signals>;
  #over = false;

  /** `line`: program and words; it runs in the repository unless told otherwise. Killed at the end of the test. */
  constructor(
    t: ExecutionContext,
    line: readonly string[],
    options: { readonly variables?: Readonly<Record<string, string>>; readonly folder?: string } = {},
  ) {
    const [program = '', ...words] = line;
    const { COCONET_HOME: _home, COCONET_JOIN: _join, ...environment } = process.env;
    const child = spawn(program, words, {
      cwd: options.folder ?? ROOT,
      env: { ...environment, ...options.variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, as a shell gives each command that a person types.
      detached: true,
    });
    this.process = child;
    running.add(child);
    const keep = (lines: string[]) => (text: string) => {
      lines.push(text);
      this.#wake();
    };
    createInterface({ input: child.stdout }).on('line', keep(this.lines));
    createInterface({ input: child.stderr }).on('line', keep(this.errors));
    this.#ended = once(child, 'close').then(() => {
      this.#over = true;
      this.#wake();
      return child.signalCode ?? child.exitCode ?? -1;
    });
    t.teardown(async () => {
      signalGroup(child, 'SIGKILL');
      await this.#ended;
      running.delete(child);
    });
  }

  /** What it has written as JSON so far; other lines are left out. */
  get events(): readonly Readonly<Record<string, unknown>>[] {
    return this.lines.flatMap(line => {
      const value = parsed(line);
      return value === undefined ? [] : [value];
    });
  }

  /** The first event that is like this from `skip` events on. Fails when the program ends before, or never writes it. */
  async event(like: Readonly<Record<string, unknown>>, skip = 0): Promise<Readonly<Record<string, unknown>>> {
    const matches = (event: Readonly<Record<string, unknown>>): boolean =>
      Object.entries(like).every(([name, value]) => event[name] === value);
    await this.until(() => this.events.slice(skip).some(matches), JSON.stringify(like));
    return this.events.slice(skip).find(matches) ?? {};
  }

  /** The first line that matches. Fails as {@link event}. */
  async line(pattern: RegExp): Promise<string> {
    await this.until(() => this.lines.some(line => pattern.test(line)), String(pattern));
    return this.lines.find(line => pattern.test(line)) ?? '';
  }

  /** Waits until that is so; looks whenever the program has written something. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const limit = AbortSignal.timeout(PATIENCE);
    limit.addEventListener('abort', this.#wake);
    while (!condition()) {
      if (limit.aborted || this.#over)
        throw new Error(
          `${this.#over ? 'ended' : 'waited too long'} without ${what}:\n${[...this.lines.slice(-20), ...this.errors.slice(-20)].join('\n')}`,
        );
      await new Promise<void>(resolve => {
        this.#waiting.add(resolve);
      });
    }
    limit.removeEventListener('abort', this.#wake);
  }

  /** How it ended: its status, or the signal that ended it. */
  async end(): Promise<number | NodeJS.Signals> {
    return within(this.#ended, () => `it has not ended:\n${this.lines.slice(-20).join('\n')}`);
  }

  /** Presses Ctrl-C: the program and all that it has started get the signal. Waits for the end. */
  async interrupt(): Promise<number | NodeJS.Signals> {
    signalGroup(this.process, 'SIGINT');
    return this.end();
  }

  /** Sends a signal to the program alone and waits for the end. */
  async stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.process.kill(signal);
    return this.end();
  }

  readonly #wake = (): void => {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  };
}

/** Waits for a promise, not for ever. */
export async function within<T>(work: Promise<T>, otherwise: () => string): Promise<T> {
  const limit = new AbortController();
  const late = delay(PATIENCE, undefined, { signal: limit.signal }).then(() => {
    throw new Error(otherwise());
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    limit.abort();
  }
}

/**
 * Resolves when there is no process of that id any more. Its end is an event for its parent alone, and the parent was
 * killed; it holds no pipe or socket of ours that could close with it. So it is looked for.
 */
export async function gone(pid: number): Promise<void> {
  const limit = AbortSignal.timeout(PATIENCE);
  while (isAlive(pid)) {
    if (limit.aborted) throw new Error(`process ${pid} is still there`);
    await delay(10);
  }
}

/** Whether a process of that id runs; one that has ended and that nobody asked about does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // No such file: either it has just ended, or this system has none of these.
    return process.platform !== 'linux';
  }
}

/** A folder that goes away with the test. */
export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coconet-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
