import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What a command keeps from run to run in a file of its own, replaced as a whole each time. */
export class KeptFile<Kept extends object> {
  readonly value: Kept;
  readonly #file: string;

  private constructor(file: string, value: Kept) {
    this.#file = file;
    this.value = value;
  }

  /** What earlier runs have kept; `empty` if there were none or `fresh` says so. */
  static async open<Kept extends object>(file: string, fresh: boolean, empty: Kept): Promise<KeptFile<Kept>> {
    const text = fresh ? undefined : await readFile(file, 'utf8').catch(() => undefined);
    return new KeptFile(file, text === undefined ? empty : (JSON.parse(text) as Kept));
  }

  /** Writes the value as it is now. */
  async save(): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true });
    await writeFile(`${this.#file}.new`, JSON.stringify(this.value));
    await rename(`${this.#file}.new`, this.#file);
  }
}
