import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';

/** A machine that is busy with other tests still says the next thing in this time, in ms. */
const PATIENCE = 30_000;

/** And comes to an end in this time, in ms: npm compiles SQLite's driver. */
const PATIENCE_FOR_END = 240_000;

const running = new Set<ChildProcess>();
const folders = new Set<string>();

/** Has a folder removed with this process, when nobody removed it before. */
export function removeAtExit(folder: string): void {
  folders.add(folder);
}

// However the tests end, nothing of them stays: ava stops a test process that takes too long by SIGTERM.
process.on('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
// Ava itself is gone.
process.once('disconnect', () => process.exit());

/** Fails when nobody is left in the group. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): boolean {
  try {
    return pid !== undefined && process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** A command line as somebody types it, in a process group of its own, and all that it says. */
export class Terminal {
  readonly #line: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  #text = '';
  #seen = 0;
  #over = false;
  #wake: () => void = () => undefined;

  /** @param line - for `sh -c` */
  constructor(line: string, folder: string, variables: Readonly<Record<string, string>>) {
    this.#line = line;
    const child = spawn('sh', ['-c', line], {
      cwd: folder,
      env: variables,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    running.add(child);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#text += text;
        this.#wake();
      });
    // Only when everybody who could still write here has ended.
    this.#ended = once(child, 'close').then(() => {
      this.#over = true;
      running.delete(child);
      this.#wake();
      return child.signalCode === null ? (child.exitCode ?? -1) : 128 + constants.signals[child.signalCode];
    });
  }

  /** All that was said so far, on both outputs. */
  get text(): string {
    return this.#text;
  }

  /** Waits until something is said that fits; what was looked at before does not count. */
  async shows(pattern: RegExp): Promise<void> {
    const limit = AbortSignal.timeout(PATIENCE);
    for (;;) {
      const found = pattern.exec(this.#text.slice(this.#seen));
      if (found) {
        this.#seen += found.index + found[0].length;
        return;
      }
      if (this.#over) throw new Error(`${this.#line}\nended without ${String(pattern)}:\n${this.#text}`);
      if (limit.aborted) throw new Error(`${this.#line}\nnever showed ${String(pattern)}:\n${this.#text}`);
      await new Promise<void>(resolve => {
        this.#wake = resolve;
        limit.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Waits for the end, and tells the status as a shell does: 128 and its number for a signal. */
  async ended(): Promise<number> {
    const limit = AbortSignal.timeout(PATIENCE_FOR_END);
    const late = once(limit, 'abort').then(() => {
      throw new Error(`${this.#line}\ndid not end:\n${this.#text}`);
    });
    return Promise.race([this.#ended, late]);
  }

  /** Ctrl-C: everybody in the terminal gets it. */
  async interrupt(): Promise<number> {
    signalGroup(this.#child, 'SIGINT');
    return this.ended();
  }

  /** Ends it by force, if it still runs. */
  async close(): Promise<void> {
    signalGroup(this.#child, 'SIGKILL');
    await this.#ended;
  }
}
