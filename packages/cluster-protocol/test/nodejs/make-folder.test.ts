import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { makeFolder } from '../../src/nodejs/make-folder.js';

async function place(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coconet-folder-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a folder is made with all that are missing above it, and the uppermost new one is told', async t => {
  const folder = await place(t);

  const made = await makeFolder(join(folder, 'a', 'b', 'c'));
  const again = await makeFolder(join(folder, 'a', 'b', 'c'));

  t.is(made, join(folder, 'a'));
  t.is(again, undefined);
  t.true((await stat(join(folder, 'a', 'b', 'c'))).isDirectory());
});

test('a folder is made though somebody else makes the one above it at any moment in between', async t => {
  const root = await place(t);
  const folders = Array.from({ length: 200 }, (_, i) => join(root, String(i), 'a'));
  await Promise.all(folders.map(folder => mkdir(dirname(folder))));
  // The other one comes after none to nine looks at the disk, so that it meets every step.
  const rival = async (folder: string, looks: number): Promise<void> => {
    for (let i = 0; i < looks; i++) await stat(root);
    await mkdir(folder).catch(() => undefined);
  };

  await Promise.all(folders.flatMap((folder, i) => [makeFolder(join(folder, 'b')), rival(folder, i % 10)]));

  for (const folder of folders) t.true((await stat(join(folder, 'b'))).isDirectory());
});

test('a file in the way is an error', async t => {
  const folder = await place(t);
  await writeFile(join(folder, 'file'), '');

  await t.throwsAsync(makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  await t.throwsAsync(makeFolder(join(folder, 'file', 'a', 'b')), { code: 'ENOTDIR' });
});

test('a place where nobody can make a folder is an error and no endless loop', async t => {
  if (process.platform !== 'linux') {
    t.pass();
    return;
  }

  await t.throwsAsync(makeFolder('/proc/coconet/a'), { code: 'ENOENT' });
});
