import { readFileSync } from 'node:fs';

const USAGE = 'usage: coconet [--help | --version]';

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return 'unknown';
  return String(manifest.version);
}

/** Runs the tool with the arguments after its name; resolves to the exit status (0 done, 2 used wrongly). */
export function main(argv: readonly string[]): Promise<number> {
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(`${version()}\n`);
    return Promise.resolve(0);
  }
  const asked = argv.length === 1 && argv[0] === '--help';
  (asked ? process.stdout : process.stderr).write(`${USAGE}\n`);
  return Promise.resolve(asked ? 0 : 2);
}
