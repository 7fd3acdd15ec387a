import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { Cores } from './cores.js';
import { pinned } from './pair.js';
import type { Figures } from './work.js';

const SCRIPT = join(import.meta.dirname, 'core.ts');

/** Figures of core and crypto provider alone, from a fresh process. Rejects when that fails or `signal` ends it. */
export async function measureCore(
  name: string,
  packets: number,
  cores: Cores | undefined,
  signal: AbortSignal,
): Promise<Figures> {
  const child = fork(SCRIPT, [name, String(packets)], {
    ...pinned(cores?.[0], ['--expose-gc', ...process.execArgv]),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    signal,
    killSignal: 'SIGKILL',
  });
  let figures: Figures | undefined;
  child.once('message', (message: Figures) => {
    figures = message;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (!figures) throw new Error(`${name}, core: the process ended with ${code ?? 'a signal'}`);
  return figures;
}
