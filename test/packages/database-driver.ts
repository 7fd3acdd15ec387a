import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../scripts/packages.js';

const DRIVER = join(ROOT, 'node_modules/sqlite3');
const BINARY = 'build/Release/node_sqlite3.node';

/**
 * Puts the compiled half of SQLite's driver, which was made for the repository on this machine, where the driver's
 * install script looks before it downloads or compiles one: a minute of compiling proves nothing about our packages.
 * Where the repository has none, the script does what it does everywhere.
 *
 * @param folder - an empty one
 * @returns settings of npm that lead the script there
 */
export function offerDriver(folder: string): Record<string, string> {
  if (!existsSync(join(DRIVER, BINARY))) return {};
  const { version, binary } = JSON.parse(readFileSync(join(DRIVER, 'package.json'), 'utf8')) as {
    readonly version: string;
    readonly binary: { readonly napi_versions: readonly number[] };
  };
  // A name that it does not look for, e.g. because the system's C library is another one, is passed over.
  const name = `sqlite3-v${version}-napi-v${Math.max(...binary.napi_versions)}-${process.platform}-${process.arch}.tar.gz`;
  execFileSync('tar', ['-czf', join(folder, name), '-C', DRIVER, BINARY]);
  return { npm_config_sqlite3_local_prebuilds: folder };
}
