import test from 'ava';

import { Lab } from './lab.js';

const ECHO = 'test/nat/programs/udp-echo.ts';
const ASK = 'test/nat/programs/udp-ask.ts';

test('a datagram crosses two namespaces and its answer comes back', async t => {
  const lab = Lab.up('a=none');
  t.teardown(() => lab.down());
  const echo = lab.node('server', ECHO, ['9000']);
  await echo.line(line => line === 'ready');

  const ask = lab.node('a1', ASK, [lab.serverAddress, '9000']);
  const [port = '', seen] = (await ask.line()).split(' ');

  t.is(await ask.exited(), 0);
  t.is(seen, `${lab.env.NATLAB_HOST_A1_IP ?? ''}:${port}`);
});

test('a host behind a NAT is seen with the address of its NAT', async t => {
  const lab = Lab.up('a=symmetric');
  t.teardown(() => lab.down());
  const echo = lab.node('server', ECHO, ['9000']);
  await echo.line(line => line === 'ready');

  const ask = lab.node('a1', ASK, [lab.serverAddress, '9000']);
  const [port = '', seen = ''] = (await ask.line()).split(' ');

  t.is(await ask.exited(), 0);
  t.true(seen.startsWith(`${lab.env.NATLAB_SITE_A_WAN ?? ''}:`));
  t.false(seen.endsWith(`:${port}`));
});

test('a program that ends early says what it said', async t => {
  const lab = Lab.up('a=none');
  t.teardown(() => lab.down());

  const echo = lab.spawn('a1', ['sh', '-c', 'echo one; exit 3']);

  await t.throwsAsync(
    echo.line(line => line === 'two'),
    { message: /status 3.*one/s },
  );
});
