import { appendFile, chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { encodeText } from '../../src/base/index.js';
import { DAMAGED_KEY } from '../../src/interface/index.js';
import { openFileStore } from '../../src/nodejs/file-store.js';
import type { FileStore } from '../../src/nodejs/file-store.js';
import { logHeader } from '../../src/nodejs/store-log.js';
import { Child } from './support/child.js';
import { temporaryFolder } from './support/folders.js';

const isRoot = process.getuid?.() === 0;

/** A store that is closed with the test at the latest. */
async function opened(t: ExecutionContext, path: string): Promise<FileStore> {
  const store = await openFileStore(path);
  t.teardown(() => store.close());
  return store;
}

async function contents(store: FileStore): Promise<Record<string, string>> {
  const keys = await store.list('');
  const values = await Promise.all(keys.map(async key => new TextDecoder().decode(await store.read(key))));
  return Object.fromEntries(keys.map((key, i) => [key, values[i]!]));
}

const change = (entries: Record<string, string | undefined>): Map<string, Uint8Array | undefined> =>
  new Map(
    Object.entries(entries).map(([key, value]) => [key, value === undefined ? undefined : encodeText(value)]),
  );

/** A store with a few batches in it; what its log was, and what held, after each. */
async function history(t: ExecutionContext) {
  const path = join(temporaryFolder(t), 'store');
  const store = await opened(t, path);
  const points = [{ length: (await readFile(join(path, 'store.log'))).length, state: await contents(store) }];
  for (const batch of [{ a: '1', b: '2' }, { a: undefined, c: 'x' }, { b: '' }, { a: '9' }]) {
    await store.write(change(batch));
    points.push({ length: (await readFile(join(path, 'store.log'))).length, state: await contents(store) });
  }
  await store.close();
  return { path, points, log: await readFile(join(path, 'store.log')) };
}

test('a store holds what was written, through closing and opening', async t => {
  const path = join(temporaryFolder(t), 'deep', 'store');
  const store = await opened(t, path);
  const value = Uint8Array.of(1, 2, 3);

  const writing = store.write(
    new Map([
      ['keys/one', value],
      ['keys/two', Uint8Array.of()],
      ['other', undefined],
    ]),
  );
  value.fill(0);
  await writing;
  (await store.read('keys/one'))?.fill(0);
  await store.close();
  const again = await opened(t, path);

  t.is(store.condition, 'created');
  t.is(again.condition, 'clean');
  t.deepEqual(await again.read('keys/one'), Uint8Array.of(1, 2, 3));
  t.deepEqual(await again.read('keys/two'), Uint8Array.of());
  t.is(await again.read('other'), undefined);
  t.deepEqual(await again.list('keys/'), ['keys/one', 'keys/two']);
  t.true(again.durable);
  await again.close();
});

test('writes of one moment share one frame and keep their order', async t => {
  const path = temporaryFolder(t);
  const store = await opened(t, path);

  await Promise.all(
    Array.from({ length: 100 }, (_, i) => store.write(change({ last: `${i}`, [`k${i}`]: 'v' }))),
  );

  const log = await readFile(join(path, 'store.log'));
  t.is(log.toString('latin1').split('\xc0\x57\x0e\x1d').length - 1, 1);
  t.deepEqual((await contents(store)).last, '99');
  await store.close();
  t.is(Object.keys(await contents(await opened(t, path))).length, 101);
});

test('a log cut at any byte opens with a prefix of the acknowledged writes, all that end before the cut', async t => {
  const { path, points, log } = await history(t);

  for (let cut = 0; cut <= log.length; cut++) {
    await writeFile(join(path, 'store.log'), log.subarray(0, cut));
    const expected = points.filter(({ length }) => length <= cut).at(-1) ?? { length: -1, state: {} };

    const store = await opened(t, path);
    t.deepEqual(await contents(store), expected.state, `cut at ${cut}`);
    t.is(store.condition, cut === expected.length ? 'clean' : 'tornTail', `cut at ${cut}`);
    await store.write(change({ later: 'yes' }));
    await store.close();

    const again = await opened(t, path);
    t.deepEqual(await contents(again), { ...expected.state, later: 'yes' }, `cut at ${cut}`);
    await again.close();
  }
});

test('a log changed at any byte opens with the writes before the change, or is refused as no store', async t => {
  const { path, points, log } = await history(t);
  const header = points[0]!.length;

  for (let at = 0; at < log.length; at++) {
    const changed = Uint8Array.from(log);
    changed[at] = changed[at]! ^ 0x40;
    await writeFile(join(path, 'store.log'), changed);
    if (at < header) {
      await t.throwsAsync(openFileStore(path), { code: 'STORE_UNUSABLE' }, `changed at ${at}`);
      t.deepEqual(new Uint8Array(await readFile(join(path, 'store.log'))), changed);
      continue;
    }
    const index = points.findLastIndex(({ length }) => length <= at);

    const store = await opened(t, path);
    const isDamaged = index !== points.length - 2;
    const mark: Record<string, string> = isDamaged ? { [DAMAGED_KEY]: '' } : {};
    t.deepEqual(await contents(store), { ...points[index]!.state, ...mark }, `changed at ${at}`);
    t.is(store.condition, isDamaged ? 'damaged' : 'tornTail', `changed at ${at}`);
    await store.close();
    const again = await opened(t, path);
    t.is(again.condition, 'clean');
    await again.close();
  }
});

test('a damaged log is set aside before it is replaced', async t => {
  const { path, points, log } = await history(t);
  const at = points[1]!.length + 30;
  log[at] = log[at]! ^ 1;
  await writeFile(join(path, 'store.log'), log);

  const store = await opened(t, path);

  const aside = (await readdir(path)).filter(name => name.startsWith('store.damaged.'));
  t.is(store.condition, 'damaged');
  t.is(aside.length, 1);
  t.deepEqual(await readFile(join(path, aside[0]!)), log);
  t.is((await stat(join(path, aside[0]!))).mode & 0o777, 0o600);
});

test('that a log was damaged is said at every opening until somebody deletes the mark', async t => {
  const { path, points, log } = await history(t);
  const at = points[1]!.length + 30;
  log[at] = log[at]! ^ 1;
  await writeFile(join(path, 'store.log'), log);
  await (await opened(t, path)).close();

  const second = await opened(t, path);
  t.deepEqual(await second.read(DAMAGED_KEY), new Uint8Array(0));
  await second.write(new Map([[DAMAGED_KEY, undefined]]));
  await second.close();

  const third = await opened(t, path);
  t.is(await third.read(DAMAGED_KEY), undefined);
});

test('what was acknowledged survives kill -9, again and again', async t => {
  const path = join(temporaryFolder(t), 'store');
  let survived = 0;

  // The second size makes the log worth rewriting every few dozen writes.
  for (const size of [100, 40_000, 40_000, 40_000]) {
    const child = new Child('write-for-ever.ts', path, `${size}`);
    await child.wrote(60);
    await child.kill();
    const acknowledged = Number(child.lines.at(-1));

    const store = await opened(t, path);
    const state = await contents(store);
    const found = Number(state.number);
    t.true(found >= acknowledged, `${acknowledged} was acknowledged, ${found} found`);
    t.true(found > survived);
    t.not(store.condition, 'damaged');
    const seen = Array.from({ length: 40 }, (_, i) => found - i).filter(number => number > 0);
    t.deepEqual(
      Object.keys(state)
        .filter(key => key.startsWith('seen/'))
        .sort(),
      seen.map(number => `seen/${number}`).sort(),
    );
    t.is((await store.read('filling'))?.[0], found & 255);
    survived = found;
    await store.close();
  }
});

test('a log that is mostly past is rewritten, and holds the same', async t => {
  const path = temporaryFolder(t);
  const store = await opened(t, path);
  const value = 'x'.repeat(200_000);

  for (let i = 0; i < 20; i++) await store.write(change({ big: `${i}${value}`, [`small${i}`]: 'y' }));

  t.true((await stat(join(path, 'store.log'))).size < 2_000_000);
  const before = await contents(store);
  await store.write(change({ after: 'z' }));
  await store.close();
  t.deepEqual(await contents(await opened(t, path)), { ...before, after: 'z' });
  t.deepEqual(await readdir(path), ['store.log']);
});

test('what a killed rewriting left behind is removed', async t => {
  const { path, points } = await history(t);
  await writeFile(join(path, 'store.log.0123456789ab.new'), 'half', { mode: 0o600 });

  const store = await opened(t, path);

  t.deepEqual(await contents(store), points.at(-1)!.state);
  t.deepEqual(await readdir(path), ['store.log']);
});

test.serial('a folder and its files are for their owner alone, whatever the umask', async t => {
  const parent = temporaryFolder(t);

  for (const mask of [0o000, 0o022, 0o277]) {
    const path = join(parent, `mask-${mask}`);
    const before = process.umask(mask);
    const store = await opened(t, path);
    process.umask(before);
    await store.close();

    t.is((await stat(path)).mode & 0o777, 0o700);
    t.is((await stat(join(path, 'store.log'))).mode & 0o777, 0o600);
  }
});

test('a folder or a log open to others is refused with the command that mends it', async t => {
  const path = join(temporaryFolder(t), 'my store');
  await (await opened(t, path)).close();

  await chmod(path, 0o750);
  await t.throwsAsync(openFileStore(path), { code: 'STORE_UNUSABLE', message: /chmod 700 '.*my store'/ });
  await chmod(path, 0o700);
  await chmod(join(path, 'store.log'), 0o644);
  await t.throwsAsync(openFileStore(path), {
    code: 'STORE_UNUSABLE',
    message: /chmod 600 '.*my store\/store\.log'/,
  });
  await chmod(join(path, 'store.log'), 0o600);

  await t.notThrowsAsync(opened(t, path));
});

test('a folder that cannot be used is refused with the reason', async t => {
  const parent = temporaryFolder(t);
  await writeFile(join(parent, 'file'), '');

  await t.throwsAsync(openFileStore(join(parent, 'file')), { code: 'STORE_UNUSABLE', message: /file/ });
  await t.throwsAsync(openFileStore(join(parent, 'file', 'store')), {
    code: 'STORE_UNUSABLE',
    message: /part of the path/,
  });
  if (isRoot) return;
  await mkdir(join(parent, 'locked'), { mode: 0o500 });
  await t.throwsAsync(openFileStore(join(parent, 'locked')), { code: 'STORE_UNUSABLE', message: /may not/ });
  await t.throwsAsync(openFileStore(join(parent, 'locked', 'store')), {
    code: 'STORE_UNUSABLE',
    message: /may not/,
  });
});

test('the store of a newer program, and a file that is none, are refused and left as they are', async t => {
  const path = temporaryFolder(t);
  const log = join(path, 'store.log');

  await writeFile(log, Buffer.concat([logHeader(2), Buffer.from('new things')]), { mode: 0o600 });
  await t.throwsAsync(openFileStore(path), { code: 'STORE_NEWER', message: /format 2.*update/ });
  t.is((await readFile(log)).length, 34);
  await writeFile(log, 'notes to myself, nothing of yours');
  await t.throwsAsync(openFileStore(path), { code: 'STORE_UNUSABLE', message: /not a store/ });

  t.is(await readFile(log, 'utf8'), 'notes to myself, nothing of yours');
});

test('a second writer on one log is noticed and stopped', async t => {
  const path = temporaryFolder(t);
  const one = await opened(t, path);
  const two = await opened(t, path);
  await one.write(change({ a: '1' }));

  await t.throwsAsync(two.write(change({ a: '2' })), { code: 'STORE_IN_USE' });
  await t.throwsAsync(two.write(change({ a: '2' })), { code: 'STORE_IN_USE' });
  await t.throwsAsync(two.read('a'), { code: 'STORE_IN_USE' });

  await one.write(change({ b: '3' }));
  t.deepEqual(await contents(await opened(t, path)), { a: '1', b: '3' });
});

test('a log that something was appended to is cut back to what is good', async t => {
  const { path, points } = await history(t);
  await appendFile(join(path, 'store.log'), new Uint8Array(3));

  const store = await opened(t, path);

  t.is(store.condition, 'tornTail');
  t.deepEqual(await contents(store), points.at(-1)!.state);
});

test('wrong use is refused at once', async t => {
  const store = await opened(t, temporaryFolder(t));

  await t.throwsAsync(store.write(change({ '': 'x' })), { code: 'INVALID_ARGUMENT' });
  await t.throwsAsync(store.write(change({ 'a\nb': 'x' })), { code: 'INVALID_ARGUMENT' });
  await t.throwsAsync(store.write(new Map([['big', new Uint8Array(17 * 1024 * 1024)]])), {
    code: 'INVALID_ARGUMENT',
  });
  const last = store.write(change({ a: '1' }));
  await store.close();
  await t.notThrowsAsync(last);
  await store.close();
  await t.throwsAsync(store.write(change({ a: '1' })), { code: 'INVALID_STATE' });
  await t.throwsAsync(store.read('a'), { code: 'INVALID_STATE' });
});
