import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import test from 'ava';

import { DataFolder } from '../../src/storage/data-folder.js';
import { Database } from '../../src/storage/database.js';
import { SignedVersions } from '../../src/storage/signed-versions.js';
import { temporaryFolder } from '../support/surroundings.js';

const onWindows = process.platform === 'win32';
const unixTest = onWindows ? test.skip : test;

test('a second NMN on a folder is told so and changes nothing; after the first ends it starts', async t => {
  const path = await temporaryFolder(t);
  const first = await DataFolder.open(path);

  await t.throwsAsync(DataFolder.open(path), { code: 'DATA_FOLDER_IN_USE', message: /stop it first/ });
  await first.close();

  const second = await DataFolder.open(path);
  await second.close();
});

test('a folder of another program is refused and left as it was', async t => {
  const path = await temporaryFolder(t);
  await writeFile(join(path, 'photo.jpg'), 'x');

  await t.throwsAsync(DataFolder.open(path), {
    code: 'DATA_FOLDER_FOREIGN',
    message: /photo\.jpg.*empty or new/,
  });

  t.deepEqual(await readdir(path), ['photo.jpg']);
});

for (const [what, marker] of [
  ['of another program', '{"program":"other","format":1}'],
  ['that is no JSON', 'hello'],
  ['without a format', '{"program":"coconet-nmn"}'],
  ['that is null', 'null'],
] as const) {
  test(`a marker ${what} makes the folder foreign`, async t => {
    const path = await temporaryFolder(t);
    await writeFile(join(path, 'nmn.json'), marker, { mode: 0o600 });

    await t.throwsAsync(DataFolder.open(path), { code: 'DATA_FOLDER_FOREIGN' });

    t.deepEqual(await readdir(path), ['nmn.json']);
  });
}

test('a folder of a newer program is refused and left as it was', async t => {
  const path = await temporaryFolder(t);
  await writeFile(join(path, 'nmn.json'), '{"program":"coconet-nmn","format":2}', { mode: 0o600 });

  await t.throwsAsync(DataFolder.open(path), { code: 'DATA_FOLDER_NEWER', message: /format 2.*knows 1/ });

  t.deepEqual(await readdir(path), ['nmn.json']);
});

test('a folder that cannot be made says why and what to do', async t => {
  const path = await temporaryFolder(t);
  await writeFile(join(path, 'file'), '');

  await t.throwsAsync(DataFolder.open(join(path, 'file', 'data')), {
    code: 'DATA_FOLDER_UNWRITABLE',
    message: /cannot be written.*name another folder/,
  });
});

test('a folder where nobody can make one is refused, and does not keep the program busy', async t => {
  if (process.platform !== 'linux') {
    t.pass();
    return;
  }

  await t.throwsAsync(DataFolder.open('/proc/coconet/nmn'), {
    code: 'DATA_FOLDER_UNWRITABLE',
    message: /name another folder/,
  });
});

test('a file where the folder should be is refused', async t => {
  const path = join(await temporaryFolder(t), 'data');
  await writeFile(path, '', { mode: 0o600 });

  await t.throwsAsync(DataFolder.open(path), { code: 'DATA_FOLDER_UNWRITABLE' });
});

unixTest('everything is private from the start, whatever the umask', async t => {
  const path = join(await temporaryFolder(t), 'deep', 'data');
  const before = process.umask(0);
  t.teardown(() => process.umask(before));

  const folder = await DataFolder.open(path);
  const database = await Database.open(folder);
  const signed = await SignedVersions.open(folder);
  await signed.reserve('AAAAAAAAAAAAAAAAAAAAAA', 1);
  await database.transact(async transaction => {
    await transaction('nmn_settings').insert({ name: 'x', value: Buffer.from('y') });
  });

  const names = await readdir(path);
  t.true(
    ['nmn.db', 'nmn.db-wal', 'nmn.db-shm', 'nmn.json', 'nmn.lock', 'signed-versions'].every(n =>
      names.includes(n),
    ),
  );
  t.is((await stat(path)).mode & 0o777, 0o700);
  for (const name of names) t.is((await stat(join(path, name))).mode & 0o777, 0o600, name);
  await database.close();
  await folder.close();
});

unixTest('a folder or key file that others may read is refused with the command that mends it', async t => {
  const wide = join(await temporaryFolder(t), 'wide');
  await mkdir(wide);
  await chmod(wide, 0o755);
  const leaky = await temporaryFolder(t);
  await (await DataFolder.open(leaky)).close();
  await chmod(join(leaky, 'nmn.db'), 0o644);

  await t.throwsAsync(DataFolder.open(wide), { code: 'DATA_FOLDER_UNSAFE', message: /mode 755.*chmod 700/ });
  await t.throwsAsync(DataFolder.open(leaky), {
    code: 'DATA_FOLDER_UNSAFE',
    message: /mode 644.*chmod 600 .*nmn\.db/,
  });
  t.deepEqual(await readdir(wide), []);
});

unixTest(
  'a socket that a killed NMN left before it was made private keeps no other from starting',
  async t => {
    const path = await temporaryFolder(t);
    await (await DataFolder.open(path)).close();
    const left = createServer().listen(join(path, 'admin.sock'));
    await once(left, 'listening');
    t.teardown(() => left.close());
    await chmod(join(path, 'admin.sock'), 0o755);

    await (await DataFolder.open(path)).close();

    t.true((await readdir(path)).includes('admin.sock'));
  },
);

test('the marker names the program and its format', async t => {
  const path = await temporaryFolder(t);
  await (await DataFolder.open(path)).close();

  t.deepEqual(JSON.parse(await readFile(join(path, 'nmn.json'), 'utf8')), {
    program: 'coconet-nmn',
    format: 1,
  });
});

unixTest('a folder may be reached through a symbolic link', async t => {
  const path = await temporaryFolder(t);
  await mkdir(join(path, 'real'), { mode: 0o700 });
  await symlink(join(path, 'real'), join(path, 'link'));

  const folder = await DataFolder.open(join(path, 'link'));
  await t.throwsAsync(DataFolder.open(join(path, 'real')), { code: 'DATA_FOLDER_IN_USE' });
  await folder.close();
});
