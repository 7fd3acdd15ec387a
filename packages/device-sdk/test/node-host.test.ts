import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onOff } from '@coconet/capabilities';
import { wallTime } from '@coconet/cluster-protocol';
import { createNodeHost, openFileStore } from '@coconet/cluster-protocol/node';
import { smallNetwork, storeOf } from '@coconet/cluster-protocol/testing';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createDevice } from '../src/index.js';

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'coconet-device-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A folder with the membership of a device in it. */
async function joinedFolder(t: ExecutionContext): Promise<string> {
  const path = join(await folder(t), 'data');
  const host = await createNodeHost();
  const network = smallNetwork(host.crypto, host.random, wallTime(host.wallTime() - 60_000), [
    { name: 'Desk', kind: 'device' },
  ]);
  const store = await openFileStore(path);
  await store.write(storeOf(network, 'Desk'));
  await store.close();
  return path;
}

test('a device opens its folder, keeps what persists, and is the same at the next start', async t => {
  const store = await joinedFolder(t);
  const first = await createDevice({ store });
  const { nodeId } = first;
  first.addResource('lamp', [onOff]).onOff.set({ on: true });
  await first.close();

  await using second = await createDevice({ store });

  t.is(second.nodeId, nodeId);
  t.is(second.name, 'Desk');
  t.true(second.addResource('lamp', [onOff]).onOff.get('on'));
});

test('a folder that is in use is refused with what to do about it', async t => {
  const store = await joinedFolder(t);
  await using _device = await createDevice({ store });

  const error = await t.throwsAsync(createDevice({ store }), {
    message: /stop that one, or give this device a store/,
  });

  t.like(error, { code: 'STORE_IN_USE' });
});

test('what cannot be opened leaves nothing open', async t => {
  const store = join(await folder(t), 'data');

  for (const [options, code] of [
    [{}, 'NOT_A_MEMBER'],
    [{ join: 'https://example.org' }, 'JOIN_URI_INVALID'],
    [{ name: 'Desk/lamp' }, 'INVALID_OPTION'],
    [{ port: 70_000 }, 'INVALID_OPTION'],
    [{ transport: { rekeyAfter: 1_000 } }, 'INVALID_OPTION'],
    [{ signal: AbortSignal.abort() }, 'CANCELLED'],
  ] as const)
    t.like(await t.throwsAsync(createDevice({ store, ...options })), { code });
});

test('a port in use is an error that names it', async t => {
  const stores = [await joinedFolder(t), await joinedFolder(t)] as const;
  const host = await createNodeHost();
  await using _first = await createDevice({ store: stores[0] });
  const reserved = await host.run(
    {
      handleDatagram: () => undefined,
      handleSendError: () => undefined,
      handleLinks: () => undefined,
      handleTimeout: () => undefined,
      pollTransmit: () => undefined,
      pollEvent: () => undefined,
      pollTimeout: () => undefined,
    },
    {},
    () => undefined,
  );
  t.teardown(() => reserved.close());
  const port = reserved.links[0]!.port;

  const error = await t.throwsAsync(createDevice({ store: stores[1], port }));

  t.like(error, { code: 'PORT_IN_USE' });
  t.true(error.message.includes(String(port)));
});
