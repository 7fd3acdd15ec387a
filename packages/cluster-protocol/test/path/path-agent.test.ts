import test from 'ava';

import { milliseconds } from '../../src/base/index.js';
import { address, Bench, hosts, pathOf, RELAY } from './agent-bench.js';

const PEER = '198.51.100.20:6000';
const LAN = '192.168.1.20:6000';
const PEER_6 = '[2001:db8:2::20]:6000';

const activated = (bench: Bench): string[] => bench.of('activate').map(({ path }) => path.remote.key);

// Probing

test('an address that the NMN observed is probed on the ladder and then left in peace', t => {
  const bench = new Bench();
  bench.observed(PEER);

  bench.open();
  bench.pass(4_900);

  t.deepEqual(
    bench.probes().map(({ at }) => at),
    [0, 20, 50, 100, 200, 400, 800, 1_800, 2_800, 3_800],
  );
});

test('nothing is probed without a session', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.do(() => bench.agent.punch(bench.now, milliseconds(0)));

  bench.pass(120_000);

  t.is(bench.probes().length, 0);
  t.is(bench.agent.pollTimeout(), undefined);
});

test('the local network is probed before the internet, with 5 ms between any two probes', t => {
  const bench = new Bench();
  bench.observed(PEER, PEER_6);
  bench.named(hosts(LAN, '198.51.100.20:6001'));

  bench.open();
  bench.pass(4_900);

  const probes = bench.probes();
  t.deepEqual(
    probes.slice(0, 4).map(({ to }) => to),
    [LAN, PEER, PEER_6, '198.51.100.20:6001'],
  );
  t.is(probes.length, 40);
  for (const [i, probe] of probes.slice(1).entries()) t.true(probe.at - probes[i]!.at >= 5);
});

test('three fast rounds, then one a minute with jitter', t => {
  const bench = new Bench();
  bench.observed(PEER);

  bench.open();
  bench.pass(200_000);

  const starts = bench
    .probes()
    .filter((_, i) => i % 10 === 0)
    .map(({ at }) => at);
  t.deepEqual(starts.slice(0, 3), [0, 5_000, 15_000]);
  t.is(starts.length, 5);
  for (const i of [3, 4]) {
    const gap = starts[i]! - starts[i - 1]!;
    t.true(gap >= 60_000 && gap <= 72_000, `${gap}`);
  }
});

test('an answer ends the probes to its address', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.answering.set(PEER, 30);

  bench.open();
  bench.pass(60_000);

  t.deepEqual(
    bench.probes().map(({ at }) => at),
    [0, 20],
  );
});

test('IPv4 addresses are probed on the IPv4 link and IPv6 ones on the IPv6 link', t => {
  const bench = new Bench();
  bench.observed(PEER, PEER_6);

  bench.open();
  bench.pass(1_000);

  for (const { link, remote } of bench.of('probe')) t.is(link, remote.family === 4 ? 0 : 1);
});

test('a change of the network probes everything again at once', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.named(hosts(LAN));
  bench.open();
  bench.pass(30_000);
  const before = bench.probes().length;

  bench.do(() => bench.agent.networkChanged(bench.now));
  bench.pass(4_000);

  t.is(bench.probes().length, before + 20);
  t.is(bench.probes()[before]!.at, 30_000);
});

test('a punch begins a round at the time that the NMN gave, also to addresses that only the peer names', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.named(hosts('198.51.100.20:6001'));
  bench.open();
  bench.pass(30_000);
  const before = bench.probes().length;

  bench.do(() => bench.agent.punch(bench.now, milliseconds(120)));
  bench.pass(4_500);

  t.is(bench.probes()[before]!.at, 30_120);
  t.is(bench.probes('198.51.100.20:6001').filter(({ at }) => at >= 30_000).length, 10);
});

test('the initiator asks for a punch once both sides know addresses, the responder does not', t => {
  const [caller, called] = [new Bench(), new Bench()];
  for (const [bench, role] of [
    [caller, 'initiator'],
    [called, 'responder'],
  ] as const) {
    bench.observed(PEER);
    bench.open(RELAY, role);
    bench.pass(50);
    bench.named(hosts(LAN));
    bench.pass(3_000);
  }

  t.deepEqual(
    caller.of('requestPunch').map(({ at }) => at),
    [50],
  );
  t.is(called.of('requestPunch').length, 0);
});

test('a late timer does not send the missed probes in a burst', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.open();

  bench.now = (bench.now + 1_000) as typeof bench.now;
  for (let i = 0; i < 20; i++) bench.do(() => bench.agent.handleTimeout(bench.now));

  t.deepEqual(
    bench.probes().map(({ at }) => at),
    [0, 1_000],
  );
});

// Budgets

test('a thousand hostile candidates get no packet to forbidden addresses and at most 80 in all', t => {
  const bench = new Bench();
  const forbidden = [
    ...['127.0.0.1:53', '[::ffff:127.0.0.1]:53', '224.0.0.1:53', '255.255.255.255:53', '0.0.0.0:53'],
    ...['192.168.1.255:53', '192.168.1.0:53', '169.254.1.1:53', '8.8.8.8:53', '10.0.0.1:53', '240.0.0.1:53'],
    ...['203.0.113.1:4433', '192.168.1.10:5000', '127.0.0.1:5000', '198.51.100.10:5000'],
    ...['[::]:53', '[::1]:53', '[ff02::1]:53', '[fe80::2]:53', '[fd00::1]:53', '[2001:db8:1::20]:53'],
  ].map(text => address(text).key);
  const own = Array.from({ length: 1_000 - forbidden.length }, (_, i) => `198.51.100.20:${1_000 + i}`);
  bench.do(() => bench.agent.setReflexive(bench.now, [address('198.51.100.10:5000')]));
  bench.observed(PEER);
  bench.open(RELAY, 'responder');

  bench.named(hosts(...forbidden, ...own));
  for (let i = 0; i < 1_000; i += 8) bench.named(hosts(...[...forbidden, ...own].slice(i, i + 8)));
  bench.pass(600_000);

  const hostile = bench.probes().filter(({ to }) => to !== PEER);
  t.true(hostile.length > 0 && hostile.length <= 80, `${hostile.length}`);
  t.deepEqual(
    hostile.filter(({ to }) => forbidden.includes(to)),
    [],
  );
});

test('eight addresses of the peer that nobody vouches for get 80 probes in all, however long nobody answers', t => {
  const bench = new Bench();
  bench.observed('198.51.100.20:1');
  bench.open(RELAY, 'responder');
  bench.pass(20_000);

  bench.named(hosts(...Array.from({ length: 1_000 }, (_, i) => `198.51.100.20:${2_000 + i}`)));
  bench.pass(600_000);

  t.true(bench.probes().filter(({ to }) => to !== '198.51.100.20:1').length <= 80);
});

test('a peer that names other addresses without end gets one round of probes and then one a minute', t => {
  const bench = new Bench();
  bench.observed('198.51.100.20:1');
  bench.open(RELAY, 'responder');

  for (let i = 0; i < 600; i++) {
    bench.named(hosts(...Array.from({ length: 8 }, (_, j) => `198.51.100.20:${2_000 + i * 8 + j}`)));
    bench.pass(100);
  }

  const claimed = bench.probes().filter(({ to }) => to !== '198.51.100.20:1').length;
  t.true(claimed <= 80 + 80, `${claimed}`);
});

test('punches without end do not exceed the allowance', t => {
  const bench = new Bench();
  bench.observed(PEER, '198.51.100.20:6001', '198.51.100.20:6002', '198.51.100.20:6003');
  bench.open();

  for (let i = 0; i < 600; i++) {
    bench.do(() => bench.agent.punch(bench.now, milliseconds(0)));
    bench.pass(100);
  }

  t.true(bench.probes().length <= 240 + 80 + 1, `${bench.probes().length}`);
});

// Selection

test('a session over the relay moves to the direct path as soon as that is proved', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.answering.set(PEER, 24);
  bench.open();

  bench.pass(1_000);

  t.deepEqual(activated(bench), [PEER]);
  t.is(bench.of('activate')[0]!.at, 24);
  t.like(bench.agent.active, { path: 'direct', scope: 'internet', rtt: 24 });
  t.like(bench.of('pathChanged').at(-1), { from: { path: 'relay' }, to: { path: 'direct' } });
});

test('the local network wins over a faster internet path, and stays', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.named(hosts(LAN));
  bench.answering.set(PEER, 1).set(LAN, 40);
  bench.open();

  bench.pass(60_000);

  t.like(bench.agent.active, { path: 'direct', scope: 'lan' });
  t.is(activated(bench).at(-1), LAN);
  t.true(activated(bench).length <= 2);
});

test('a failed path is left for the relay at once and everything is probed', t => {
  const bench = new Bench();
  bench.observed(PEER, PEER_6);
  bench.answering.set(PEER, 24);
  bench.open();
  bench.pass(10_000);
  bench.answering.clear();
  const before = bench.probes().length;

  bench.fail(pathOf(PEER));
  t.is(bench.agent.active?.path, 'relay');
  bench.pass(100);

  t.deepEqual(
    [
      ...new Set(
        bench
          .probes()
          .slice(before)
          .map(({ to }) => to),
      ),
    ].sort(),
    [PEER, PEER_6].sort(),
  );
});

test('a suspect path stays in use, and the next best one bridges it until it is alive', t => {
  const bench = new Bench();
  bench.observed(PEER, PEER_6);
  bench.answering.set(PEER, 24);
  bench.open();
  bench.pass(10_000);

  bench.suspect(pathOf(PEER));
  bench.suspect(pathOf(PEER));
  const { bridge, sentence } = bench.agent.explain(bench.now);
  bench.do(() => bench.agent.pathAlive(bench.now, pathOf(PEER)));

  t.deepEqual(
    bench.of('bridge').map(({ path }) => path),
    [RELAY],
  );
  t.is(bench.agent.active?.path, 'direct');
  t.is(bridge?.path, 'relay');
  t.regex(
    sentence,
    /^direct over the internet, 24 ms, suspect because an answer is overdue, bridged over the relay$/,
  );
  t.is(bench.agent.explain(bench.now).bridge, undefined);
});

test('a path that bridges is asked for again once it has proved itself', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.answering.set(PEER, 24);
  bench.open();
  bench.pass(10_000);

  bench.suspect(pathOf(PEER));
  bench.validated(RELAY, 60);

  t.is(bench.of('bridge').length, 2);
});

test('without a second path a suspect one stays as it is', t => {
  const bench = new Bench();
  bench.named(hosts(LAN));
  bench.open(pathOf(LAN));
  bench.pass(10_000);

  bench.suspect(pathOf(LAN));

  t.deepEqual(bench.of('bridge'), []);
  t.regex(
    bench.agent.explain(bench.now).sentence,
    /suspect because an answer is overdue, no other path is known/,
  );
});

test('a failed path that has no other beside it stays in use, and a lease is asked for', t => {
  const bench = new Bench();
  bench.named(hosts(LAN));
  bench.open(pathOf(LAN));
  bench.pass(10_000);

  bench.fail(pathOf(LAN));
  bench.pass(3_000);

  t.like(bench.agent.active, { path: 'direct', scope: 'lan' });
  t.true(bench.of('requestLease').length >= 1);
  t.regex(
    bench.agent.explain(bench.now).sentence,
    /stopped answering and no other path is known; next try in/,
  );
});

test('a path that failed is not trusted for answering a probe, which is smaller than what it should carry', t => {
  const bench = new Bench();
  const other = '192.168.1.21:6000';
  bench.named(hosts(LAN, other));
  bench.open(pathOf(LAN));
  bench.fail(pathOf(LAN));

  bench.validated(pathOf(LAN), 5);
  bench.validated(pathOf(other), 50);

  t.is(bench.agent.active?.remote.key, other);
});

test('a peer that comes back to a path that failed is followed there, once it has proved itself again', t => {
  const bench = new Bench();
  const [first, second] = [pathOf('198.51.100.20:6000'), pathOf('198.51.100.20:6001')];
  bench.open(first);
  bench.do(() => bench.agent.peerPath(bench.now, second));
  bench.validated(second, 30);
  bench.fail(second);
  bench.fail(first);
  const before = bench.probes(first.remote.key).length;

  bench.do(() => bench.agent.peerPath(bench.now, first));
  const probes = bench.probes(first.remote.key).length - before;
  bench.validated(first, 30);

  t.is(probes, 1);
  t.is(bench.agent.active?.remote.key, first.remote.key);
});

test('the direct path comes back when it answers again', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.answering.set(PEER, 24);
  bench.open();
  bench.pass(10_000);

  bench.fail(pathOf(PEER));
  bench.pass(1_000);

  t.deepEqual(activated(bench), [PEER, RELAY.remote.key, PEER]);
});

test('a path that fails again and again is returned to ever later', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.answering.set(PEER, 24);
  bench.open();

  for (let i = 0; i < 600; i++) {
    bench.pass(100);
    if (bench.agent.active?.path === 'direct') bench.fail(pathOf(PEER));
  }

  t.true(activated(bench).length <= 14, `${activated(bench).length} changes in a minute`);
});

test('inside a class the path changes only for 5 ms and 10 percent', t => {
  const bench = new Bench();
  bench.observed(PEER, '198.51.100.20:6001');
  bench.open(pathOf(PEER));
  const measure = (rtt: number): void =>
    bench.do(() => bench.agent.measured(bench.now, pathOf(PEER), milliseconds(rtt)));
  measure(100);
  bench.pass(6_000);

  bench.validated(pathOf('198.51.100.20:6001'), 92);
  t.deepEqual(activated(bench), []);

  measure(103);
  t.deepEqual(activated(bench), ['198.51.100.20:6001']);
});

test('between two paths whose round trips take turns the agent does not flap', t => {
  const bench = new Bench();
  bench.observed(PEER, '198.51.100.20:6001');
  bench.open(pathOf(PEER));

  for (let i = 0; i < 600; i++) {
    const [slow, fast] = i % 2 === 0 ? [PEER, '198.51.100.20:6001'] : ['198.51.100.20:6001', PEER];
    bench.do(() => bench.agent.measured(bench.now, pathOf(slow), milliseconds(200)));
    bench.validated(pathOf(fast), 10);
    bench.pass(100);
  }

  t.true(activated(bench).length <= 12, `${activated(bench).length}`);
});

test('IPv6 is worth three milliseconds', t => {
  const bench = new Bench();
  bench.observed(PEER, PEER_6);
  bench.open(pathOf(PEER));
  bench.do(() => bench.agent.measured(bench.now, pathOf(PEER), milliseconds(20)));
  bench.pass(6_000);

  bench.validated(pathOf(PEER_6), 17.5);

  t.deepEqual(activated(bench), [PEER_6]);
});

test('a peer whose NAT gave it another mapping is followed once the new path is proved', t => {
  const bench = new Bench();
  const rebound = pathOf('198.51.100.20:7777');
  bench.open(pathOf(PEER));
  bench.pass(6_000);

  bench.do(() => bench.agent.peerPath(bench.now, rebound));
  t.deepEqual(activated(bench), []);
  bench.validated(rebound, 300);
  bench.do(() => bench.agent.measured(bench.now, rebound, milliseconds(300)));
  bench.pass(10_000);

  t.deepEqual(activated(bench), [rebound.remote.key]);
});

test('a peer that sends on another path that is proved already is not followed, so that two agents never chase each other', t => {
  const bench = new Bench();
  bench.observed(PEER, '198.51.100.20:6001');
  bench.open(pathOf(PEER));
  bench.validated(pathOf('198.51.100.20:6001'), 20);

  bench.do(() => bench.agent.peerPath(bench.now, pathOf('198.51.100.20:6001')));
  bench.validated(pathOf('198.51.100.20:6001'), 20);

  t.deepEqual(activated(bench), []);
});

test('a stolen path is left when it goes silent, and the true one is found again', t => {
  const bench = new Bench();
  const attacker = pathOf('198.51.100.66:6666');
  bench.observed(PEER);
  bench.answering.set(PEER, 20);
  bench.open(pathOf(PEER));
  bench.pass(1_000);
  bench.do(() => bench.agent.peerPath(bench.now, attacker));
  bench.validated(attacker, 15);
  t.is(bench.agent.active?.remote.key, attacker.remote.key);

  bench.fail(attacker);
  bench.pass(100);

  t.is(bench.agent.active?.remote.key, PEER);
});

test('a session that ends takes its paths along, and the next one proves them again', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.answering.set(PEER, 24);
  bench.open();
  bench.pass(1_000);

  bench.do(() => bench.agent.sessionClosed(bench.now));
  t.is(bench.agent.active, undefined);
  bench.open();
  t.is(bench.agent.active?.path, 'relay');
  bench.pass(100);

  t.is(bench.agent.active?.path, 'direct');
});
