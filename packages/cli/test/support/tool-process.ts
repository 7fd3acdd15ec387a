import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

const LAUNCHER = join(import.meta.dirname, '../../bin/coconet.js');
const SOURCE = join(import.meta.dirname, '../../bin/source.js');
const LAMP = join(import.meta.dirname, 'lamp.ts');

/** A machine that is busy with other tests still does one step in this time, in ms. */
const PATIENCE = 45_000;

/** A command line that runs the lamp of the tests, for `coconet dev --`. */
export const LAMP_LINE: readonly string[] = [process.execPath, `--import=${SOURCE}`, LAMP];

/** How a process ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whoever ends things after a test, or after all tests of a file. */
export interface Ending {
  teardown(action: () => unknown): void;
}

/** A folder that is gone after the test, with a home of its own: nothing of the user who runs the tests is seen. */
export class Place {
  readonly folder: string;
  readonly #test: Ending;

  private constructor(folder: string, test: Ending) {
    this.folder = folder;
    this.#test = test;
  }

  static async make(t: Ending): Promise<Place> {
    const place = new Place(await mkdtemp(join(tmpdir(), 'coconet-cli-')), t);
    t.teardown(() => rm(place.folder, { recursive: true, force: true }));
    return place;
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Starts the tool; it is killed at the end of the test, if it still runs. */
  start(words: readonly string[], variables: Readonly<Record<string, string>> = {}): ToolProcess {
    return this.#spawn([LAUNCHER, ...words], variables);
  }

  /** Runs the tool to its end. */
  run(words: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return this.start(words, variables).ended();
  }

  /** Runs the tool with `--json`, wants it to succeed, and returns its one value. */
  async json(words: readonly string[]): Promise<unknown> {
    const { status, stdout, stderr } = await this.run([...words, '--json']);
    if (status !== 0) throw new Error(`coconet ${words.join(' ')} ended with ${String(status)}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** Runs the tool with `--json`, and returns its error. */
  async error(
    words: readonly string[],
  ): Promise<{ readonly status: number | null; readonly code: string; readonly message: string }> {
    const { status, stdout, stderr } = await this.run([...words, '--json']);
    if (stdout !== '') throw new Error(`coconet ${words.join(' ')} succeeded: ${stdout}`);
    const line = stderr.trimEnd().split('\n').at(-1) ?? '';
    const { error } = JSON.parse(line) as {
      readonly error: { readonly code: string; readonly message: string };
    };
    return { status, ...error };
  }

  /** Makes `coconet` and `lamp.js` what a person has after the README's first steps. */
  async furnish(): Promise<void> {
    const quoted = (text: string): string => JSON.stringify(text);
    await mkdir(this.path('bin'), { recursive: true });
    await writeFile(
      this.path('bin', 'coconet'),
      `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(LAUNCHER)} "$@"\n`,
      { mode: 0o755 },
    );
    await writeFile(
      this.path('lamp.js'),
      `await import(${quoted(SOURCE)});\nawait import(${quoted(LAMP)});\n`,
    );
    await writeFile(this.path('package.json'), '{"type":"module"}');
  }

  /** Starts a line as a shell would; needs {@link furnish}. */
  shell(line: string, variables: Readonly<Record<string, string>> = {}): ToolProcess {
    const { PATH = '' } = process.env;
    return this.#spawn(['-c', line], { PATH: `${this.path('bin')}:${PATH}`, ...variables }, 'sh');
  }

  /** Starts the device of the tests: `Desk` with the resource `lamp`. */
  lamp(join: string, name = 'Desk'): ToolProcess {
    return this.#spawn([...LAMP_LINE.slice(1)], {
      COCONET_JOIN: join,
      LAMP_NAME: name,
      LAMP_STORE: this.path(`device-${name}`),
    });
  }

  #spawn(
    words: readonly string[],
    variables: Readonly<Record<string, string>>,
    program = process.execPath,
  ): ToolProcess {
    const { PATH = '' } = process.env;
    const child = spawn(program, words, {
      cwd: this.folder,
      env: { PATH, HOME: this.path('home'), TMPDIR: tmpdir(), ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = new ToolProcess(child);
    this.#test.teardown(() => running.destroy());
    return running;
  }
}

/** A process and what it says. */
export class ToolProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #out: Lines;
  readonly #err: Lines;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close');
    this.#out = new Lines(child.stdout!);
    this.#err = new Lines(child.stderr!);
  }

  /** The next line of standard output that fits; lines before it are passed over. */
  line(fits: RegExp): Promise<string> {
    return this.#out.next(fits, () => this.#err.text);
  }

  /** The same of standard error. */
  errorLine(fits: RegExp): Promise<string> {
    return this.#err.next(fits, () => this.#out.text);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for the end. */
  async ended(): Promise<Ended> {
    await within(this.#closed, () => `the process did not end\n${this.#out.text}\n${this.#err.text}`);
    return { status: this.#child.exitCode, stdout: this.#out.text, stderr: this.#err.text };
  }

  async destroy(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

/** What a stream has said, line by line. */
class Lines {
  text = '';
  readonly #lines: string[] = [];
  readonly #source: Interface;
  #ended = false;

  constructor(stream: NodeJS.ReadableStream) {
    this.#source = createInterface({ input: stream, crlfDelay: Infinity });
    this.#source.on('line', line => {
      this.text += `${line}\n`;
      this.#lines.push(line);
    });
    this.#source.once('close', () => {
      this.#ended = true;
    });
  }

  async next(fits: RegExp, other: () => string): Promise<string> {
    const complaint = (): string =>
      `no line ${String(fits)} among:\n${this.text}\nand beside it:\n${other()}`;
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined && fits.test(line)) return line;
      if (line !== undefined) continue;
      if (this.#ended) throw new Error(complaint());
      const more = new AbortController();
      const { signal } = more;
      const heard = Promise.race([
        once(this.#source, 'line', { signal }),
        once(this.#source, 'close', { signal }),
      ]);
      await within(heard, complaint);
      more.abort();
    }
  }
}

async function within<T>(work: Promise<T>, complaint: () => string): Promise<T> {
  const signal = AbortSignal.timeout(PATIENCE);
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(complaint())), { once: true });
  });
  return Promise.race([work, late]);
}
