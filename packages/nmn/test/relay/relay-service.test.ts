import { randomBytes } from '@coconet/cluster-protocol/core';
import { SeededRandom } from '@coconet/cluster-protocol/testing';
import {
  firstByte,
  relayChannel,
  type SocketAddress,
  writeRelayHeader,
} from '@coconet/cluster-protocol/wire';
import test from 'ava';
import fc from 'fast-check';

import type { RelayOptions } from '../../src/relay/relay-options.js';
import { type LeaseEnd, type RelayParty, RelayService } from '../../src/relay/relay-service.js';
import { address, at, provider } from '../support/surroundings.js';

const lampAddress = address('203.0.113.1', 1001);
const phoneAddress = address('203.0.113.2', 1002);
const strangerAddress = address('203.0.113.3', 1003);

const party = (nodeId: number, from: SocketAddress, networkKey = 'home'): RelayParty => ({
  network: new Uint8Array(16).fill(networkKey.length),
  networkKey,
  nodeId,
  link: 0,
  address: from,
});

const lamp = party(1, lampAddress);
const phone = party(2, phoneAddress);

const relay = (options: Partial<RelayOptions> = {}, seed = 1): RelayService =>
  new RelayService(provider, new SeededRandom(seed), options);

/** A relayed data packet of `size` bytes. */
function packet(channel: number, size = 100): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes[writeRelayHeader(bytes, channel)] = firstByte('data');
  return bytes;
}

function leaseOf(service: RelayService, now = 0, a = lamp, b = phone): [LeaseEnd, LeaseEnd] {
  const grant = service.grant(at(now), a, b);
  if (!grant.granted) throw new Error(grant.reason);
  return [grant.first, grant.second];
}

test('a packet goes to the other end with that end’s channel, the rest untouched', t => {
  const service = relay();
  const [first, second] = leaseOf(service);
  const bytes = packet(first.channel);
  const inner = bytes.slice(5);

  const outcome = service.forward(at(1), 0, lampAddress, bytes);

  t.like(outcome, { link: 0, address: phoneAddress });
  t.not(first.channel, second.channel);
  t.is(relayChannel(bytes), second.channel);
  t.deepEqual(bytes.slice(5), inner);
  t.like(service.counters, { leases: 1, forwardedPackets: 1, forwardedBytes: 100 });
});

test('the way back works with the other channel', t => {
  const service = relay();
  const [first, second] = leaseOf(service);
  const bytes = packet(second.channel);

  t.like(service.forward(at(1), 0, phoneAddress, bytes), { address: lampAddress });
  t.is(relayChannel(bytes), first.channel);
});

test('nobody but the bound address and link may use a channel', t => {
  const service = relay();
  const [first] = leaseOf(service);

  t.is(service.forward(at(1), 0, strangerAddress, packet(first.channel)), 'notPermitted');
  t.is(service.forward(at(1), 0, phoneAddress, packet(first.channel)), 'notPermitted');
  t.is(service.forward(at(1), 7, lampAddress, packet(first.channel)), 'notPermitted');
  t.is(service.forward(at(1), 0, lampAddress, packet(first.channel ^ 1)), 'unknownChannel');
  t.is(service.counters.dropped.notPermitted, 3);
});

test('only packets of ours are carried, and none that asks to be relayed again', t => {
  const service = relay();
  const [first] = leaseOf(service);
  const dns = packet(first.channel);
  dns[5] = 0x00;
  const nested = packet(first.channel);
  nested[5] = firstByte('relay');

  t.is(service.forward(at(1), 0, lampAddress, dns), 'malformed');
  t.is(service.forward(at(1), 0, lampAddress, nested), 'malformed');
  t.is(service.forward(at(1), 0, lampAddress, packet(first.channel).subarray(0, 5)), 'malformed');
});

test('no bytes at all make it throw', t => {
  const service = relay();
  leaseOf(service);

  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), bytes => {
        service.forward(at(1), 0, lampAddress, bytes);
      }),
    ),
  );
});

test('a lease ends after its life unless both ends renew it', t => {
  const service = relay();
  const [first, second] = leaseOf(service);

  t.is(Number(first.lifetime), 600_000);
  t.truthy(service.renew(at(300_000), lamp, first.channel, first.token));
  t.like(service.forward(at(599_999), 0, lampAddress, packet(first.channel)), { address: phoneAddress });
  t.is(service.forward(at(600_001), 0, lampAddress, packet(first.channel)), 'unknownChannel');
  t.is(service.renew(at(600_001), phone, second.channel, second.token), undefined, 'too late');
});

test('a lease that both ends renew lives on', t => {
  const service = relay();
  let [first, second] = leaseOf(service);
  for (let now = 300_000; now < 3_600_000; now += 300_000) {
    first = service.renew(at(now), lamp, first.channel, first.token)!;
    second = service.renew(at(now), phone, second.channel, second.token)!;
  }

  t.like(service.forward(at(3_600_000), 0, lampAddress, packet(first.channel)), { address: phoneAddress });
});

test('a renewal needs the token that was given last, for this node, channel and address', t => {
  const service = relay();
  const [first, second] = leaseOf(service);
  const forged = first.token.slice();
  forged[0] = forged[0]! ^ 1;

  t.is(service.renew(at(1), lamp, first.channel, forged), undefined);
  t.is(service.renew(at(1), phone, first.channel, first.token), undefined, 'the other node');
  t.is(service.renew(at(1), lamp, second.channel, first.token), undefined, 'the other channel');
  t.is(service.renew(at(1), lamp, first.channel, new Uint8Array(0)), undefined);
  const renewed = service.renew(at(5), lamp, first.channel, first.token)!;
  t.is(service.renew(at(6), lamp, first.channel, first.token), undefined, 'an old token');
  t.truthy(service.renew(at(6), lamp, first.channel, renewed.token));
});

test('a renewal from another validated address binds the lease to it', t => {
  const service = relay();
  const [first, second] = leaseOf(service);
  const moved = party(1, strangerAddress);

  t.truthy(service.renew(at(1), moved, first.channel, first.token));

  t.like(service.forward(at(2), 0, phoneAddress, packet(second.channel)), { address: strangerAddress });
  t.is(service.forward(at(2), 0, lampAddress, packet(first.channel)), 'notPermitted');
});

test('a session that moved takes all leases of its node along', t => {
  const service = relay();
  const [, second] = leaseOf(service);

  service.rebind(party(1, strangerAddress));

  t.like(service.forward(at(2), 0, phoneAddress, packet(second.channel)), { address: strangerAddress });
});

test('asking again for the same peer gives the same lease, longer', t => {
  const service = relay();
  const [first] = leaseOf(service);

  const [again, theirs] = leaseOf(service, 200_000, phone, lamp);

  t.is(theirs.channel, first.channel);
  t.is(again.expiresAt, at(800_000));
  t.is(service.counters.leases, 1);
});

test('members of two networks, and a node and itself, get no lease', t => {
  const service = relay();

  t.deepEqual(service.grant(at(0), lamp, party(2, phoneAddress, 'other')), {
    granted: false,
    reason: 'otherNetwork',
  });
  t.deepEqual(service.grant(at(0), lamp, lamp), { granted: false, reason: 'sameNode' });
});

test('a revoked node loses its leases at once, and release needs to be the owner’s', t => {
  const service = relay();
  const [first, second] = leaseOf(service);

  t.is(service.release(party(3, strangerAddress), first.channel), 'notPermitted');
  service.revoke(lamp);

  t.is(service.forward(at(1), 0, phoneAddress, packet(second.channel)), 'unknownChannel');
  t.is(service.counters.leases, 0);
});

test('a node gives its lease back', t => {
  const service = relay();
  const [first, second] = leaseOf(service);

  t.is(service.release(lamp, first.channel), undefined);

  t.is(service.forward(at(1), 0, lampAddress, packet(first.channel)), 'unknownChannel');
  t.is(service.release(phone, second.channel), undefined, 'the other end comes too late, which is no fault');
  t.like(service.counters, { leases: 0, channels: 0 });
});

test('leases are bounded per node, per network and in all', t => {
  const perNode = relay({ leasesPerNode: 2 });
  const perNetwork = relay({ leasesPerNetwork: 1 });
  const all = relay({ leases: 1 });
  const other = (id: number): RelayParty => party(id, address('203.0.113.9', 2000 + id));

  perNode.grant(at(0), lamp, other(10));
  perNode.grant(at(0), lamp, other(11));
  leaseOf(perNetwork);
  leaseOf(all);

  t.deepEqual(perNode.grant(at(0), lamp, other(12)), { granted: false, reason: 'tooManyForNode' });
  t.true(perNode.grant(at(0), phone, other(12)).granted, 'others are unharmed');
  t.deepEqual(perNetwork.grant(at(0), lamp, other(10)), { granted: false, reason: 'tooManyForNetwork' });
  t.deepEqual(all.grant(at(0), lamp, other(10)), { granted: false, reason: 'tooMany' });
});

test('a node over its rate is shaped and told once a second; its peer is not', t => {
  const service = relay({ nodeBytesPerSecond: 1_000, nodeBurst: 1_000 });
  const [first, second] = leaseOf(service);
  const notices = [];

  for (let now = 0; now < 3_000; now += 10) {
    service.forward(at(now), 0, lampAddress, packet(first.channel, 100));
    for (let notice = service.pollNotice(at(now)); notice; notice = service.pollNotice(at(now)))
      notices.push(notice);
  }

  t.is(service.counters.forwardedBytes, 1_000 + 2_900);
  t.true(notices.length >= 2 && notices.length <= 3, `${notices.length}`);
  t.like(notices[1], { networkKey: 'home', nodeId: 1, channel: first.channel, bytesPerSecond: 1_000 });
  t.true(notices[1]!.droppedBytes > 8_000);
  t.like(service.forward(at(3_000), 0, phoneAddress, packet(second.channel)), { address: lampAddress });
});

test('what was dropped is told whole, on the channel that it was dropped on, also when nothing comes after it', t => {
  const service = relay({ nodeBytesPerSecond: 100, nodeBurst: 100 });
  const [quiet] = leaseOf(service);
  const [busy] = leaseOf(service, 0, lamp, party(3, strangerAddress));
  service.forward(at(0), 0, lampAddress, packet(quiet.channel, 100));
  for (let i = 0; i < 5; i++) service.forward(at(10), 0, lampAddress, packet(busy.channel, 100));
  const first = service.pollNotice(at(10));
  for (let i = 0; i < 3; i++) service.forward(at(20), 0, lampAddress, packet(busy.channel, 200));

  t.like(first, { channel: busy.channel, droppedBytes: 500, bytesPerSecond: 100 });
  t.is(service.pollNotice(at(1_009)), undefined);
  t.is(service.pollTimeout(), at(1_010));
  t.like(service.pollNotice(at(1_010)), { nodeId: 1, channel: busy.channel, droppedBytes: 600 });
  t.is(service.pollNotice(at(5_000)), undefined);
});

test('a notice names the rate that was exceeded, be it the network’s', t => {
  const service = relay({ networkBytesPerSecond: 1, networkBurst: 150 });
  const [first] = leaseOf(service);
  for (let i = 0; i < 2; i++) service.forward(at(0), 0, lampAddress, packet(first.channel));

  t.like(service.pollNotice(at(0)), { bytesPerSecond: 1, droppedBytes: 100 });
});

test('a new lease does not give a new allowance', t => {
  const service = relay({ nodeBytesPerSecond: 1, nodeBurst: 100 });
  const [first] = leaseOf(service);
  service.forward(at(0), 0, lampAddress, packet(first.channel, 100));
  service.release(lamp, first.channel);

  const [again] = leaseOf(service, 1);

  t.is(service.forward(at(2), 0, lampAddress, packet(again.channel, 100)), 'rateLimited');
});

test('a network has a limit of its own', t => {
  const service = relay({ networkBytesPerSecond: 1, networkBurst: 150 });
  const [first, second] = leaseOf(service);
  const a = party(1, lampAddress, 'office');
  const b = party(2, phoneAddress, 'office');
  const [office] = leaseOf(service, 0, a, b);

  t.like(service.forward(at(0), 0, lampAddress, packet(first.channel)), { address: phoneAddress });
  t.is(service.forward(at(0), 0, phoneAddress, packet(second.channel)), 'rateLimited');
  t.like(service.forward(at(0), 0, lampAddress, packet(office.channel)), { address: phoneAddress });
});

test('what nobody renews is forgotten, and then nothing is scheduled', t => {
  const service = relay();
  leaseOf(service);

  for (let now = 0; now <= 900_000; now += 60_000) service.handleTimeout(at(now));

  t.is(service.counters.leases, 0);
  t.is(service.pollTimeout(), undefined);
});

test('a million random channel numbers hit nothing', t => {
  const service = relay();
  leaseOf(service);
  const random = new SeededRandom(99);
  const bytes = packet(0);
  let forwarded = 0;

  for (let i = 0; i < 1_000_000; i++) {
    bytes.set(randomBytes(random, 4), 1);
    if (typeof service.forward(at(1), 0, strangerAddress, bytes) !== 'string') forwarded++;
  }

  t.is(forwarded, 0);
});
