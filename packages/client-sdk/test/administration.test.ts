import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { onOff } from '@coconet/capabilities';
import { createDevice } from '../../device-sdk/src/index.js';
import { type RunningNmn, startNmn } from '../../nmn/src/index.js';
import { connect, createNetwork, type Network } from '../src/index.js';
import { caught } from './support/house.js';

interface Site {
  readonly folder: string;
  readonly nmn: RunningNmn;
}

async function openSite(t: ExecutionContext): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'coconet-admin-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const nmn = await startNmn({
    config: {
      dataFolder: join(folder, 'nmn'),
      listen: { port: 0, bind: ['127.0.0.1'] },
      http: { port: 0 },
    },
  });
  t.teardown(() => nmn.close());
  return { folder, nmn };
}

async function ownerOf(t: ExecutionContext, { folder, nmn }: Site): Promise<Network> {
  const store = join(folder, 'owner');
  const rootFile = join(folder, 'root.key');
  await createNetwork({ operator: await nmn.operatorUri(), name: 'Home', user: 'me', store, rootFile });
  const network = await connect({ store });
  t.teardown(() => network.close());
  return network;
}

test('a network is made with its root key in a file of its own, and its owner invites a device and an admin', async t => {
  const site = await openSite(t);
  const network = await ownerOf(t, site);
  const rootFile = join(site.folder, 'root.key');

  t.is(network.role, 'owner');
  t.is(network.name, 'me');
  t.regex(await readFile(rootFile, 'utf8'), /^coconet-root-key-v1 \S+ \S+\n$/);
  if (process.platform !== 'win32') t.is((await stat(rootFile)).mode & 0o777, 0o600);

  const invited = await network.admin.createInvitation({ kind: 'device', name: 'Desk' });
  const device = await createDevice({ join: invited.uri, store: join(site.folder, 'Desk') });
  t.teardown(() => device.close());
  const runs: string[] = [];
  device.addResource('lamp', [onOff]).onOff.handle({ turnOn: () => void runs.push('on') });
  const lamp = await network.resource('Desk/lamp', [onOff]);
  await lamp.onOff.turnOn();
  t.is(device.nodeId, invited.nodeId);
  t.deepEqual(runs, ['on']);

  const { uri } = await network.admin.createInvitation({
    kind: 'client',
    role: 'admin',
    name: 'tablet',
    user: 'you',
  });
  const tablet = await connect({ join: uri, store: join(site.folder, 'tablet') });
  t.teardown(() => tablet.close());
  t.is(tablet.role, 'admin');
  const phone = await tablet.admin.createInvitation({ kind: 'client', name: 'phone' });
  const guest = await connect({ join: phone.uri, store: join(site.folder, 'phone') });
  t.teardown(() => guest.close());
  t.is(guest.role, 'guest');
  const refused = await caught(guest.admin.createInvitation({ kind: 'device' }));
  t.is(refused.code, 'ADMIN_REFUSED', refused.message);
  const again = await caught(connect({ join: phone.uri, store: join(site.folder, 'other') }));
  t.is(again.code, 'JOIN_REFUSED', again.message);
});

test('a revoked node is cut off at once and told so; one that leaves is gone, and its store is empty', async t => {
  const site = await openSite(t);
  const network = await ownerOf(t, site);
  const join1 = await network.admin.createInvitation({ kind: 'client', name: 'phone' });
  const join2 = await network.admin.createInvitation({ kind: 'client', name: 'tablet' });
  const phone = await connect({ join: join1.uri, store: join(site.folder, 'phone') });
  t.teardown(() => phone.close());
  const tablet = await connect({ join: join2.uri, store: join(site.folder, 'tablet') });
  const nodes = (async () => {
    for await (const { node } of phone.watchNodes()) t.true(node.nodeId > 0);
  })();

  await network.admin.revoke('phone', 'lost');
  t.is((await caught(nodes)).code, 'EXPELLED');
  t.is((await caught(phone.resource('Desk/lamp'))).code, 'EXPELLED');
  await tablet.admin.leave();
  await tablet.close();
  for await (const { node } of network.watchNodes()) {
    t.true(node.nodeId > 0);
    if (!network.nodes().some(({ name }) => name === 'phone' || name === 'tablet')) break;
  }

  t.is((await caught(connect({ store: join(site.folder, 'tablet') }))).code, 'NOT_A_MEMBER');
  const owner = await caught(network.admin.leave());
  t.is(owner.code, 'ADMIN_REFUSED', owner.message);
});

test('a network is made through the local socket; a file or store that is in use is never written over', async t => {
  const { folder } = await openSite(t);
  const localSocket = join(folder, 'nmn', 'admin.sock');
  const rootFile = join(folder, 'root.key');
  const store = join(folder, 'owner');
  const made = await createNetwork({ localSocket, name: 'Home', user: 'me', store, rootFile });
  const key = await readFile(rootFile, 'utf8');

  const file = await caught(
    createNetwork({ localSocket, name: 'Home', user: 'me', store: join(folder, 'other'), rootFile }),
  );
  const membership = await caught(
    createNetwork({ localSocket, name: 'Home', user: 'me', store, rootFile: join(folder, 'root2.key') }),
  );

  t.is(made.networkId.length, 22);
  t.is(file.code, 'FILE_EXISTS');
  t.is(membership.code, 'FILE_EXISTS');
  t.is(await readFile(rootFile, 'utf8'), key);
  await t.throwsAsync(stat(join(folder, 'root2.key')));
});

test('an operator URI works once, and a refused creation leaves no key behind', async t => {
  const { folder, nmn } = await openSite(t);
  const operator = await nmn.operatorUri();
  const base = { operator, name: 'Home', user: 'me' };
  await createNetwork({ ...base, store: join(folder, 'a'), rootFile: join(folder, 'a.key') });

  const error = await caught(
    createNetwork({ ...base, store: join(folder, 'b'), rootFile: join(folder, 'b.key') }),
  );

  t.true(['ADMIN_REFUSED', 'JOIN_REFUSED'].includes(error.code), `${error.code} ${error.message}`);
  await t.throwsAsync(stat(join(folder, 'b.key')));
});
