import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'peers');

/** The part of a lock file that says what is installed. */
interface Lock {
  readonly packages?: Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;
}

/**
 * Installs the peers in their own folder as their lock file says, unless they are there already; no install script of
 * theirs is run. Rejects with what npm said.
 */
export async function installPeers(progress: (text: string) => void, signal: AbortSignal): Promise<void> {
  if (await isInstalled()) return;
  progress('installing the peers into benchmarks/peers; this is done once');
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: FOLDER,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
    signal,
  });
  let said = '';
  for (const output of [npm.stdout, npm.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      for (const line of text.split('\n')) if (line.trim() !== '') progress(`npm: ${line}`);
    });
  }
  const [code] = (await once(npm, 'close')) as [number | null];
  if (code !== 0) throw new Error(`npm ci ended with ${code ?? 'a signal'}: ${lastLine(said)}`);
}

/** Whether npm's own note of what it installed has everything at the versions that the lock file asks for. */
async function isInstalled(): Promise<boolean> {
  try {
    const [wanted, present] = await Promise.all([
      readLock('package-lock.json'),
      readLock(join('node_modules', '.package-lock.json')),
    ]);
    return Object.entries(wanted.packages ?? {}).every(
      ([path, { version, optional }]) =>
        path === '' || optional === true || present.packages?.[path]?.version === version,
    );
  } catch {
    return false;
  }
}

const readLock = async (name: string): Promise<Lock> =>
  JSON.parse(await readFile(join(FOLDER, name), 'utf8')) as Lock;

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
