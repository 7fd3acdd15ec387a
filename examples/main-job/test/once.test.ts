import { existsSync } from 'node:fs';

import test from 'ava';

import { isAlive, Program } from './support/program.js';

test.serial('npm start -- --once --json shows that everything works, and ends', async t => {
  const program = new Program(t, ['npm', 'start', '--', '--once', '--json']);

  const status = await program.end();

  t.is(status, 0);
  const { event, ok, path, commandRttMs, attributes } = program.events.at(-1) ?? {};
  t.deepEqual({ event, ok, path }, { event: 'done', ok: true, path: 'direct' });
  t.true(typeof commandRttMs === 'number' && commandRttMs > 0);
  t.true(typeof attributes === 'number' && attributes >= 8);
  // Exactly what the app was told of this machine.
  t.is(attributes, toldOf(program));
  t.is(program.lines.at(-1), JSON.stringify({ event, ok, path, commandRttMs, attributes }));
});

test.serial('what it made for itself is gone afterwards', async t => {
  const program = new Program(t, ['npm', 'start', '--', '--once', '--json']);

  await program.end();

  const { folder } = await program.event({ event: 'nmn' });
  const pids = program.events.filter(({ event }) => event === 'process').map(({ pid }) => Number(pid));
  t.is(pids.length, 2);
  t.deepEqual(pids.filter(isAlive), []);
  t.false(existsSync(String(folder)));
});

test.serial('for people it says the same in sentences', async t => {
  const program = new Program(t, ['npm', 'start', '--', '--once']);

  const status = await program.end();

  t.is(status, 0);
  t.regex(
    program.lines.at(-1) ?? '',
    /^done +\d+ attributes over a direct path, command answered in [\d.]+ ms$/,
  );
});

test.serial('two at once do not get in each other’s way', async t => {
  const programs = [1, 2].map(() => new Program(t, ['npm', 'start', '--', '--once', '--json']));

  const statuses = await Promise.all(programs.map(program => program.end()));

  t.deepEqual(statuses, [0, 0]);
  const [first, second] = await Promise.all(programs.map(program => program.event({ event: 'nmn' })));
  t.not(first?.port, second?.port);
  t.not(first?.folder, second?.folder);
});

interface Told {
  readonly address: string;
  readonly capability: string;
  readonly attribute: string;
  readonly value: unknown;
}

/** Attributes that have a value in the end, those of the beacon aside. */
function toldOf({ events }: Program): number {
  const last = new Map<string, unknown>();
  for (const { event, values } of events)
    if (event === 'values')
      for (const { address, capability, attribute, value } of values as readonly Told[])
        if (!address.endsWith('/beacon')) last.set(`${address} ${capability}.${attribute}`, value);
  return [...last.values()].filter(value => value !== null).length;
}
