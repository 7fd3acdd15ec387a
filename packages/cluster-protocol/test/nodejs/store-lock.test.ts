import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { acquireStoreLock } from '../../src/nodejs/store-lock.js';
import type { ForeignLock, HeldLock, StoreLock } from '../../src/nodejs/store-lock.js';
import { Child } from './support/child.js';
import { temporaryFolder } from './support/folders.js';

function asHeld(t: ExecutionContext, lock: StoreLock): HeldLock {
  if (!lock.held) throw new Error('this process should hold the lock');
  t.teardown(() => lock.release());
  return lock;
}

function asForeign(lock: StoreLock): ForeignLock {
  if (lock.held) throw new Error('another should hold the lock');
  return lock;
}

async function heard(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test('the first holds the store, the others reach it', async t => {
  const path = join(temporaryFolder(t), 'store');
  const holder = asHeld(t, await acquireStoreLock(path));
  holder.serve(socket => socket.end('welcome'));

  const other = asForeign(await acquireStoreLock(path));

  t.is(await heard(await other.connect()), 'welcome');
  t.is(await heard(await other.connect()), 'welcome');
});

test('who connects before the holder serves is served then', async t => {
  const path = temporaryFolder(t);
  const holder = asHeld(t, await acquireStoreLock(path));
  const socket = await asForeign(await acquireStoreLock(path)).connect();
  socket.end('are you there?');

  await new Promise(setImmediate);
  const question = new Promise<string>(resolve => {
    holder.serve(guest => {
      void heard(guest).then(text => text !== '' && resolve(text));
    });
  });

  t.is(await question, 'are you there?');
});

test('after a release the next one holds, and the old connections say so', async t => {
  const path = temporaryFolder(t);
  const first = asHeld(t, await acquireStoreLock(path));
  const other = asForeign(await acquireStoreLock(path));

  await first.release();

  await t.throwsAsync(other.connect());
  const second = asHeld(t, await acquireStoreLock(path));
  second.serve(socket => socket.end('second'));
  t.is(await heard(await asForeign(await acquireStoreLock(path)).connect()), 'second');
});

test('of many that start at once exactly one holds, round after round', async t => {
  const path = temporaryFolder(t);

  for (let round = 0; round < 20; round++) {
    const locks = await Promise.all(Array.from({ length: 12 }, () => acquireStoreLock(path)));
    const holders = locks.filter(lock => lock.held);

    t.is(holders.length, 1, `round ${round}`);
    await holders[0]!.release();
  }
  t.deepEqual(
    (await readdir(path)).filter(name => name.startsWith('holder-')),
    ['holder-20'],
  );
  t.false((await readdir(path)).some(name => name.endsWith('.new')));
});

test('a holder killed with -9 is succeeded by exactly one of the programs that wait', async t => {
  const path = temporaryFolder(t);
  const children = Array.from({ length: 4 }, () => new Child('hold-store.ts', path));
  await Promise.all(children.map(child => child.wrote(1)));
  const living = new Set(children);

  for (let round = 0; living.size > 0; round++) {
    for (const child of living) child.say('try');
    await Promise.all([...living].map(child => child.wrote(2 + round)));
    const holders = [...living].filter(child => child.lines.at(-1) === 'held');

    t.is(holders.length, 1, `round ${round}`);
    const other = asForeign(await acquireStoreLock(path));
    t.is(await heard(await other.connect()), `hello from ${holders[0]!.process.pid!}`);
    await holders[0]!.kill();
    living.delete(holders[0]!);
  }
  asHeld(t, await acquireStoreLock(path));
});

test('the socket and the records are for their owner alone', async t => {
  const path = temporaryFolder(t);
  asHeld(t, await acquireStoreLock(path)).serve(socket => socket.end('hello'));

  for (const name of await readdir(path)) {
    t.is((await stat(join(path, name))).mode & 0o777, 0o600, name);
  }
  t.true((await stat(join(path, 'store.sock'))).isSocket());
  t.is(await heard(connect(join(path, 'store.sock'))), 'hello');
});

test('a path too long for a socket works all the same, and its socket goes with the holder', async t => {
  const path = join(temporaryFolder(t), 'x'.repeat(60), 'y'.repeat(60));
  const holder = asHeld(t, await acquireStoreLock(path));
  holder.serve(socket => socket.end('far'));

  const other = asForeign(await acquireStoreLock(path));

  t.is(await heard(await other.connect()), 'far');
  const address = await readFile(join(path, 'holder-1'), 'utf8');
  t.false(address.startsWith(path));
  t.is((await stat(join(path, 'store.sock'))).mode & 0o777, 0o600);
  await holder.release();
  await t.throwsAsync(stat(address), { code: 'ENOENT' });
});

test('what a killed holder left behind is gone when the next holds', async t => {
  const path = temporaryFolder(t);
  const child = new Child('hold-store.ts', path);
  child.say('try');
  await child.wrote(2);
  const before = await readdir(path);
  await child.kill();

  asHeld(t, await acquireStoreLock(path));

  const after = await readdir(path);
  t.is(before.length, 3);
  t.is(after.length, 3);
  t.deepEqual(
    before.filter(name => after.includes(name)),
    ['store.sock'],
  );
});

test('a folder open to others is refused', async t => {
  const path = join(temporaryFolder(t), 'open');
  await mkdir(path, { mode: 0o755 });

  await t.throwsAsync(acquireStoreLock(path), { code: 'STORE_UNUSABLE', message: /chmod 700/ });
});
