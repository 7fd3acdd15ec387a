import {
  type ClusterEvent,
  formatJoinUri,
  MemberRuntime,
  MemoryStore,
  type NodeKind,
  parseJoinUri,
  seconds,
} from '@coconet/cluster-protocol/core';
import type { SimulatedHost } from '@coconet/cluster-protocol/testing';
import test from 'ava';

import { crypto, home } from '../support/simulated-home.js';
import { resolve } from '../support/members.js';
import { NMN_PORT, startNmn } from '../support/simulated-nmn.js';

type Home = Awaited<ReturnType<typeof home>>;

interface Member {
  readonly runtime: MemberRuntime;
  readonly events: ClusterEvent[];
  readonly notices: string[];
}

async function open(
  { during }: Home,
  host: SimulatedHost,
  store: MemoryStore,
  join?: string,
  kind: NodeKind = 'device',
): Promise<Member> {
  const notices: string[] = [];
  const options = { host, store, join, kind, resolve, allowDocumentationAddresses: true };
  const runtime = await during(MemberRuntime.open({ ...options, notice: text => notices.push(text) }));
  const events: ClusterEvent[] = [];
  runtime.on(event => events.push(event));
  return { runtime, events, notices };
}

const isConnected = ({ events }: Member): boolean =>
  events.some(event => event.kind === 'nmn' && event.state === 'connected');

test('a URI with the new address of an NMN that moved is learnt for good, beside the old one', async t => {
  const town = await home(11);
  const { world, nmn, newUri, during } = town;
  const lamp = world.host({ name: 'lamp' });
  const store = new MemoryStore();
  const first = await newUri('lamp');
  const before = await open(town, lamp, store, first);
  await during(before.runtime.close());
  nmn.host.crash();
  const elsewhere = world.host({ name: 'elsewhere' });
  startNmn(crypto, elsewhere, nmn.life);
  const moved = { host: elsewhere.address(NMN_PORT).host, port: NMN_PORT };
  const uri = formatJoinUri({ ...parseJoinUri(first), hosts: [moved] });

  const after = await open(town, lamp, store, uri);
  await world.until(() => isConnected(after), seconds(15), 'the NMN at its new address');
  const hosts = after.runtime.nmnHosts;
  await during(after.runtime.close());
  const later = await open(town, lamp, store);
  await world.until(() => isConnected(later), seconds(15), 'the new address without the URI');

  t.deepEqual(hosts, [moved, ...parseJoinUri(first).hosts]);
  t.deepEqual(later.runtime.nmnHosts, hosts);
});

test('the old URI, and one that names another NMN, change nothing of what is known', async t => {
  const town = await home(12);
  const { world, newUri, during } = town;
  const lamp = world.host({ name: 'lamp' });
  const store = new MemoryStore();
  const first = await newUri('lamp');
  await during((await open(town, lamp, store, first)).runtime.close());
  const uri = parseJoinUri(first);
  const hosts = [{ host: '198.51.100.9', port: 1 }];
  const nmnKey = crypto.dhKeyPair(new Uint8Array(32).fill(77)).publicKey;

  const same = await open(town, lamp, store, first);
  await during(same.runtime.close());
  const other = await open(town, lamp, store, formatJoinUri({ ...uri, hosts, nmnKey }));

  t.deepEqual(same.runtime.nmnHosts, uri.hosts);
  t.deepEqual(other.runtime.nmnHosts, uri.hosts);
  t.regex(other.notices.join(), /another NMN/);
});

test('a URI of another network names both networks and leaves the store as it was', async t => {
  const town = await home(13);
  const { world, newUri, during } = town;
  const lamp = world.host({ name: 'lamp' });
  const store = new MemoryStore();
  const first = await newUri('lamp');
  await during((await open(town, lamp, store, first)).runtime.close());
  const network = new Uint8Array(16).fill(1);
  const elsewhere = formatJoinUri({ ...parseJoinUri(first), network, name: 'Work' });

  await t.throwsAsync(open(town, lamp, store, elsewhere), {
    code: 'WRONG_NETWORK',
    message:
      /of the network Work \(AQEBAQEBAQEBAQEBAQEBAQ\), and this store belongs to the network [\w-]{22}/,
  });

  const again = await open(town, lamp, store, first);
  t.deepEqual(again.runtime.nmnHosts, parseJoinUri(first).hosts);
});
