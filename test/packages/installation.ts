import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { publishedPackages, ROOT, tarballName, TARBALLS } from '../../scripts/packages.js';

const run = promisify(execFile);

/** The end of a program: what it printed and how it ended. */
export interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** An empty folder outside the repository, into which published packages are installed as their users do. */
export class Installation {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<Installation> {
    const path = await mkdtemp(join(tmpdir(), 'coconet-installation-'));
    await writeFile(join(path, 'package.json'), `${JSON.stringify({ private: true, type: 'module' })}\n`);
    return new Installation(path);
  }

  /**
   * Installs packages of ours from their tarballs, with all of ours that they need, and others from the registry or npm's
   * cache.
   *
   * @param folders - folder names under packages/
   * @param others - packages from the registry, as npm's command line takes them
   */
  async install(
    folders: readonly string[],
    others: readonly string[] = [],
    options: readonly string[] = [],
  ): Promise<void> {
    const all = publishedPackages();
    const wanted = new Set(folders);
    for (const folder of wanted) {
      const { dependencies = {} } = all.find(each => each.folder === folder)?.manifest ?? {};
      for (const each of all) if (each.manifest.name in dependencies) wanted.add(each.folder);
    }
    const tarballs = all
      .filter(each => wanted.has(each.folder))
      .map(each => join(TARBALLS, tarballName(each.manifest)));
    const outcome = await this.run('npm', [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      ...options,
      ...tarballs,
      ...others,
    ]);
    if (outcome.status !== 0) throw new Error(`npm install failed:\n${outcome.output}`);
  }

  /** Writes a file of the user's program. */
  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.path, name), text);
  }

  /** Runs a program in the folder, with nothing of the repository in its environment. */
  async run(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    const { NODE_OPTIONS: _nodeOptions, ...inherited } = process.env;
    const clean = Object.fromEntries(Object.entries(inherited).filter(([name]) => !name.startsWith('npm_')));
    const PATH = (clean.PATH ?? '')
      .split(':')
      .filter(folder => !folder.startsWith(ROOT))
      .join(':');
    try {
      const { stdout, stderr } = await run(program, [...args], {
        cwd: this.path,
        env: { ...clean, PATH, ...env },
      });
      return { status: 0, output: stdout + stderr };
    } catch (error) {
      if (!(error instanceof Error && 'stdout' in error && 'stderr' in error && 'code' in error)) throw error;
      return { status: Number(error.code), output: `${String(error.stdout)}${String(error.stderr)}` };
    }
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}

/**
 * The programs of the README: code blocks whose fence carries a file name (three backticks, then `ts lamp.ts`), by
 * that name.
 */
export async function readmePrograms(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(ROOT, 'README.md'), 'utf8').catch(() => '');
  return new Map(
    [...text.matchAll(/^```(?:ts|js) (\S+)\n(.*?)^```$/gms)].map(([, name = '', code = '']) => [name, code]),
  );
}

/** The version of a development dependency of ours, as npm's command line takes it: what we test with, users may use. */
export async function pinned(name: string): Promise<string> {
  const { version } = JSON.parse(
    await readFile(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'),
  ) as { version: string };
  return `${name}@${version}`;
}
