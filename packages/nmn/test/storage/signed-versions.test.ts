import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import test from 'ava';

import { DataFolder } from '../../src/storage/data-folder.js';
import { SignedVersions } from '../../src/storage/signed-versions.js';
import { temporaryFolder } from '../support/surroundings.js';

const HOME = 'AAAAAAAAAAAAAAAAAAAAAA';
const OFFICE = 'BBBBBBBBBBBBBBBBBBBBBA';

async function openFolder(t: Parameters<typeof temporaryFolder>[0]): Promise<DataFolder> {
  const folder = await DataFolder.open(await temporaryFolder(t));
  t.teardown(() => folder.close());
  return folder;
}

test('what was reserved is never below what was signed, in this life and the next', async t => {
  const folder = await openFolder(t);
  const signed = await SignedVersions.open(folder);

  await signed.reserve(HOME, 7);
  await signed.reserve(OFFICE, 1_764_000_000_000);

  const next = await SignedVersions.open(folder);
  t.true(next.highest(HOME) >= 7);
  t.true(next.highest(OFFICE) >= 1_764_000_000_000);
  t.is(next.highest('CCCCCCCCCCCCCCCCCCCCCA'), 0);
});

test('reservations at once are all on disk when they resolve', async t => {
  const folder = await openFolder(t);
  const signed = await SignedVersions.open(folder);

  await Promise.all(Array.from({ length: 200 }, (_, i) => signed.reserve(i % 2 ? HOME : OFFICE, i * 10)));

  const next = await SignedVersions.open(folder);
  t.true(next.highest(HOME) >= 1_990);
  t.true(next.highest(OFFICE) >= 1_980);
});

test('many versions cost few writes', async t => {
  const folder = await openFolder(t);
  const signed = await SignedVersions.open(folder);
  await signed.reserve(HOME, 1);
  const before = await readFile(folder.file('signedVersions'), 'utf8');

  for (let version = 2; version <= 60; version++) await signed.reserve(HOME, version);

  t.is(await readFile(folder.file('signedVersions'), 'utf8'), before);
});

test('a reservation that failed holds nobody up once the disk is back', async t => {
  const folder = await openFolder(t);
  const signed = await SignedVersions.open(folder);
  const inTheWay = join(folder.path, 'signed-versions.new', 'x');
  const { mkdir, rm } = await import('node:fs/promises');
  await mkdir(join(folder.path, 'signed-versions.new'));
  await writeFile(inTheWay, '');

  await t.throwsAsync(signed.reserve(HOME, 5));
  t.is(signed.highest(HOME), 0);
  await rm(join(folder.path, 'signed-versions.new'), { recursive: true });
  await signed.reserve(HOME, 5);

  t.true(signed.highest(HOME) >= 5);
});

for (const content of [
  '',
  'coconet-signed-versions 2\n',
  'coconet-signed-versions 1\nHOME 5\n',
  'coconet-signed-versions 1\nAAAA',
]) {
  test(`a damaged file is not guessed at: ${JSON.stringify(content)}`, async t => {
    const folder = await openFolder(t);
    await writeFile(folder.file('signedVersions'), content, { mode: 0o600 });

    await t.throwsAsync(SignedVersions.open(folder), {
      code: 'DATABASE_DAMAGED',
      message: /delete it to go on/,
    });
  });
}
