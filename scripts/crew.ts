import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Exit status after Ctrl-C. Shell convention: 128 and the number of the signal. */
const INTERRUPTED = 130;
/** Exit status for a command line that makes no sense. */
const WRONG_USAGE = 2;

/** Says something to whoever waits, beside the result on standard output. */
export const progress = (text: string): void => void process.stderr.write(`${text}\n`);

/** What the processes of one part of the work do. */
export interface Shift<Order, Result> {
  /** Beside the script's path: what a process is told when it starts. */
  readonly args?: (index: number) => readonly string[];
  /** For `node` itself. */
  readonly flags?: readonly string[];
  /** At most so many; as many as there are processors unless given. */
  readonly processes?: number;
  /** What a process does next; `undefined`: nothing is left for it. Not asked any more after Ctrl-C. */
  readonly next: (index: number) => Order | undefined;
  readonly take: (result: Result, index: number) => void | Promise<void>;
}

/**
 * Processes that work for one command: each is sent an order, sends back a result and gets the next. Ctrl-C lets them finish
 * what they are at; nothing of them outlives the command.
 */
export class Crew {
  readonly #script: string;
  readonly #workers = new Set<ChildProcess>();
  #interrupted = false;

  /** `script`: what a process runs; it ends when it is disconnected. */
  constructor(script: string) {
    this.#script = script;
    process.on('exit', () => {
      for (const worker of this.#workers) worker.kill('SIGKILL');
    });
    process.once('SIGINT', () => {
      this.#interrupted = true;
    });
  }

  /** Whether Ctrl-C was pressed. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Lets the processors work until there is nothing left. Rejects when a process dies. */
  async run<Order extends object, Result>(shift: Shift<Order, Result>): Promise<void> {
    const processes = Math.max(1, Math.min(availableParallelism(), shift.processes ?? Infinity));
    await Promise.all(Array.from({ length: processes }, (_, index) => this.#one(shift, index)));
  }

  async #one<Order extends object, Result>(shift: Shift<Order, Result>, index: number): Promise<void> {
    const worker = fork(this.#script, [...(shift.args?.(index) ?? [])], {
      execArgv: [...process.execArgv, ...(shift.flags ?? [])],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#workers.add(worker);
    await new Promise<void>((resolve, reject) => {
      const give = (): void => {
        if (!worker.connected) return;
        const order = this.#interrupted ? undefined : shift.next(index);
        if (order) worker.send(order);
        else worker.disconnect();
      };
      worker.on('message', (result: Result) => {
        Promise.resolve(shift.take(result, index)).then(give, reject);
      });
      worker.once('exit', code => {
        this.#workers.delete(worker);
        if (code === 0) resolve();
        else reject(new Error(`a worker ended with status ${code}`));
      });
      give();
    });
  }
}

/**
 * One process of a crew: `work` makes a result of each order, `end` cleans up after the last one. Ctrl-C reaches everybody; the
 * parent decides when it is enough.
 */
export function serve(work: (order: never) => unknown, end?: () => unknown): void {
  process.on('SIGINT', () => undefined);
  process.on('message', (order: unknown) => {
    void Promise.resolve(work(order as never)).then(result => process.connected && process.send?.(result));
  });
  process.once('disconnect', () => void end?.());
}

/** A command line that was understood, or not. */
export type Parsed<Options> = Options | { readonly wrong: string } | 'help';

/**
 * Runs a command: prints its usage where that is asked for or needed, else what `work` gives. The exit status says whether
 * all was sound, the command line made sense, and nobody pressed Ctrl-C.
 */
export async function runCommand<Options extends object>(
  usage: string,
  options: Parsed<Options>,
  script: string,
  work: (options: Options, crew: Crew) => Promise<{ readonly output: string; readonly sound: boolean }>,
): Promise<void> {
  if (options === 'help') {
    process.stdout.write(usage);
    return;
  }
  if ('wrong' in options) {
    process.stderr.write(`${options.wrong}\n\n${usage}`);
    process.exitCode = WRONG_USAGE;
    return;
  }
  const crew = new Crew(script);
  const { output, sound } = await work(options, crew);
  process.stdout.write(output);
  process.exitCode = crew.interrupted ? INTERRUPTED : sound ? 0 : 1;
}
