import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Another program of this folder, running: its lines as they come, and its sudden end. */
export class Child {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly #ended: Promise<unknown>;
  #wake: (() => void)[] = [];

  constructor(script: string, ...args: readonly string[]) {
    this.process = spawn(
      process.execPath,
      ['--import=tsx', '--conditions=coconet-source', join(import.meta.dirname, script), ...args],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const output = createInterface({ input: this.process.stdout! });
    output.on('line', line => {
      this.lines.push(line);
      for (const wake of this.#wake.splice(0)) wake();
    });
    // Its end, and everything it wrote before.
    this.#ended = Promise.all([once(this.process, 'exit'), once(output, 'close')]);
    void this.#ended.then(() => this.#wake.splice(0).forEach(wake => wake()));
  }

  /** Resolves once it has written `count` lines in all. */
  async wrote(count: number): Promise<void> {
    while (this.lines.length < count) {
      if (this.process.exitCode !== null) throw new Error(`it ended after: ${this.lines.join(' | ')}`);
      await new Promise<void>(resolve => this.#wake.push(resolve));
    }
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#ended;
  }

  /** Says a line to it. */
  say(line: string): void {
    this.process.stdin!.write(`${line}\n`);
  }

  async ended(): Promise<void> {
    await this.#ended;
  }
}
