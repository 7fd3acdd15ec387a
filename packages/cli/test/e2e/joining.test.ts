import { readdir } from 'node:fs/promises';

import test from 'ava';

import { Place, type ToolProcess } from '../support/tool-process.js';

async function startNmn(place: Place, port: number): Promise<{ nmn: ToolProcess; port: number }> {
  const words = ['nmn', 'start', '--data', 'nmn', '--port', String(port), '--bind', '127.0.0.1', '--json'];
  const nmn = place.start(words);
  const line = JSON.parse(await nmn.line(/listening/)) as { readonly port: number };
  return { nmn, port: line.port };
}

const uriOf = async (place: Place, words: readonly string[]): Promise<string> =>
  ((await place.json(words)) as { readonly uri: string }).uri;

test('a device waits for an NMN that is away, needs it no more once it is a member, and follows it to another port', async t => {
  t.timeout(240_000);
  const place = await Place.make(t);
  const first = await startNmn(place, 0);
  const owner = ['--store', 'owner'];
  await place.json(['network', 'create', 'home', '--data', 'nmn', '--root-file', 'root.key', ...owner]);
  const uri = await uriOf(place, ['invite', 'device', ...owner]);
  first.nmn.kill('SIGTERM');
  await first.nmn.ended();

  const waiting = place.lamp(uri);
  t.regex(
    await waiting.line(/cannot be reached/),
    new RegExp(`127\\.0\\.0\\.1:${first.port} .*trying again`),
  );
  const second = await startNmn(place, first.port);
  await waiting.line(/^ready/);
  second.nmn.kill('SIGTERM');
  await second.nmn.ended();
  waiting.kill('SIGTERM');
  const { stdout } = await waiting.ended();
  const alone = place.lamp(uri);
  await alone.line(/^ready/);
  alone.kill('SIGTERM');
  await alone.ended();
  const third = await startNmn(place, 0);
  const moved = place.lamp(uri.replace(`:${first.port}/`, `:${third.port}/`));
  await moved.line(/^ready/);
  await moved.line(/^nmn connected/);
  moved.kill('SIGTERM');
  await moved.ended();
  const later = place.lamp(uri);
  await later.line(/^nmn connected/);

  t.not(third.port, first.port);
  t.is(stdout.match(/cannot be reached/g)?.length, 1, 'said once');
});

test('a creation that is refused leaves nothing behind, and its operator URI works afterwards', async t => {
  t.timeout(180_000);
  const place = await Place.make(t);
  await startNmn(place, 0);
  const operator = await uriOf(place, ['nmn', 'operator', '--data', 'nmn']);
  const create = (uri: string, rootFile = 'root.key', store = 'owner'): readonly string[] => [
    ...['network', 'create', 'home', '--operator', uri],
    ...['--root-file', rootFile, '--store', store],
  ];

  const mistyped = await place.error(create(operator.replace(/token=..../, 'token=AAAA')));
  const truncated = await place.error(create(operator.slice(0, -3)));
  const invitation = await place.error(create('coconet://h:1/#v=1'));
  const nowhere = await place.error(create(operator, 'no/such/folder/root.key'));
  const left = await readdir(place.folder);
  t.like(await place.json(create(operator)), { name: 'home' });
  const used = await place.error(create(operator, 'other.key', 'other'));

  t.like(mistyped, { status: 1, code: 'JOIN_REFUSED' });
  t.regex(mistyped.message, /operator URI/);
  t.like(truncated, { status: 2, code: 'JOIN_URI_INVALID' });
  t.like(invitation, { status: 2, code: 'JOIN_URI_INVALID' });
  t.is(nowhere.code, 'INVALID_OPTION');
  t.deepEqual(left, ['nmn']);
  t.like(used, { status: 1, code: 'JOIN_REFUSED' });
  t.regex(used.message, /has made a network already/);
  t.deepEqual((await readdir(place.folder)).sort(), ['nmn', 'owner', 'root.key']);
});
