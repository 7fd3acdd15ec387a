import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';

import { Place } from '../support/tool-process.js';

/** A port that takes datagrams and never answers. */
async function silentPort(t: ExecutionContext): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket.address().port;
}

const uriAt = (port: number): string =>
  `coconet://127.0.0.1:${port}/#v=1&net=${'A'.repeat(22)}&key=${'Bcde'.repeat(10)}Bcc&claim=${'A'.repeat(22)}`;

test('an NMN that is away while joining is said once, waited for, and given up by Ctrl-C with 130', async t => {
  t.timeout(120_000);
  const place = await Place.make(t);
  const joining = place.start(['join', uriAt(await silentPort(t)), '--store', 'phone']);

  await joining.errorLine(/cannot be reached/);
  joining.kill('SIGINT');
  const { status, stdout, stderr } = await joining.ended();

  t.is(status, 130);
  t.is(stdout, '');
  t.is(stderr.match(/cannot be reached/g)?.length, 1);
  t.false(stderr.includes('error:'));
});

test('SIGTERM ends a command that waits with 143', async t => {
  t.timeout(120_000);
  const place = await Place.make(t);
  const joining = place.start(['join', uriAt(await silentPort(t)), '--store', 'phone']);

  await joining.errorLine(/cannot be reached|joining/);
  joining.kill('SIGTERM');

  t.is((await joining.ended()).status, 143);
});

test('Ctrl-C stops an NMN cleanly, and the status says so', async t => {
  const place = await Place.make(t);
  const nmn = place.start(['nmn', 'start', '--data', 'nmn', '--port', '0', '--bind', '127.0.0.1']);

  t.regex(
    await nmn.line(/listening/),
    /^NMN listening on 127\.0\.0\.1, UDP port \d+; data in .*; Ctrl-C stops it$/,
  );
  nmn.kill('SIGINT');

  t.is((await nmn.ended()).status, 130);
});
