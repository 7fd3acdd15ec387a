import type sqlite3 from 'sqlite3';

/** The module that knex drives. */
export type SqliteDriver = typeof sqlite3;

/** SQLite's driver is not there or cannot be loaded; the first line of `message` says what to install. */
export class SqliteDriverError extends Error {
  readonly code = 'SQLITE_UNAVAILABLE';

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'SqliteDriverError';
  }
}

/** What a native module is compiled with, by the name of the platform. */
const REQUIREMENTS: Readonly<Record<string, string>> = {
  linux:
    'python3, make and g++ (Debian, Ubuntu: apt-get install -y python3 make g++; ' +
    'Fedora: dnf install python3 make gcc-c++; Alpine: apk add python3 make g++)',
  darwin: "Apple's command line tools (xcode-select --install)",
  win32: 'Python 3 and the Visual Studio Build Tools with the C++ workload',
};
const OTHER_REQUIREMENTS = 'Python 3, make and a C++ compiler';

/** Why a failed load failed, in the words of the person who has to mend it. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const text = error instanceof Error ? error.message : String(error);
  if (code === 'ERR_DLOPEN_FAILED') return `it was built for another system or another Node: ${text}`;
  if (text.includes('bindings file')) return 'its native part was never built';
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
    return 'it could not be built when npm installed it';
  return text;
}

/**
 * Loads SQLite's driver, an optional dependency: npm leaves it out, without a word, where it cannot be compiled.
 *
 * @param load - how to get the module, and `platform` where; both for tests
 * @throws {@link SqliteDriverError} if it is not there or does not fit this system
 */
export async function loadSqliteDriver(
  load: () => Promise<{ readonly default: SqliteDriver }> = () => import('sqlite3'),
  platform: string = process.platform,
): Promise<SqliteDriver> {
  try {
    return (await load()).default;
  } catch (cause) {
    throw new SqliteDriverError(
      `SQLite's driver (sqlite3) is missing: install ${REQUIREMENTS[platform] ?? OTHER_REQUIREMENTS}, ` +
        `then run "npm ci" or "npm install" again.\nThe reason: ${reasonOf(cause)}.`,
      { cause },
    );
  }
}
