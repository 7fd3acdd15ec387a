import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** The laboratory's state, as far as tests read it; its README has the address plan. */
interface LabState {
  readonly lab: string;
  readonly server: { readonly ips: readonly string[]; readonly ips6: readonly string[] };
}

/** What `tools/natlab/natlab` exports. Every call works through the kernel and returns when it has taken effect. */
interface Natlab {
  up(topology: string, options: { ownerPid: number }): LabState;
  down(lab: string): void;
  execArgs(lab: string, host: string, command: readonly string[]): [program: string, ...args: string[]];
  labEnv(state: LabState): Record<string, string>;
  loadState(lab: string): LabState;
  rebind(lab: string, site: string, options: { newIp?: boolean; inner?: boolean }): void;
  cut(lab: string, name: string): void;
  heal(lab: string, name: string): void;
  roam(lab: string, host: string, site: string): void;
  set(lab: string, site: string, options: readonly string[]): void;
}

const root = join(import.meta.dirname, '../..');
const natlab = createRequire(import.meta.url)(join(root, 'tools/natlab/natlab')) as Natlab;

/** The options of Node with which a program of the repository runs from its TypeScript source. */
const SOURCE_OPTIONS = [`--import=${join(root, 'packages/cli/bin/source.js')}`];

const running = new Set<Lab>();

function takeAllDown(): void {
  for (const lab of running) lab.down();
}

process.once('exit', takeAllDown);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    takeAllDown();
    process.kill(process.pid, signal);
  });
}

/** A program in one host of the laboratory. Its standard error joins the test's. */
export class LabProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #seen: string[] = [];
  readonly #exit: Promise<number>;
  readonly #what: string;

  constructor(what: string, [program, ...args]: [string, ...string[]], env: NodeJS.ProcessEnv) {
    this.#what = what;
    this.#child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#exit = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', code => resolve(code ?? -1));
    });
  }

  /** The next line on standard output for which `wanted` holds; rejects if the program ends before it says one. */
  async line(wanted: (line: string) => boolean = () => true): Promise<string> {
    for (;;) {
      const next = await this.#lines.next();
      if (next.done) {
        throw new Error(
          `${this.#what} ended (status ${await this.#exit}) and said only:\n${this.#seen.join('\n')}`,
        );
      }
      this.#seen.push(next.value);
      if (wanted(next.value)) return next.value;
    }
  }

  /** Writes one line to the program's standard input. */
  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Closes the program's standard input. */
  end(): void {
    this.#child.stdin.end();
  }

  /** Resolves to the exit status, -1 after a signal. */
  exited(): Promise<number> {
    return this.#exit;
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    return this.#exit;
  }
}

/** A running NAT laboratory. Down with the test by `t.teardown`, and in any case when this process ends. */
export class Lab {
  readonly #name: string;
  #isUp = true;

  private constructor(name: string) {
    this.#name = name;
  }

  /**
   * Builds sites and hosts, about half a second for a few sites.
   *
   * @param topology - `SITE=KIND[,option=value]...`, as the README of tools/natlab says: `'a=portrestricted b=symmetric'`
   */
  static up(topology: string): Lab {
    const lab = new Lab(natlab.up(topology, { ownerPid: process.pid }).lab);
    running.add(lab);
    return lab;
  }

  /** The first public address of the laboratory's server. */
  get serverAddress(): string {
    const [address] = natlab.loadState(this.#name).server.ips;
    if (address === undefined) throw new Error('the laboratory has no server');
    return address;
  }

  /** The `NATLAB_*` variables as they are now; hosts get new ones when they roam. */
  get env(): Record<string, string> {
    return natlab.labEnv(natlab.loadState(this.#name));
  }

  /** Starts any program in a host (`a1`, `server`, …). */
  spawn(host: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): LabProcess {
    const argv = natlab.execArgs(this.#name, host, command);
    return new LabProcess(`${command.join(' ')} in ${host}`, argv, { ...process.env, ...this.env, ...env });
  }

  /** Starts a JavaScript or TypeScript program of the repository in a host; `script` is a path from its root. */
  node(
    host: string,
    script: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): LabProcess {
    return this.spawn(host, [process.execPath, ...SOURCE_OPTIONS, join(root, script), ...args], env);
  }

  /** New external ports for a site, with `newIp` a new public address too; old mappings die. */
  rebind(site: string, options: { newIp?: boolean; inner?: boolean } = {}): void {
    natlab.rebind(this.#name, site, options);
  }

  /** Silence on a site's or the server's link; a host's interface goes down. */
  cut(name: string): void {
    natlab.cut(this.#name, name);
  }

  /** Undoes {@link Lab.cut}. */
  heal(name: string): void {
    natlab.heal(this.#name, name);
  }

  /** Moves a host to another site: new interface, new address. */
  roam(host: string, site: string): void {
    natlab.roam(this.#name, host, site);
  }

  /** Changes options of a running site, for example `{ loss: 10 }`; a changed NAT forgets its mappings. */
  set(site: string, options: Readonly<Record<string, string | number>>): void {
    natlab.set(
      this.#name,
      site,
      Object.entries(options).map(([name, value]) => `${name}=${value}`),
    );
  }

  /** Ends every program in the laboratory and removes it. Harmless the second time. */
  down(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    running.delete(this);
    natlab.down(this.#name);
  }
}
