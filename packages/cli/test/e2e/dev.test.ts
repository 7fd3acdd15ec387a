import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';

import test from 'ava';

import { LAMP_LINE, Place } from '../support/tool-process.js';

interface Ready {
  readonly networkId: string;
  readonly port: number;
  readonly store: string;
  readonly joinUris: { readonly command: string; readonly device: string; readonly client: string };
}

const readyOf = (line: string): Ready => JSON.parse(line) as Ready;

test('coconet dev runs a device in a network of its own, and other commands in the folder find it', async t => {
  t.timeout(180_000);
  const place = await Place.make(t);

  const dev = place.start(['dev', '--port', '0', '--', ...LAMP_LINE]);
  await dev.line(/^ready Desk/);
  const called = await place.run(['call', 'Desk/lamp', 'onOff.turnOn']);
  const read = await place.run(['get', 'Desk/lamp', 'onOff.on']);
  dev.kill('SIGINT');
  const ended = await dev.ended();

  t.like(called, { status: 0, stdout: 'done\n' });
  t.like(read, { status: 0, stdout: 'true\n' });
  t.is(ended.status, 130);
  t.regex(ended.stdout, /COCONET_JOIN='coconet:\/\/127\.0\.0\.1:\d+\/#\S+' node lamp\.js\n/);
  t.is((await stat(place.path('.coconet'))).mode & 0o777, 0o700);
  t.is(await readFile(place.path('.coconet/.gitignore'), 'utf8'), '*\n');
});

test('coconet dev gives the same network and the same unused invitations tomorrow', async t => {
  t.timeout(180_000);
  const place = await Place.make(t);

  const first = place.start(['dev', '--json']);
  const today = readyOf(await first.line(/"ready"/));
  first.kill('SIGTERM');
  const end = await first.ended();
  const second = place.start(['dev', '--json']);
  const tomorrow = readyOf(await second.line(/"ready"/));

  t.is(end.status, 0);
  t.deepEqual(tomorrow, today);
  t.is(today.store, place.path('.coconet/client'));
});

test('an invitation of coconet dev that was used is replaced by a new one', async t => {
  t.timeout(180_000);
  const place = await Place.make(t);
  const first = place.start(['dev', '--port', '0', '--json']);
  const today = readyOf(await first.line(/"ready"/));
  await place.lamp(today.joinUris.device).line(/^ready/);
  first.kill('SIGINT');
  await first.ended();

  const second = place.start(['dev', '--json']);
  const tomorrow = readyOf(await second.line(/"ready"/));

  t.is(tomorrow.networkId, today.networkId);
  t.not(tomorrow.joinUris.device, today.joinUris.device);
  t.is(tomorrow.joinUris.client, today.joinUris.client);
});

test('coconet dev takes another port when that of last time is taken, and its client finds the way', async t => {
  t.timeout(180_000);
  const place = await Place.make(t);
  const first = place.start(['dev', '--port', '0', '--json']);
  const today = readyOf(await first.line(/"ready"/));
  first.kill('SIGINT');
  await first.ended();
  const thief = createSocket('udp4').bind(today.port, '127.0.0.1');
  await once(thief, 'listening');
  t.teardown(() => thief.close());

  const second = place.start(['dev', '--json']);
  const tomorrow = readyOf(await second.line(/"ready"/));
  const doctor = await place.json(['doctor']);

  t.not(tomorrow.port, today.port);
  t.is(tomorrow.networkId, today.networkId);
  t.true(tomorrow.joinUris.device.includes(`:${tomorrow.port}/`));
  t.like(doctor, { ok: true });
});

test('coconet dev on a port that is taken says so, and leaves nothing behind', async t => {
  const place = await Place.make(t);
  const thief = createSocket('udp4').bind(0, '127.0.0.1');
  await once(thief, 'listening');
  t.teardown(() => thief.close());
  const before = await readdir(place.folder);

  const refused = await place.error(['dev', '--port', String(thief.address().port)]);

  t.like(refused, { status: 1, code: 'PORT_IN_USE' });
  t.deepEqual(await readdir(place.folder), before);
});

test('coconet dev ends with its command and says how that ended', async t => {
  const place = await Place.make(t);
  const failing = [
    process.execPath,
    '-e',
    'console.log(process.env.COCONET_JOIN.slice(0, 10)); process.exitCode = 3',
  ];

  const { status, stdout, stderr } = await place.run(['dev', '--port', '0', '--', ...failing]);

  t.is(status, 1);
  t.true(stdout.endsWith('coconet://\n'));
  t.true(stderr.includes('ended with status 3 [COMMAND_FAILED]'));
});

test('with --json the output of the command of coconet dev is not mixed with ours', async t => {
  const place = await Place.make(t);
  const talking = [process.execPath, '-e', 'console.log("hello")'];

  const { status, stdout, stderr } = await place.run(['dev', '--port', '0', '--json', '--', ...talking]);

  t.is(status, 0);
  t.like(JSON.parse(stdout), { event: 'ready' });
  t.true(stderr.includes('hello\n'));
});

test('coconet dev says that a command cannot be found', async t => {
  const place = await Place.make(t);

  const { status, code, message } = await place
    .run(['dev', '--port', '0', '--', './no-such-program'])
    .then(({ status: end, stderr }) => ({
      status: end,
      code: /\[(\w+)\]/.exec(stderr)?.[1],
      message: stderr,
    }));

  t.is(status, 1);
  t.is(code, 'COMMAND_FAILED');
  t.true(message.includes('./no-such-program cannot be started'));
});
