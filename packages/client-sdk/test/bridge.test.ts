import test from 'ava';
import { acquireStoreLock, JsonLineClient } from '@coconet/cluster-protocol/node';
import { connect } from '../src/index.js';
import { openFlat } from './support/flat.js';
import { caught } from './support/house.js';

test('a program in any language reads, commands and watches with names and JSON values', async t => {
  const flat = await openFlat(t);
  const holder = await connect({ store: flat.store });
  t.teardown(() => holder.close());
  const lock = await acquireStoreLock(flat.store);
  t.false(lock.held);
  if (lock.held) return;
  const client = new JsonLineClient(await lock.connect());
  t.teardown(() => client.close());
  const address = 'Desk/lamp';

  const info = await client.request('info');
  const before = await client.request('read', { address, capability: 'onOff' });
  const response = await client.request('command', { address, capability: 'onOff', command: 'turnOn' });
  const resources = (await client.request('resources')) as { address: string }[];
  const nodes = (await client.request('nodes')) as { name: string }[];
  const explanation = await client.request('explain', { node: 'Desk' });
  const reports: unknown[] = [];
  for await (const batch of client.stream('watch', { address, capabilities: ['onOff'] })) {
    reports.push(...(batch as unknown[]));
    break;
  }

  t.like(info, { version: 1, name: 'phone', role: 'guest', nmn: 'away' });
  t.like(before, { values: { on: false, startupBehavior: null } });
  t.deepEqual(response, {});
  t.deepEqual(
    resources.map(each => each.address),
    [address],
  );
  t.true(nodes.some(({ name }) => name === 'Desk'));
  t.like(explanation, { path: 'direct' });
  t.like(reports[0], { address, capability: 'onOff', attribute: 'on', value: true, snapshot: true });
  t.deepEqual(flat.runs, ['turnOn']);
});

test('what such a program gets wrong has the code that the SDK would throw', async t => {
  const flat = await openFlat(t);
  const holder = await connect({ store: flat.store });
  t.teardown(() => holder.close());
  const lock = await acquireStoreLock(flat.store);
  if (lock.held) return;
  const client = new JsonLineClient(await lock.connect());
  t.teardown(() => client.close());
  const address = 'Desk/lamp';
  const codeOf = async (method: string, params: Record<string, unknown>): Promise<string> =>
    (await caught(client.request(method, params))).code;

  t.is(await codeOf('read', { capability: 'onOff' }), 'INVALID_OPTION');
  t.is(await codeOf('read', { address: 'Desk', capability: 'onOff' }), 'ADDRESS_INVALID');
  t.is(await codeOf('read', { address, capability: 'onoff' }), 'CAPABILITY_MISSING');
  t.is(await codeOf('command', { address, capability: 'onOff', command: 'trunOn' }), 'UNKNOWN_COMMAND');
  t.is(
    await codeOf('command', { address, capability: 'level', command: 'setLevel', params: { level: 140 } }),
    'VALUE_OUT_OF_RANGE',
  );
  t.is(await codeOf('write', { address, capability: 'onOff', values: { on: true } }), 'NOT_WRITABLE');
  t.is(await codeOf('explain', { node: {} }), 'INVALID_OPTION');
  t.is(await codeOf('explain', { node: 'Dsek' }), 'UNKNOWN_NODE');
  t.is(await codeOf('admin.createInvitation', { kind: 'toaster' }), 'INVALID_OPTION');
  t.is(await codeOf('sdk.call', { call: 'x', nodeId: 1, request: 3 }), 'INVALID_OPTION');
  t.deepEqual(flat.runs, []);
});
