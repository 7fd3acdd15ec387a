import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { level, onOff } from '@coconet/capabilities';
import { connect, type Network, type NodeChange } from '../src/index.js';
import { openFlat } from './support/flat.js';
import { caught } from './support/house.js';

const HOLDER = fileURLToPath(new URL('support/holder.ts', import.meta.url));

/** Starts a program that holds the store, and waits until it does. */
async function startHolder(t: ExecutionContext, store: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import=tsx', '--conditions=coconet-source', HOLDER, store], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  t.is(line.toString().trim(), 'holding');
  return child;
}

async function open(t: ExecutionContext, store: string): Promise<Network> {
  const network = await connect({ store });
  t.teardown(() => network.close());
  return network;
}

/** Reads a loop until `wanted` says that it has seen enough. */
async function readUntil<T>(
  items: AsyncIterable<T>,
  wanted: (items: readonly T[]) => boolean,
): Promise<readonly T[]> {
  const seen: T[] = [];
  for await (const item of items) {
    seen.push(item);
    if (wanted(seen)) break;
  }
  return seen;
}

test('two programs on one store both find, read, command, watch, explain and ping', async t => {
  const flat = await openFlat(t);
  const first = await open(t, flat.store);
  const second = await open(t, flat.store);

  t.false(first.shared);
  t.true(second.shared);
  t.is(second.nodeId, first.nodeId);
  await first.ready();
  for (const network of [first, second]) {
    const lamp = await network.resource('Desk/lamp', [onOff, level]);
    await lamp.onOff.turnOn();
    const { on, at } = await lamp.onOff.read();
    t.true(on);
    t.true(at instanceof Date);
    const pictures = await readUntil(lamp.onOff.watch(), seen => seen.length === 1);
    t.is(pictures[0]!.on, true);
    const { path, nodeId } = await network.explain('Desk');
    t.is(path, 'direct');
    t.is(nodeId, flat.device.nodeId);
    const [reply] = await readUntil(network.ping('Desk', { count: 1 }), seen => seen.length === 1);
    t.true(reply!.rtt! > 0);
    t.deepEqual(
      network.resources().map(({ info }) => info.address),
      ['Desk/lamp'],
    );
    const changes: readonly NodeChange[] = await readUntil(network.watchNodes(), seen => seen.length >= 2);
    t.true(changes.every(({ change }) => change === 'added'));
    const unknown = await caught(network.resource('Desk/lmap', { timeout: 100 }));
    t.is(unknown.code, 'UNKNOWN_RESOURCE');
    const wrong = await caught(lamp.level.setLevel({ level: 200 }));
    t.is(wrong.code, 'VALUE_OUT_OF_RANGE');
  }
  t.deepEqual(await second.dropped(), await first.dropped());
  t.deepEqual(flat.runs, ['turnOn', 'turnOn']);
});

test('what a program calls off through another one ends with the truth', async t => {
  const flat = await openFlat(t);
  await open(t, flat.store);
  const second = await open(t, flat.store);
  const lamp = await second.resource('Desk/lamp', [level]);
  const abort = new AbortController();

  const late: string[] = [];
  const outcome = caught(
    lamp.level.setLevel(
      { level: 7 },
      { signal: abort.signal, onLateOutcome: ({ status }) => late.push(status) },
    ),
  );
  await readUntil(poll(), () => flat.runs.length > 0);
  abort.abort();
  const error = await outcome;
  flat.release();
  await readUntil(poll(), () => late.length > 0);

  t.is(error.code, 'OUTCOME_UNKNOWN', error.message);
  t.is(late.length, 1);
  t.deepEqual(flat.runs, ['setLevel 7']);
});

test('when the holder closes, the next program takes over: watches go on, commands work', async t => {
  const flat = await openFlat(t);
  const first = await connect({ store: flat.store });
  const second = await open(t, flat.store);
  const lamp = await second.resource('Desk/lamp', [onOff, level]);
  const seen = readUntil(lamp.level.watch(), pictures => pictures.at(-1)?.level === 42);

  await first.close();
  await lamp.onOff.turnOn({}, { timeout: 20_000 });
  flat.setLevel(42);
  const levels = (await seen).map(picture => picture.level);

  t.false(second.shared);
  t.is(levels.at(-1), 42);
  t.is(new Set(levels).size, levels.length);
  t.deepEqual(flat.runs, ['turnOn']);
});

test('when the holder is killed, the next program takes over and what was under way is unknown', async t => {
  const flat = await openFlat(t);
  const holder = await startHolder(t, flat.store);
  const second = await open(t, flat.store);
  t.true(second.shared);
  const lamp = await second.resource('Desk/lamp', [onOff, level]);
  const counted = { pictures: 0 };
  const seen = readUntil(lamp.onOff.watch(), pictures => {
    counted.pictures = pictures.length;
    return pictures.at(-1)?.on === true;
  });
  const underWay = caught(lamp.level.setLevel({ level: 9 }, { timeout: 30_000 }));
  await readUntil(poll(), () => flat.runs.length > 0 && counted.pictures > 0);

  holder.kill('SIGKILL');
  const error = await underWay;
  await lamp.onOff.turnOn({}, { timeout: 30_000 });
  const pictures = await seen;

  t.is(error.code, 'OUTCOME_UNKNOWN', error.message);
  t.false(second.shared);
  t.deepEqual(
    pictures.map(({ on }) => on),
    [false, true],
  );
  t.deepEqual(flat.runs, ['setLevel 9', 'turnOn']);
});

test('an app does not take the store of a device', async t => {
  const flat = await openFlat(t);

  const error = await caught(connect({ store: `${flat.folder}/Desk` }));

  t.is(error.code, 'STORE_IN_USE');
});

/** Something to loop over while a condition is looked at, once a turn of the event loop. */
async function* poll(): AsyncGenerator<undefined> {
  for (;;) {
    await new Promise(setImmediate);
    yield undefined;
  }
}
