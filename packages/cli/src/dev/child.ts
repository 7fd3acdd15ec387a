import { spawn } from 'node:child_process';

import { CliError } from '../errors.js';

/** How a program ended. */
export type ChildEnd =
  { readonly kind: 'exit'; readonly status: number } | { readonly kind: 'signal'; readonly signal: string };

/** How a program is run. */
export interface ChildOptions {
  readonly folder: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Ends the program: by its own handlers first, by force in the end. */
  readonly signal: AbortSignal;
  /** What it writes to standard output goes to standard error. */
  readonly outputToError: boolean;
}

/** What a program gets to end by itself before it is told, and then before it is killed: 5 s each. */
const GRACE = 5_000;

/** Runs a program in this terminal until it ends. Fails with `COMMAND_FAILED` when it cannot be started. */
export function runChild(line: readonly string[], options: ChildOptions): Promise<ChildEnd> {
  const { folder, variables, signal, outputToError } = options;
  const [program = '', ...words] = line;
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      cwd: folder,
      env: variables,
      stdio: ['inherit', outputToError ? 2 : 'inherit', 'inherit'],
      // npm and npx are scripts there, which only a shell runs.
      shell: process.platform === 'win32',
    });
    const timers: NodeJS.Timeout[] = [];
    const end = (): void => {
      // Ctrl-C in a terminal reaches the child as well; a second one would skip its own tidying up.
      if (!process.stdin.isTTY) child.kill('SIGINT');
      timers.push(setTimeout(() => child.kill('SIGTERM'), GRACE));
      timers.push(setTimeout(() => child.kill('SIGKILL'), 2 * GRACE));
    };
    const over = (): void => {
      signal.removeEventListener('abort', end);
      for (const timer of timers) clearTimeout(timer);
    };
    child.once('error', error => {
      over();
      reject(
        new CliError('COMMAND_FAILED', `${program} cannot be started: ${error.message}`, {
          next: 'write the command as in a shell, behind --: coconet dev -- node lamp.js',
          cause: error,
        }),
      );
    });
    child.once('exit', (status, by) => {
      over();
      resolve(by === null ? { kind: 'exit', status: status ?? 0 } : { kind: 'signal', signal: by });
    });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
