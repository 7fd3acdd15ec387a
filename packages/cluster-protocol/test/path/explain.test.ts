import test from 'ava';

import { Bench, hosts, pathOf } from './agent-bench.js';

const PEER = '198.51.100.20:6000';

const sentence = (bench: Bench): string => bench.agent.explain(bench.now).sentence;

test('without a session it says so', t => {
  t.is(sentence(new Bench()), 'no path, because there is no session with the peer');
});

test('a path on the local network is explained by the address that answers', t => {
  const bench = new Bench();
  bench.named(hosts('192.168.1.20:6000'));
  bench.answering.set('192.168.1.20:6000', 2);
  bench.open();
  bench.pass(100);

  t.is(sentence(bench), 'direct on the local network, 2 ms: the peer answers at 192.168.1.20:6000');
  t.is(bench.agent.explain(bench.now).nextTry, undefined);
});

test('a relayed path is explained by what was tried and when it is tried again', t => {
  const bench = new Bench();
  bench.observed(PEER, '198.51.100.20:6001', '198.51.100.20:6002');
  bench.open();

  bench.pass(21_000);

  const explanation = bench.agent.explain(bench.now);
  t.regex(
    explanation.sentence,
    /^over the relay, because none of 3 addresses of the peer answered 10 probes; next try in \d+ s$/,
  );
  t.deepEqual(
    explanation.candidates.map(({ kind, state, lastResult, probes }) => ({
      kind,
      state,
      lastResult,
      probes,
    })),
    Array.from({ length: 3 }, () => ({
      kind: 'observed' as const,
      state: 'waiting' as const,
      lastResult: 'no answer to 10 probes',
      probes: 30,
    })),
  );
});

test('a relay that drops what exceeds the rate is named as long as it does', t => {
  const bench = new Bench();
  bench.open();
  bench.agent.relayShaped(bench.now, 1_000, 65_536);
  bench.agent.relayShaped(bench.now, 500, 65_536);

  const during = bench.agent.explain(bench.now);
  bench.pass(6_000);
  const later = bench.agent.explain(bench.now);

  t.regex(during.sentence, /; the relay drops what this node sends above 64 KiB\/s/);
  t.like(during.shaping, { droppedBytes: 1_500, notices: 2, bytesPerSecond: 65_536 });
  t.notRegex(later.sentence, /KiB/);
  t.is(later.shaping?.droppedBytes, 1_500);
});

test('while probes are under way it says so', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.open();
  bench.pass(100);

  t.is(sentence(bench), 'over the relay, while 1 address of the peer is being probed; next try in 5 s');
});

test('a peer that told nothing yet is told apart from one that may not be probed', t => {
  const bench = new Bench();
  bench.open();
  t.regex(sentence(bench), /^over the relay, because the peer has not told its addresses yet/);

  bench.named(hosts('10.9.8.7:6000'));

  t.regex(
    sentence(bench),
    /^over the relay, because the only address of the peer may not be probed from here/,
  );
  t.like(bench.agent.explain(bench.now).candidates[0], {
    state: 'refused',
    lastResult: 'it is private, and no interface of this node is in its network',
    probes: 0,
  });
});

test('after a failure it names the path that stopped answering', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.answering.set(PEER, 24);
  bench.open();
  bench.pass(1_000);
  bench.answering.clear();

  bench.fail(pathOf(PEER));

  t.is(
    sentence(bench),
    `over the relay, because the direct path to ${PEER} stopped answering; next try in 5 s`,
  );
});

test('a path that is held back is explained by its failures', t => {
  const bench = new Bench();
  bench.observed(PEER);
  bench.answering.set(PEER, 24);
  bench.open();
  bench.pass(1_000);
  bench.fail(pathOf(PEER));
  bench.pass(1_000);

  bench.fail(pathOf(PEER));
  bench.pass(500);

  t.regex(sentence(bench), /because the direct path failed repeatedly and is not trusted for another \d+ s/);
});
