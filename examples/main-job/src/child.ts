import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import { parseChildEvent, type ChildEvent } from './events.js';

/** How to run a process of the main job. */
export interface ChildOptions {
  /** For people: `host monitor`. */
  readonly name: string;
  readonly script: URL;
  readonly words: readonly string[];
  /** Added to the environment of this process. */
  readonly variables: Readonly<Record<string, string>>;
  readonly onEvent: (event: ChildEvent) => void;
  /** It ended, and nobody had asked it to. */
  readonly onLost: (why: string) => void;
}

/** What a process gets to say goodbye before it is killed, in ms. */
const GRACE = 5_000;

/** Lines of a process's standard error that are kept to tell why it ended: a stack and what stands above it. */
const LAST_WORDS = 40;

/** Processes that run; whatever ends this one ends them. */
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * A process that cannot outlive this one: it is stopped or killed with it, and when this one is killed, its end of the
 * channel between them closes, upon which it stops by itself.
 */
export class Child {
  readonly pid: number | undefined;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #stopping = false;

  constructor(options: ChildOptions) {
    const { name, script, words, variables, onEvent, onLost } = options;
    const child = fork(script, [...words], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...variables },
    });
    this.#process = child;
    this.pid = child.pid;
    running.add(child);
    let failure: string | undefined;
    const lastWords: string[] = [];
    const onLine = (line: string): void => {
      const event = parseChildEvent(line);
      if (event?.event === 'failed') failure = `${event.code}: ${event.text}`;
      if (event) onEvent(event);
    };
    if (child.stdout) createInterface({ input: child.stdout }).on('line', onLine);
    if (child.stderr)
      createInterface({ input: child.stderr }).on('line', line => {
        lastWords.push(line);
        if (lastWords.length > LAST_WORDS) lastWords.shift();
      });
    this.#ended = new Promise(resolve => {
      // `close` comes after the last line; a process that could not be started has an `error` and no end.
      const over = (why: string): void => {
        if (!running.delete(child)) return;
        if (!this.#stopping) onLost(failure ?? [why, ...lastWords.filter(isMessage)].join('; '));
        resolve();
      };
      child.once('error', error => over(`it cannot be started: ${error.message}`));
      child.once('close', (status, signal) =>
        over(signal === null ? `${name} ended with status ${status ?? 0}` : `${name} was ended by ${signal}`),
      );
    });
  }

  /** Lets it say goodbye, kills it when that takes too long, and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#process.kill('SIGTERM');
    const force = setTimeout(() => this.#process.kill('SIGKILL'), GRACE);
    await this.#ended;
    clearTimeout(force);
  }
}

/** What Node prints of an error, without the stack. */
const isMessage = (line: string): boolean => /^\S*Error\b.*: /.test(line);
