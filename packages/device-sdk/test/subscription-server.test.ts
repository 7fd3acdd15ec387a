import { defineCapability, t as type } from '@coconet/capabilities';
import type { DeviceMessage, SubscribeMessage } from '@coconet/capabilities';
import { instant } from '@coconet/cluster-protocol';
import type { MemberReport } from '@coconet/cluster-protocol';
import test from 'ava';
import { Access } from '../src/access.js';
import { DeviceTree } from '../src/device-tree.js';
import { SubscriptionServer } from '../src/subscription-server.js';

const PEER = 7;
const NOW = instant(0);

const safe = defineCapability({
  id: 'org.coconet.test.safe',
  name: 'safe',
  title: 'A box that opens',
  revision: 1,
  tier: 'vendor',
  attributes: {
    open: { id: 1, type: type.bool() },
    code: { id: 2, type: type.string(), minimumRole: 'owner' },
  },
});

const SUBSCRIBE: SubscribeMessage = { type: 'subscribe', subscriptionId: 1, filter: {} };

function bench(): {
  readonly server: SubscriptionServer;
  readonly tree: DeviceTree;
  readonly become: (role: MemberReport['role']) => void;
  readonly drain: () => readonly DeviceMessage[];
} {
  let role: MemberReport['role'] = 'guest';
  const access = new Access(() => [{ nodeId: PEER, name: 'phone', kind: 'client', role, user: '' }]);
  const tree: DeviceTree = new DeviceTree(
    { incarnation: new Uint8Array(8), firstVersion: 1 },
    {
      read: (cells, events, at) => server.handleReadings(NOW, cells, events, at),
      added: resource => server.handleAdded(resource),
      removed: resource => server.handleRemoved(resource),
      redescribed: () => undefined,
    },
    () => 0,
    () => undefined,
  );
  const server = new SubscriptionServer(tree, access);
  return {
    server,
    tree,
    become: next => {
      role = next;
      if (access.refresh(PEER, tree.version)) server.handleRole(PEER);
    },
    drain: () => {
      const messages: DeviceMessage[] = [];
      for (let next = server.poll(NOW); next; next = server.poll(NOW)) {
        messages.push(next.message);
        next.settled(true);
      }
      return messages;
    },
  };
}

const attributesOf = (message: DeviceMessage | undefined): readonly number[] =>
  message?.type === 'report' ? message.entries.map(({ attributeId }) => attributeId) : [];

test('a peer whose role changes is shown anew what it may see, and a resume from before is not built upon', t => {
  const { server, tree, become, drain } = bench();
  tree.add('box', [safe], {});
  server.handleSubscribe(PEER, SUBSCRIBE);
  const before = drain();
  const resume = { stateIncarnation: tree.incarnation, version: tree.version };
  tree.resources.get('box')!.capability('safe').set({ code: '1234' });

  become('owner');
  const asOwner = drain();
  server.handleSubscribe(PEER, { ...SUBSCRIBE, resume });
  const [resumed] = drain();
  become('none');
  const asNobody = drain();

  t.deepEqual(attributesOf(before[0]), [1]);
  t.deepEqual(attributesOf(asOwner[0]), [1, 2]);
  t.true(resumed?.type === 'report' && resumed.snapshot);
  t.deepEqual(asNobody, [{ type: 'refused', what: 'subscription', id: 1, code: 'permissionDenied' }]);
  t.is(server.size, 0);
});

test('a subscription whose message is lost for good is ended, so that its watcher begins again', t => {
  const { server, tree } = bench();
  tree.add('box', [safe], {});
  server.handleSubscribe(PEER, SUBSCRIBE);

  server.poll(NOW)!.settled(false);

  t.deepEqual(server.poll(NOW)?.message, {
    type: 'refused',
    what: 'subscription',
    id: 1,
    code: 'connectivityError',
  });
  t.is(server.size, 0);
});

test('until a report has arrived the next one waits, and then says everything at once', t => {
  const { server, tree } = bench();
  const box = tree.add('box', [safe], {});
  server.handleSubscribe(PEER, SUBSCRIBE);
  const first = server.poll(NOW)!;

  for (const open of [true, false, true]) box.capability('safe').set({ open });
  const meanwhile = server.poll(NOW);
  first.settled(true);
  const second = server.poll(NOW)!.message;

  t.is(meanwhile, undefined);
  t.true(second.type === 'report' && second.entries.length === 1 && second.entries[0]!.value === true);
});

test('what has ended leaves nothing behind', t => {
  const { server, tree, drain } = bench();
  for (let id = 1; id <= 50; id++) server.handleSubscribe(PEER, { ...SUBSCRIBE, subscriptionId: id });
  tree.add('box', [safe], {});
  drain();

  tree.remove('box');
  server.handleSessionEnd(PEER);

  t.is(server.size, 0);
  t.deepEqual(drain(), []);
  t.is(server.pollTimeout(), undefined);
});
