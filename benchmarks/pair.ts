import { type ChildProcess, fork, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { Company } from './contestant.js';
import type { Cores } from './cores.js';
import { Deferred } from './deferred.js';
import type { Order, Report } from './side.js';
import type { Figures, Scale, Work } from './work.js';

const SIDE = join(import.meta.dirname, 'side.ts');
/** Milliseconds for a process to end by itself. */
const GRACE = 2_000;

/** Server and client of one contestant, each in a process of its own that waits until it is its turn. */
export class Pair {
  readonly #server: ChildProcess;
  readonly #client: ChildProcess;

  private constructor(server: ChildProcess, client: ChildProcess) {
    this.#server = server;
    this.#client = client;
  }

  /** Starts both; `started` hears of the pair before anything can fail, so that it is stopped in any case. */
  static async start(
    name: string,
    company: Company,
    cores: Cores | undefined,
    started: (pair: Pair) => void,
  ): Promise<Pair> {
    const pair = new Pair(startSide(name, cores?.[0]), startSide(name, cores?.[1]));
    started(pair);
    const { invitation } = await ask(pair.#server, { kind: 'serve', company }, 'serving');
    await ask(pair.#client, { kind: 'open', invitation }, 'opened');
    return pair;
  }

  async measure(work: Work, scale: Scale): Promise<Figures> {
    return (await ask(this.#client, { kind: 'measure', work, scale }, 'measured')).figures;
  }

  /** Has the client set up so many sessions that stay; false: it cannot. */
  async crowd(sessions: number): Promise<boolean> {
    return (await ask(this.#client, { kind: 'crowd', sessions }, 'crowded')).able;
  }

  /** Resident bytes of both processes. */
  async weigh(): Promise<{ readonly server: number; readonly client: number }> {
    const server = await ask(this.#server, { kind: 'weigh' }, 'weighed');
    const client = await ask(this.#client, { kind: 'weigh' }, 'weighed');
    return { server: server.bytes, client: client.bytes };
  }

  /** Ends both processes and waits for it. The client first: its server hears the goodbye. */
  async stop(): Promise<void> {
    await end(this.#client);
    await end(this.#server);
  }
}

function startSide(name: string, core: number | undefined): ChildProcess {
  const options: ForkOptions = {
    serialization: 'advanced',
    // Standard output is for results alone.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  };
  return fork(SIDE, [name], { ...options, ...pinned(core, process.execArgv) });
}

/** What pins a child process to a core, where that is wanted. */
export function pinned(
  core: number | undefined,
  execArgv: readonly string[],
): Pick<ForkOptions, 'execPath' | 'execArgv'> {
  if (core === undefined) return { execArgv: [...execArgv] };
  return { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath, ...execArgv] };
}

async function ask<Kind extends Report['kind']>(
  child: ChildProcess,
  order: Order,
  expected: Kind,
): Promise<Extract<Report, { kind: Kind }>> {
  if (!child.connected) throw new Error('the process has ended');
  const answer = new Deferred<Report>();
  const ended = (code: number | null): void => {
    answer.reject(new Error(`the process ended with ${code ?? 'a signal'}`));
  };
  child.once('message', answer.resolve);
  child.once('error', answer.reject);
  child.once('exit', ended);
  try {
    child.send(order);
    const report = await answer.promise;
    if (report.kind === 'failed') throw new Error(report.reason);
    if (report.kind !== expected) throw new Error(`'${report.kind}' came instead of '${expected}'`);
    return report as Extract<Report, { kind: Kind }>;
  } finally {
    child.off('message', answer.resolve);
    child.off('error', answer.reject);
    child.off('exit', ended);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  const late = setTimeout(() => child.kill('SIGKILL'), GRACE);
  if (child.connected) child.disconnect();
  else child.kill('SIGKILL');
  await exited;
  clearTimeout(late);
}
