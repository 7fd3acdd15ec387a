import { level, onOff } from '@coconet/capabilities';
import type { DescriptionMessage } from '@coconet/capabilities';
import test from 'ava';
import { Access } from '../src/access.js';
import { DescriptionServer } from '../src/description-server.js';
import { DeviceTree } from '../src/device-tree.js';

const PEER = 7;

function bench(): {
  readonly server: DescriptionServer;
  readonly tree: DeviceTree;
  readonly device: { name: string };
  readonly drain: () => readonly DescriptionMessage[];
} {
  const device = { name: 'Desk' };
  const access = new Access(() => [{ nodeId: PEER, name: 'phone', kind: 'client', role: 'guest', user: '' }]);
  const tree: DeviceTree = new DeviceTree(
    { incarnation: new Uint8Array(8), firstVersion: 1 },
    {
      read: () => undefined,
      added: () => server.handleChange(),
      removed: () => server.handleChange(),
      redescribed: () => server.handleChange(),
    },
    () => 0,
    () => undefined,
  );
  const server = new DescriptionServer(tree, access, () => ({ name: device.name }));
  const drain = (): readonly DescriptionMessage[] => {
    const messages: DescriptionMessage[] = [];
    for (let next = server.poll(); next; next = server.poll()) {
      if (next.message.type === 'description') messages.push(next.message);
      next.settled(true);
    }
    return messages;
  };
  return { server, tree, device, drain };
}

test('whoever has asked once is told of every change, and of nothing else', t => {
  const { server, tree, device, drain } = bench();
  const lamp = tree.add('lamp', [onOff], {});
  server.handleDescribe(PEER, { type: 'describe', requestId: 1 });
  t.is(drain().length, 1);

  lamp.capability('onOff').set({ on: true });
  server.handleChange();
  const afterValue = drain();
  lamp.capability('onOff').handle({ toggle: () => undefined });
  const afterHandler = drain();
  device.name = 'Table';
  server.handleDeviceChange();
  const afterRename = drain();
  server.handleSessionEnd(PEER);
  tree.add('shelf', [level], {});

  t.deepEqual(afterValue, []);
  t.deepEqual(afterHandler[0]?.resources[0]?.capabilities[0]?.commands, [1, 10]);
  t.is(afterRename[0]?.device.name, 'Table');
  t.deepEqual(afterRename[0]?.resources, []);
  t.deepEqual(drain(), []);
});

test('who says what it knows gets what changed since', t => {
  const { server, tree, drain } = bench();
  tree.add('lamp', [onOff], {});
  const since = { stateIncarnation: tree.incarnation, version: tree.version };
  tree.add('shelf', [level], {});
  tree.remove('lamp');

  server.handleDescribe(PEER, { type: 'describe', requestId: 1, since });
  const [message] = drain();

  t.false(message!.full);
  t.deepEqual(
    message!.resources.map(({ resourceId }) => resourceId),
    ['shelf'],
  );
  t.deepEqual(message!.removed, ['lamp']);
});

test('a peer that asks faster than answers arrive is told to wait', t => {
  const { server } = bench();

  for (let requestId = 1; requestId <= 20; requestId++)
    server.handleDescribe(PEER, { type: 'describe', requestId });

  const refused: string[] = [];
  for (let next = server.poll(); next; next = server.poll())
    if (next.message.type === 'refused') refused.push(next.message.code);
  t.deepEqual(
    refused,
    Array.from({ length: 12 }, () => 'busy'),
  );
});
