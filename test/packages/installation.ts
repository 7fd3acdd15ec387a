import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { publishedPackages, ROOT, tarballName, TARBALLS } from '../../scripts/packages.js';
import { offerDriver } from './database-driver.js';
import { Registry } from './registry.js';
import { removeAtExit, Terminal } from './terminal.js';

/** A folder outside the repository where somebody types what the documents say, with a home of its own. */
export class Folder {
  readonly path: string;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #open: Terminal[] = [];

  private constructor(path: string, variables: Readonly<Record<string, string>>) {
    this.path = path;
    this.#variables = variables;
    removeAtExit(path);
  }

  /** An empty folder. */
  static async make(surroundings: Surroundings): Promise<Folder> {
    const path = await mkdtemp(join(tmpdir(), 'coconet-folder-'));
    return new Folder(path, { ...surroundings.variables, HOME: `${path}/home` });
  }

  /** A new folder in which the same is installed, and nothing else. */
  async copy(): Promise<Folder> {
    const path = await mkdtemp(join(tmpdir(), 'coconet-folder-'));
    const copy = new Folder(path, { ...this.#variables, HOME: `${path}/home` });
    const installed = ['package.json', 'package-lock.json', 'node_modules'].map(name =>
      join(this.path, name),
    );
    await promisify(execFile)('cp', ['-RP', ...installed, path]);
    return copy;
  }

  /** Writes a file of the user's. */
  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.path, name), text);
  }

  /** Types a line. What still runs when the folder is removed is ended by force. */
  type(line: string, variables: Readonly<Record<string, string>> = {}): Terminal {
    const terminal = new Terminal(line, this.path, { ...this.#variables, ...variables });
    this.#open.push(terminal);
    return terminal;
  }

  /** Types a line, and wants it to do its work: what it said. */
  async run(line: string, variables: Readonly<Record<string, string>> = {}): Promise<string> {
    const terminal = this.type(line, variables);
    const status = await terminal.ended();
    if (status !== 0) throw new Error(`${line}\nended with status ${status}:\n${terminal.text}`);
    return terminal.text;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#open.map(terminal => terminal.close()));
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What is around the folders: a registry that has our packages, and an environment with nothing of the repository. */
export class Surroundings {
  readonly variables: Readonly<Record<string, string>>;
  readonly #registry: Registry;
  readonly #folder: string;

  private constructor(registry: Registry, folder: string, variables: Readonly<Record<string, string>>) {
    this.#registry = registry;
    this.#folder = folder;
    this.variables = variables;
  }

  /** Fails when there are no tarballs of all packages. */
  static async make(): Promise<Surroundings> {
    for (const { manifest } of publishedPackages()) {
      if (!existsSync(join(TARBALLS, tarballName(manifest)))) throw new Error('run "npm run pack" first');
    }
    const npm = npmSettings();
    const registry = await Registry.start(npm.registry);
    const folder = await mkdtemp(join(tmpdir(), 'coconet-driver-'));
    removeAtExit(folder);
    return new Surroundings(registry, folder, {
      ...cleanEnvironment(),
      ...offerDriver(folder),
      // npm's cache and settings are the user's, whatever HOME is.
      npm_config_cache: npm.cache,
      npm_config_userconfig: npm.userconfig,
      npm_config_registry: registry.url,
      npm_config_replace_registry_host: 'never',
      npm_config_prefer_offline: 'true',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
      // A setting of the user that a newer npm does not know is nothing that the tests are about.
      npm_config_loglevel: 'error',
      // Where SQLite's driver has to be compiled after all: with all cores.
      JOBS: 'max',
    });
  }

  async remove(): Promise<void> {
    await this.#registry.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function npmSettings(): { readonly registry: string; readonly cache: string; readonly userconfig: string } {
  const get = (name: string): string =>
    execFileSync('npm', ['config', 'get', name], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  return { registry: get('registry'), cache: get('cache'), userconfig: get('userconfig') };
}

function cleanEnvironment(): Record<string, string> {
  const foreign = /^(npm_.*|NODE_OPTIONS|COCONET_.*|XDG_DATA_HOME|FORCE_COLOR)$/i;
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || foreign.test(name) ? [] : [[name, value] as const],
  );
  // The Node that runs the tests, and no program of the repository.
  const path = (process.env.PATH ?? '').split(delimiter).filter(folder => !folder.startsWith(ROOT));
  return { ...Object.fromEntries(kept), PATH: [dirname(process.execPath), ...path].join(delimiter) };
}

/** The version of a development dependency of ours, as npm's command line takes it: what we test with, users may use. */
export function pinned(name: string): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string;
  };
  return `${name}@${version}`;
}
