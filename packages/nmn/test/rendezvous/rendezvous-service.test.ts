import { milliseconds } from '@coconet/cluster-protocol/core';
import { SeededRandom } from '@coconet/cluster-protocol/testing';
import type { SocketAddress } from '@coconet/cluster-protocol/wire';
import test from 'ava';

import { RelayService } from '../../src/relay/relay-service.js';
import {
  type MeetingRules,
  type RendezvousOptions,
  RendezvousService,
} from '../../src/rendezvous/rendezvous-service.js';
import { address, at, on, provider } from '../support/surroundings.js';

const everybodyMayMeet: MeetingRules = { isMember: (_, nodeId) => nodeId < 100, mayMeet: () => true };

interface Scene {
  readonly rendezvous: RendezvousService<number>;
  readonly relay: RelayService;
}

function scene(rules = everybodyMayMeet, options: Partial<RendezvousOptions> = {}): Scene {
  const relay = new RelayService(provider, new SeededRandom(1));
  return { relay, rendezvous: new RendezvousService<number>(relay, rules, options) };
}

interface Arrival {
  readonly now?: number;
  readonly session?: number;
  readonly from?: SocketAddress;
  readonly networkKey?: string;
  readonly roundTrip?: number;
}

function arrive(rendezvous: RendezvousService<number>, nodeId: number, arrival: Arrival = {}): void {
  const { now = 0, session = nodeId, networkKey = 'home', roundTrip } = arrival;
  rendezvous.handleOnline(at(now), on(now), {
    network: new Uint8Array(16),
    networkKey,
    nodeId,
    session,
    link: 0,
    address: arrival.from ?? address('203.0.113.1', 1000 + nodeId),
    roundTrip: roundTrip === undefined ? undefined : milliseconds(roundTrip),
  });
}

test('two members who are there get a lease and each other’s observed address', t => {
  const { rendezvous } = scene();
  arrive(rendezvous, 1);
  arrive(rendezvous, 2, { from: address('198.51.100.9', 5000) });

  const introduction = rendezvous.connect(at(0), 'home', 1, 2);

  t.true(introduction.introduced);
  if (!introduction.introduced) return;
  t.is(introduction.peer.session, 2);
  t.deepEqual(introduction.peer.observed, [address('198.51.100.9', 5000)]);
  t.deepEqual(introduction.requester.observed, [address('203.0.113.1', 1001)]);
  t.not(introduction.requesterLease.channel, introduction.peerLease.channel);
});

const refusals: readonly (readonly [string, number, string])[] = [
  ['somebody who is no member', 200, 'unknownPeer'],
  ['oneself', 1, 'unknownPeer'],
  ['a member who is away', 3, 'away'],
  ['a member one may not meet', 4, 'notPermitted'],
];
for (const [who, peer, reason] of refusals) {
  test(`asking for ${who} is refused as ${reason}`, t => {
    const { rendezvous, relay } = scene({ ...everybodyMayMeet, mayMeet: (_, a, b) => a !== 4 && b !== 4 });
    arrive(rendezvous, 1);
    arrive(rendezvous, 4);

    t.deepEqual(rendezvous.connect(at(0), 'home', 1, peer), { introduced: false, reason });
    t.deepEqual(rendezvous.punch(at(0), 'home', 1, peer), { planned: false, reason });
    t.is(relay.counters.leases, 0);
  });
}

test('a member of another network is not there, whatever its node id', t => {
  const { rendezvous } = scene();
  arrive(rendezvous, 1);
  arrive(rendezvous, 2, { networkKey: 'office' });

  t.deepEqual(rendezvous.connect(at(0), 'home', 1, 2), { introduced: false, reason: 'away' });
});

test('who asks too often is refused, and so is asking too often for one node', t => {
  const { rendezvous } = scene(everybodyMayMeet, {
    asking: { perSecond: 1, capacity: 3 },
    beingAsked: { perSecond: 1, capacity: 4 },
  });
  for (const nodeId of [1, 2, 3]) arrive(rendezvous, nodeId);

  const mine = [1, 2, 3, 4].map(() => rendezvous.connect(at(0), 'home', 1, 2).introduced);
  const others = [1, 2].map(() => rendezvous.connect(at(0), 'home', 3, 2).introduced);

  t.deepEqual(mine, [true, true, true, false]);
  t.deepEqual(others, [true, false]);
  t.true(rendezvous.connect(at(1_000), 'home', 1, 2).introduced);
});

test('both sides of a punch begin at the same moment', t => {
  const { rendezvous } = scene();
  arrive(rendezvous, 1, { roundTrip: 20 });
  arrive(rendezvous, 2, { roundTrip: 200 });

  const plan = rendezvous.punch(at(0), 'home', 1, 2);

  t.true(plan.planned);
  if (!plan.planned) return;
  const [near, far] = plan.sides;
  t.is(near.startIn + 10, far.startIn + 100);
  t.true(far.startIn >= 0);
  t.is(near.peer, 2);
  t.is(far.session, 2);
});

test('a wrong measurement delays a punch by no more than two seconds', t => {
  const { rendezvous } = scene();
  arrive(rendezvous, 1, { roundTrip: 1e9 });
  arrive(rendezvous, 2, { roundTrip: -5 });

  const plan = rendezvous.punch(at(0), 'home', 1, 2);

  t.true(plan.planned && plan.sides.every(side => side.startIn >= 0 && side.startIn <= 2_000));
});

test('a moved session brings the new address, and remembers at most four', t => {
  const { rendezvous } = scene();
  arrive(rendezvous, 1);
  arrive(rendezvous, 2);

  for (let port = 1; port <= 6; port++)
    rendezvous.handleAddress('home', 2, 2, 0, address('198.51.100.1', port));
  rendezvous.handleAddress('home', 2, 999, 0, address('198.51.100.1', 77));

  const introduction = rendezvous.connect(at(0), 'home', 1, 2);
  t.true(introduction.introduced);
  if (!introduction.introduced) return;
  t.deepEqual(
    introduction.peer.observed.map(seen => seen.port),
    [6, 5, 4, 3],
  );
});

test('an address that no datagram can be sent to is never told', t => {
  const { rendezvous } = scene();
  arrive(rendezvous, 1);
  arrive(rendezvous, 2, { from: address('224.0.0.1', 5) });
  for (const host of ['0.0.0.0', '255.255.255.255', 'ff02::1', '::'])
    rendezvous.handleAddress('home', 2, 2, 0, address(host, 5));

  const introduction = rendezvous.connect(at(0), 'home', 1, 2);

  t.deepEqual(introduction.introduced && introduction.peer.observed, []);
});

test('coming is told at once, going after a while, and a short absence not at all', t => {
  const { rendezvous } = scene();
  const told: string[] = [];
  const listen = (now: number): void => {
    rendezvous.handleTimeout(at(now));
    for (let change = rendezvous.pollPresence(); change; change = rendezvous.pollPresence())
      told.push(`${now} ${change.nodeId} ${change.online ? 'online' : 'away'}`);
  };

  arrive(rendezvous, 1);
  listen(0);
  rendezvous.handleOffline(at(10_000), on(10_000), 'home', 1, 1);
  listen(10_001);
  arrive(rendezvous, 1, { now: 11_000, session: 5 });
  listen(20_000);
  rendezvous.handleOffline(at(30_000), on(30_000), 'home', 1, 5);
  listen(32_999);
  listen(33_000);

  t.deepEqual(told, ['0 1 online', '33000 1 away']);
  t.is(rendezvous.pollTimeout(), undefined);
});

test('a flapping node is told of at most once in three seconds', t => {
  const { rendezvous } = scene();
  let told = 0;

  for (let now = 0; now < 60_000; now += 100) {
    if ((now / 100) % 2 === 0) arrive(rendezvous, 1, { now });
    else rendezvous.handleOffline(at(now), on(now), 'home', 1, 1);
    rendezvous.handleTimeout(at(now));
    while (rendezvous.pollPresence()) told++;
  }

  t.true(told <= 20, `${told}`);
});

test('the end of a session that was replaced changes nothing', t => {
  const { rendezvous } = scene();
  arrive(rendezvous, 1, { session: 10 });
  arrive(rendezvous, 1, { session: 11 });

  rendezvous.handleOffline(at(1), on(1), 'home', 1, 10);

  t.is(rendezvous.online('home', 1)?.session, 11);
});

test('a revoked node is gone at once, with its leases and without a word about it', t => {
  const { rendezvous, relay } = scene();
  arrive(rendezvous, 1);
  arrive(rendezvous, 2);
  rendezvous.connect(at(0), 'home', 1, 2);
  while (rendezvous.pollPresence());

  rendezvous.handleRevoked('home', 2);
  rendezvous.handleTimeout(at(60_000));

  t.is(rendezvous.online('home', 2), undefined);
  t.is(relay.counters.leases, 0);
  t.is(rendezvous.pollPresence(), undefined);
  t.deepEqual(
    rendezvous.presence('home').map(change => change.nodeId),
    [1],
  );
});
