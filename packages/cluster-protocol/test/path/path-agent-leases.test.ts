import test from 'ava';

import { address, Bench, pathOf, RELAY } from './agent-bench.js';

const PEER = '198.51.100.20:6000';

test('a lease that ends while it carries the session is replaced by its successor', t => {
  const bench = new Bench();
  const successor = pathOf('203.0.113.1:4433', { channel: 8 });
  bench.open();
  bench.do(() => bench.agent.relayGone(bench.now, RELAY));
  t.is(bench.of('requestLease').length, 1);

  bench.do(() => bench.agent.relayAvailable(bench.now, successor));

  t.deepEqual(
    bench.of('activate').map(({ path }) => path.channel),
    [8],
  );
});

test('a relay beside a direct path is challenged until it answers, so that it can carry data at once', t => {
  const bench = new Bench();
  bench.open(pathOf(PEER));
  bench.do(() => bench.agent.relayAvailable(bench.now, RELAY));
  bench.pass(30);

  bench.validated(RELAY, 50);
  bench.pass(10_000);

  t.deepEqual(
    bench.of('probeRelay').map(({ at }) => at),
    [0, 20],
  );
  t.is(bench.agent.active?.path, 'direct');
});

test('a lease is asked for beside a direct path, less and less often while none comes', t => {
  const bench = new Bench();
  bench.open(pathOf(PEER));

  bench.pass(200_000);

  const times = bench.of('requestLease').map(({ at }) => at);
  t.is(times[0], 0);
  t.true(times.length >= 4 && times.length <= 6, times.join());
});

test('two processes of one machine need no lease', t => {
  const bench = new Bench({ forbidden: [address('127.0.0.1:4433')] });
  bench.open(pathOf('127.0.0.1:6000'));
  bench.pass(60_000);

  t.like(bench.agent.active, { path: 'direct', scope: 'host' });
  t.is(bench.of('requestLease').length, 0);
});

test('a lease is given back half a minute after the session ended, once', t => {
  const bench = new Bench();
  bench.do(() => bench.agent.relayAvailable(bench.now, RELAY));
  bench.open();
  bench.pass(60_000);
  const before = bench.of('releaseLease').length;
  bench.do(() => bench.agent.sessionClosed(bench.now));
  const closedAt = bench.now;

  bench.pass(29_900);
  const early = bench.of('releaseLease').length;
  bench.pass(200);
  bench.do(() => bench.agent.relayGone(bench.now, RELAY));
  bench.pass(120_000);

  t.deepEqual([before, early], [0, 0]);
  t.is(bench.of('releaseLease').length, 1);
  t.true(bench.now > closedAt);
  t.is(bench.agent.pollTimeout(), undefined);
});

test('whoever comes back soon keeps the lease', t => {
  const bench = new Bench();
  bench.do(() => bench.agent.relayAvailable(bench.now, RELAY));
  for (let i = 0; i < 5; i++) {
    bench.open();
    bench.pass(5_000);
    bench.do(() => bench.agent.sessionClosed(bench.now));
    bench.pass(20_000);
  }

  t.is(bench.of('releaseLease').length, 0);
});

test('a lease that was granted for a session that never came is given back as well', t => {
  const bench = new Bench();
  bench.do(() => bench.agent.relayAvailable(bench.now, RELAY));

  bench.pass(31_000);

  t.is(bench.of('releaseLease').length, 1);
});

test('on one machine the lease that brought the two together is given back', t => {
  const bench = new Bench({ forbidden: [address('127.0.0.1:4433')] });
  bench.do(() => bench.agent.relayAvailable(bench.now, RELAY));
  bench.open(pathOf('127.0.0.1:6000'));

  bench.pass(31_000);

  t.is(bench.of('releaseLease').length, 1);
  t.is(bench.of('requestLease').length, 0);
});

// Sessions and memory
