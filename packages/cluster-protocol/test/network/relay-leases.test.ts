import test from 'ava';
import { instant, minutes } from '../../src/base/index.js';
import { type Lease, RelayLeases } from '../../src/network/index.js';
import type { Path } from '../../src/session/index.js';
import { parseSocketAddress } from '../../src/wire/index.js';

const NMN = parseSocketAddress('203.0.113.1:4433')!;
const pathOf = (channel: number): Path => ({ id: channel, link: 1, remote: NMN, channel });
const lease = (channel: number, lifetime = 600): Lease => ({
  channel,
  lifetime,
  token: new Uint8Array(16).fill(channel),
});

test('a lease is renewed at half its life, again every 20 s, and ends with it', t => {
  const leases = new RelayLeases();
  leases.add(instant(0), 17, pathOf(5), lease(5));
  const renewals: number[] = [];
  let ended: number | undefined;

  for (let due = leases.pollTimeout(); due !== undefined; due = leases.pollTimeout())
    for (const action of leases.handleTimeout(due)) {
      if (action.kind === 'renew') renewals.push(due);
      else ended = due;
    }

  t.deepEqual(renewals.slice(0, 3), [300_000, 320_000, 340_000]);
  t.is(renewals.length, 15);
  t.is(ended, minutes(10));
  t.is(leases.size, 0);
});

test('a renewal lengthens the lease and carries the token of the next one', t => {
  const leases = new RelayLeases();
  leases.add(instant(0), 17, pathOf(5), lease(5));
  leases.handleTimeout(instant(300_000));

  const ended = leases.renewed(instant(300_100), {
    channel: 5,
    lifetime: 600,
    token: new Uint8Array(16).fill(9),
  });

  t.is(ended, undefined);
  t.is(leases.pollTimeout(), instant(600_100));
  t.like(leases.handleTimeout(instant(600_100))[0], { kind: 'renew', token: new Uint8Array(16).fill(9) });
});

test('a renewal of no life ends the lease, of another channel it changes nothing', t => {
  const leases = new RelayLeases();
  leases.add(instant(0), 17, pathOf(5), lease(5));

  const other = leases.renewed(instant(1), lease(6, 0));
  const own = leases.renewed(instant(1), lease(5, 0));

  t.is(other, undefined);
  t.like(own, { peer: 17, path: pathOf(5) });
  t.is(leases.get(17), undefined);
  t.is(leases.pollTimeout(), undefined);
});

test('a new lease towards the same peer replaces the old one', t => {
  const leases = new RelayLeases();
  leases.add(instant(0), 17, pathOf(5), lease(5));

  const replaced = leases.add(instant(1), 17, pathOf(6), lease(6));

  t.deepEqual(replaced, pathOf(5));
  t.is(leases.peerOf(5), undefined);
  t.is(leases.peerOf(6), 17);
  t.is(leases.size, 1);
});

test('no more leases are kept than there is room for, and the ones that are there can be replaced', t => {
  const leases = new RelayLeases();
  for (let peer = 1; peer <= 1_024; peer++)
    t.is(leases.add(instant(0), peer, pathOf(peer), lease(peer)), undefined);

  t.is(leases.add(instant(0), 2_000, pathOf(2_000), lease(2_000)), 'full');
  t.deepEqual(leases.add(instant(0), 7, pathOf(3_000), lease(3_000)), pathOf(7));
  t.is(leases.size, 1_024);
  leases.remove(1);
  t.is(leases.add(instant(0), 2_000, pathOf(2_000), lease(2_000)), undefined);
});
