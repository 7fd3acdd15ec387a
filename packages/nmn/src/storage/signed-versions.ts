import { readFile } from 'node:fs/promises';

import { NmnError } from '../errors.js';
import type { DataFolder } from './data-folder.js';
import { replacePrivateFile } from './private-file.js';

const HEADER = 'coconet-signed-versions 1';

/**
 * How far ahead a reservation goes: one rewrite of the file for so many signed versions. What is left of it is lost at a
 * restart, which costs nothing, because versions may have gaps.
 */
const RESERVED_AHEAD = 64;

/**
 * For every network the highest version that may have been signed, kept outside the database and on disk before the
 * signature is handed out. After a start with an older copy of the database the NMN sees here that it has signed more
 * than the database knows, and never signs one of those versions again.
 */
export class SignedVersions {
  readonly #path: string;
  readonly #temporary: string;
  /** What the file says. */
  #durable: ReadonlyMap<string, number>;
  /** What the file shall say. */
  readonly #wanted: Map<string, number>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: DataFolder, reserved: Map<string, number>) {
    this.#path = folder.file('signedVersions');
    this.#temporary = folder.file('newSignedVersions');
    this.#durable = reserved;
    this.#wanted = new Map(reserved);
  }

  /** Throws `DATABASE_DAMAGED` when the file is there but unreadable: guessing here would sign a number twice. */
  static async open(folder: DataFolder): Promise<SignedVersions> {
    const path = folder.file('signedVersions');
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return new SignedVersions(folder, new Map());
    const [header, ...lines] = text.split('\n');
    const entries = lines.filter(line => line !== '').map(line => /^([\w-]{22}) (\d{1,16})$/.exec(line));
    if (header !== HEADER || entries.includes(null) || !text.endsWith('\n'))
      throw new NmnError(
        'DATABASE_DAMAGED',
        `${path} is damaged; delete it to go on (the NMN then waits for its members to tell what it has signed)`,
      );
    return new SignedVersions(folder, new Map(entries.map(entry => [entry![1]!, Number(entry![2])])));
  }

  /** The highest version of `networkKey` that may have been signed; 0: none. */
  highest(networkKey: string): number {
    return this.#durable.get(networkKey) ?? 0;
  }

  /** Resolves when it is on disk that every version up to `version` may have been signed. */
  async reserve(networkKey: string, version: number): Promise<void> {
    if (version <= this.highest(networkKey)) return;
    if (version > (this.#wanted.get(networkKey) ?? 0)) this.#wanted.set(networkKey, version + RESERVED_AHEAD);
    // One write at a time, and a failed one stands in nobody's way: the next writes everything again.
    const written = this.#writing.then(() =>
      version <= this.highest(networkKey) ? undefined : this.#write(),
    );
    this.#writing = written.catch(() => undefined);
    await written;
  }

  async #write(): Promise<void> {
    const content = new Map(this.#wanted);
    const lines = [...content].map(([network, version]) => `${network} ${version}`);
    await replacePrivateFile(this.#path, this.#temporary, [HEADER, ...lines, ''].join('\n'));
    this.#durable = content;
  }
}
