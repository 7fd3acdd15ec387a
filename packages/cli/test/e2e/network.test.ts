import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import test from 'ava';

import { Place } from '../support/tool-process.js';

interface NodeLine {
  readonly name: string;
  readonly nodeId: number;
  readonly online: boolean;
  readonly self: boolean;
}

test('a network from its creation to the revocation of a device, typed by hand', async t => {
  t.timeout(240_000);
  const place = await Place.make(t);
  const owner = ['--store', place.path('owner')];
  const phone = ['--store', place.path('phone')];
  const nmn = place.start(['nmn', 'start', '--data', 'nmn', '--port', '0', '--bind', '127.0.0.1', '--json']);
  const listening = JSON.parse(await nmn.line(/listening/)) as { readonly port: number };
  t.like(listening, { event: 'listening', data: place.path('nmn') });
  t.like(await place.json(['doctor', `127.0.0.1:${listening.port}`]), { ok: true });

  const created = await place.json([
    'network',
    'create',
    'home',
    '--data',
    'nmn',
    '--root-file',
    'root.key',
    ...owner,
  ]);
  const { networkId } = created as { readonly networkId: string };
  t.like(created, { name: 'home', rootFile: place.path('root.key'), store: place.path('owner') });
  t.is((await stat(place.path('root.key'))).mode & 0o777, 0o600);

  t.like(await place.json(['nmn', 'status', '--data', 'nmn']), {
    networks: [{ network: networkId, name: 'home' }],
  });
  t.like(await place.json(['network', 'list', '--data', 'nmn', ...owner]), [
    { networkId, name: 'home', served: true, member: { role: 'owner' } },
  ]);

  const device = (await place.json(['invite', 'device', ...owner])) as { readonly uri: string };
  const lamp = place.lamp(device.uri);
  t.regex(await lamp.line(/^ready/), /^ready Desk \d+$/);

  const invited = await place.run(['invite', 'client', '--role', 'admin', ...owner]);
  t.is(invited.status, 0);
  t.regex(invited.stdout, /^coconet:\/\/\S+\n$/);
  const joined = await place.json(['join', invited.stdout.trim(), '--name', 'Phone', ...phone]);
  t.like(joined, { networkId, name: 'Phone', role: 'admin' });

  const nodes = (await place.json(['nodes', ...phone])) as readonly NodeLine[];
  t.like(
    nodes.find(({ name }) => name === 'Desk'),
    { kind: 'device', online: true, self: false },
  );
  t.like(
    nodes.find(({ self }) => self),
    { name: 'Phone', kind: 'client' },
  );

  const resources = await place.json(['ls', 'Desk', ...phone]);
  t.like(resources, [{ address: 'Desk/lamp', capabilities: [{ name: 'onOff' }, { name: 'level' }] }]);

  const before = await place.run(['get', 'Desk/lamp', 'onOff.on', ...phone]);
  t.like(before, { status: 0, stdout: 'false\n' });
  const called = await place.json(['call', 'Desk/lamp', 'level.setLevel', 'level=40', ...phone]);
  t.deepEqual(called, {
    address: 'Desk/lamp',
    capability: 'level',
    command: 'setLevel',
    status: 'success',
    response: {},
  });
  t.is((await place.run(['call', 'Desk/lamp', 'onOff.turnOn', ...phone])).stdout, 'done\n');
  t.is((await place.run(['get', 'Desk/lamp', 'level.level', ...phone])).stdout, '40 %\n');
  t.like(await place.json(['set', 'Desk/lamp', 'level.startupLevel', '7.5', ...phone]), { value: 7.5 });
  const all = (await place.json(['get', 'Desk/lamp', ...phone])) as readonly Record<string, unknown>[];
  t.like(
    all.find(({ attribute }) => attribute === 'on'),
    { address: 'Desk/lamp', capability: 'onOff', value: true, fresh: true },
  );
  t.like(
    all.find(({ attribute }) => attribute === 'startupLevel'),
    { value: 7.5, unit: '%' },
  );

  const pings = await place.run(['ping', 'Desk', '--count', '2', '--interval', '10ms', '--json', ...phone]);
  const replies = pings.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { readonly rtt: number | null });
  t.is(pings.status, 0);
  t.true(replies.length === 2 && replies.every(({ rtt }) => rtt !== null && rtt > 0));
  const explained = await place.json(['explain', 'Desk', ...phone]);
  t.like(explained, { name: 'Desk', nmn: 'connected' });
  t.true(['direct', 'relay'].includes((explained as { readonly path: string }).path));

  const watch = place.start(['watch', 'Desk/lamp', 'onOff.on', '--json', ...phone]);
  t.like(JSON.parse(await watch.line(/"attribute":"on"/)), { value: true, snapshot: true });
  t.is((await place.run(['call', 'Desk/lamp', 'onOff.turnOff', ...owner])).status, 0);
  t.like(JSON.parse(await watch.line(/"attribute":"on"/)), { value: false, snapshot: false });
  watch.kill('SIGINT');
  t.is((await watch.ended()).status, 130);

  t.like(await place.json(['doctor', ...phone]), { ok: true });
  t.like(await place.json(['revoke', 'Desk', '--reason', 'sold', ...owner]), { name: 'Desk', revoked: true });
  t.regex(await lamp.line(/^expelled/), /^expelled /);
  const left = (await place.json(['nodes', ...phone])) as readonly NodeLine[];
  t.is(
    left.find(({ name }) => name === 'Desk'),
    undefined,
  );

  t.deepEqual(await hitsOfRootKey(place.path('root.key'), place.path('nmn')), []);
  nmn.kill('SIGTERM');
  t.is((await nmn.ended()).status, 0);
  t.deepEqual(await hitsOfRootKey(place.path('root.key'), place.path('nmn')), []);
});

/** Files of a folder that hold the root key, as bytes or as text. */
async function hitsOfRootKey(rootFile: string, folder: string): Promise<readonly string[]> {
  const text = (await readFile(rootFile, 'utf8')).trim().split(' ')[2] ?? '';
  const seed = Buffer.from(text, 'base64url');
  if (seed.length !== 32) throw new Error('the root key file has another form than this test knows');
  const forms = [
    seed,
    Buffer.from(text),
    Buffer.from(seed.toString('hex')),
    Buffer.from(seed.toString('base64')),
  ];
  const hits: string[] = [];
  for (const name of await readdir(folder)) {
    // A socket cannot be read.
    const bytes = await readFile(join(folder, name)).catch(() => Buffer.alloc(0));
    if (forms.some(form => bytes.includes(form))) hits.push(name);
  }
  return hits;
}
