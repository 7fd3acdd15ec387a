import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';

import test from 'ava';

import { Place } from '../support/tool-process.js';

test('wrong join URIs are told apart, and leave nothing behind', async t => {
  t.timeout(240_000);
  const place = await Place.make(t);
  const nmn = place.start(['nmn', 'start', '--data', 'nmn', '--port', '0', '--bind', '127.0.0.1', '--json']);
  await nmn.line(/listening/);
  const owner = ['--store', 'owner'];
  await place.json(['network', 'create', 'home', '--data', 'nmn', '--root-file', 'root.key', ...owner]);
  const invite = async (words: readonly string[], store = owner): Promise<string> =>
    ((await place.json(['invite', ...words, ...store])) as { readonly uri: string }).uri;

  const truncated = (await invite(['client'])).slice(0, -4);
  t.like(await place.error(['join', truncated, '--store', 'a']), { status: 2, code: 'JOIN_URI_INVALID' });

  const lowOrder = (await invite(['client'])).replace(/key=[^&]+/, `key=${'A'.repeat(43)}`);
  t.like(await place.error(['join', lowOrder, '--store', 'a']), { status: 2, code: 'JOIN_URI_INVALID' });

  const forDevice = await place.error(['join', await invite(['device']), '--store', 'a']);
  t.like(forDevice, { status: 1, code: 'JOIN_REFUSED' });
  t.regex(forDevice.message, /for a device/);

  const once = await invite(['client']);
  t.like(await place.json(['join', once, '--store', 'first']), { role: 'guest' });
  const used = await place.error(['join', once, '--store', 'a']);
  t.like(used, { status: 1, code: 'JOIN_REFUSED' });
  t.regex(used.message, /used/);
  t.like(
    await place.json(['join', once, '--store', 'first']),
    { role: 'guest' },
    'the same node may repeat it',
  );

  const unknown = once.replace(/claim=[^&]+/, `claim=${'A'.repeat(22)}`);
  t.like(await place.error(['join', unknown, '--store', 'a']), { status: 1, code: 'JOIN_REFUSED' });

  await place.json([
    'network',
    'create',
    'work',
    '--data',
    'nmn',
    '--root-file',
    'work.key',
    '--store',
    'boss',
  ]);
  const elsewhere = await invite(['client'], ['--store', 'boss']);
  const mixed = await place.error(['join', elsewhere, '--store', 'first']);
  t.like(mixed, { status: 1, code: 'WRONG_NETWORK' });
  for (const text of [elsewhere, once]) t.true(mixed.message.includes(/net=([^&]+)/.exec(text)![1]!));

  const shortLived = await place.json(['invite', 'client', '--expires', '2s', ...owner]);
  const { uri, expiresAt } = shortLived as { readonly uri: string; readonly expiresAt: string };
  // Something else to do until then.
  while (Date.now() <= Date.parse(expiresAt)) await place.run(['--version']);
  const expired = await place.error(['join', uri, '--store', 'a']);
  t.like(expired, { status: 1, code: 'JOIN_REFUSED' });
  t.regex(expired.message, /expired/);

  t.false((await readdir(place.folder)).includes('a'));

  t.like(await place.error(['get', 'Dsk/lamp', '--timeout', '300ms', ...owner]), {
    status: 1,
    code: 'UNKNOWN_NODE',
  });
  t.like(await place.error(['ping', 'Desk', ...owner]), { status: 1, code: 'UNKNOWN_NODE' });
  t.like(
    await place.error([
      'network',
      'create',
      'again',
      '--data',
      'nmn',
      '--root-file',
      'root.key',
      '--store',
      'x',
    ]),
    {
      status: 1,
      code: 'FILE_EXISTS',
    },
  );
  const taken = await place.error([
    'network',
    'create',
    'again',
    '--data',
    'nmn',
    '--root-file',
    'y.key',
    ...owner,
  ]);
  t.is(taken.status, 1);
  t.false((await readdir(place.folder)).includes('y.key'), 'a root key of no network');
  t.like(await place.error(['invite', 'device', '--store', 'first']), { status: 1, code: 'ADMIN_REFUSED' });
});

test('a command to a device that is away, or that does not have what is asked, is named', async t => {
  t.timeout(240_000);
  const place = await Place.make(t);
  const dev = place.start(['dev', '--port', '0', '--json']);
  const ready = JSON.parse(await dev.line(/"ready"/)) as { readonly joinUris: { readonly device: string } };
  const lamp = place.lamp(ready.joinUris.device);
  await lamp.line(/^ready/);

  const resource = await place.error(['call', 'Desk/lump', 'onOff.turnOn', '--timeout', '2s']);
  const capability = await place.error(['get', 'Desk/lamp', 'identify.identifying']);
  const command = await place.error(['call', 'Desk/lamp', 'onOff.toggle']);
  lamp.kill('SIGTERM');
  await lamp.ended();
  const away = await place.error(['call', 'Desk/lamp', 'onOff.turnOn', '--timeout', '2s']);

  t.like(resource, { status: 1, code: 'UNKNOWN_RESOURCE' });
  t.regex(resource.message, /lamp/);
  t.like(capability, { status: 1, code: 'CAPABILITY_MISSING' });
  t.regex(capability.message, /onOff/);
  t.is(command.status, 1);
  t.true(['COMMAND_NOT_SUPPORTED', 'MEMBER_MISSING'].includes(command.code), command.code);
  t.is(away.status, 1);
  t.true(['DEVICE_UNREACHABLE', 'EXPIRED'].includes(away.code), away.code);
});

test('a data folder that an NMN cannot use is refused with a code of its own, and left as it was', async t => {
  t.timeout(180_000);
  const place = await Place.make(t);
  const start = (folder: string, ...more: string[]): readonly string[] => [
    'nmn',
    'start',
    '--data',
    folder,
    '--port',
    '0',
    '--bind',
    '127.0.0.1',
    ...more,
  ];
  await writeFile(place.path('file'), 'not a folder');
  await mkdir(place.path('foreign'), { mode: 0o700 });
  await writeFile(place.path('foreign/thesis.txt'), 'mine', { mode: 0o600 });
  await mkdir(place.path('rival'), { mode: 0o700 });
  await writeFile(place.path('rival/nmn.json'), '{"program":"rival-nmn","format":1}', { mode: 0o600 });
  await mkdir(place.path('newer'), { mode: 0o700 });
  await writeFile(place.path('newer/nmn.json'), '{"program":"coconet-nmn","format":999}', { mode: 0o600 });
  await mkdir(place.path('open'), { mode: 0o755 });

  t.like(await place.error(start('file')), { status: 1, code: 'DATA_FOLDER_UNWRITABLE' });
  t.like(await place.error(start('foreign')), { status: 1, code: 'DATA_FOLDER_FOREIGN' });
  t.like(await place.error(start('rival')), { status: 1, code: 'DATA_FOLDER_FOREIGN' });
  if (process.platform === 'linux')
    t.like(await place.error(start('/proc/coconet')), { status: 1, code: 'DATA_FOLDER_UNWRITABLE' });
  t.like(await place.error(start('newer')), { status: 1, code: 'DATA_FOLDER_NEWER' });
  t.like(await place.error(start('open')), { status: 1, code: 'DATA_FOLDER_UNSAFE' });
  t.deepEqual(await readdir(place.path('foreign')), ['thesis.txt']);
  t.true((await stat(place.path('file'))).isFile());

  const nmn = place.start([...start('good'), '--json']);
  const { port } = JSON.parse(await nmn.line(/listening/)) as { readonly port: number };
  t.like(await place.error(start('good')), { status: 1, code: 'DATA_FOLDER_IN_USE' });
  const taken = await place.error([
    'nmn',
    'start',
    '--data',
    'other',
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
  ]);
  t.like(taken, { status: 1, code: 'PORT_IN_USE' });
  t.regex(taken.message, new RegExp(String(port)));
});

test('an NMN that does not run is said so, with what to do', async t => {
  const place = await Place.make(t);

  const { status, stdout, stderr } = await place.run(['nmn', 'status', '--data', 'none']);

  t.is(status, 1);
  t.is(stdout, '');
  t.is(
    stderr,
    `error: no NMN answers on the data folder ${place.path('none')} [NMN_NOT_RUNNING]\n` +
      'next: start one with `coconet nmn start`, or name its data folder with --data\n',
  );
});
