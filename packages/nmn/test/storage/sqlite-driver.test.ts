import test from 'ava';

import { loadSqliteDriver, SqliteDriverError } from '../../src/storage/sqlite-driver.js';

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

test('the driver opens a database in memory', async t => {
  const driver = await loadSqliteDriver();

  const database = new driver.Database(':memory:');
  const row = await new Promise<{ sum: number }>((resolve, reject) => {
    database.get('select 1 + 1 as sum', (error: Error | null, found: { sum: number }) => {
      if (error) reject(error);
      else resolve(found);
    });
  });
  database.close();

  t.is(row.sum, 2);
});

test('the first line about a missing driver names the system packages to install', async t => {
  const load = () => Promise.reject(failure('ERR_MODULE_NOT_FOUND', "Cannot find package 'sqlite3'"));

  const error = await t.throwsAsync(loadSqliteDriver(load, 'linux'), { instanceOf: SqliteDriverError });

  const [first] = error.message.split('\n');
  t.is(error.code, 'SQLITE_UNAVAILABLE');
  t.regex(first ?? '', /apt-get install -y python3 make g\+\+/);
  t.regex(first ?? '', /npm ci/);
});

test('every platform is told something it can do', async t => {
  const load = () => Promise.reject(failure('MODULE_NOT_FOUND', 'Cannot find module'));

  for (const [platform, advice] of [
    ['darwin', /xcode-select/],
    ['win32', /Visual Studio/],
    ['sunos', /C\+\+ compiler/],
  ] as const) {
    await t.throwsAsync(loadSqliteDriver(load, platform), { message: advice });
  }
});

test('a driver that does not fit says so and keeps the cause', async t => {
  const cause = failure('ERR_DLOPEN_FAILED', "version `GLIBC_2.38' not found");

  const error = await t.throwsAsync(loadSqliteDriver(() => Promise.reject(cause), 'linux'));

  t.regex(error.message, /built for another system.*GLIBC_2\.38/);
  t.is(error.cause, cause);
});

test('a driver whose native part is not there says so', async t => {
  const load = () => Promise.reject(new Error('Could not locate the bindings file. Tried: ...'));

  await t.throwsAsync(loadSqliteDriver(load), { message: /native part was never built/ });
});
