import test from 'ava';

import { milliseconds } from '../../src/base/index.js';
import { address, Bench, hosts, pathOf } from './agent-bench.js';

const PEER = '198.51.100.20:6000';
const LAN = '192.168.1.20:6000';

test('an address that answered is remembered, and the next start tries it directly', t => {
  const [first, second] = [new Bench(), new Bench()];
  first.observed(PEER);
  first.answering.set(PEER, 24);
  first.open();
  first.pass(1_000);

  second.do(() => second.agent.remembered(second.now, first.agent.workingAddresses()));

  t.deepEqual(
    second.agent.connectTargets(second.now).map(({ link, remote }) => `${link} ${remote.key}`),
    [`0 ${PEER}`],
  );
});

test('a responder remembers the address of a session only after a round trip', t => {
  const bench = new Bench();
  bench.open(pathOf(LAN), 'responder');
  t.deepEqual(bench.agent.workingAddresses(), []);

  bench.do(() => bench.agent.measured(bench.now, pathOf(LAN), milliseconds(2)));

  t.deepEqual(
    bench.agent.workingAddresses().map(({ key }) => key),
    [LAN],
  );
});

test('at most eight addresses are remembered and tried, and never one that nobody may be reached at', t => {
  const bench = new Bench();
  const many = Array.from({ length: 20 }, (_, i) => address(`198.51.100.20:${6_000 + i}`));

  bench.do(() => bench.agent.remembered(bench.now, [address('224.0.0.1:5'), ...many]));

  t.is(bench.agent.workingAddresses().length, 8);
  t.is(bench.agent.connectTargets(bench.now).length, 7);
});

// What we tell the peer

test('the peer is told real interfaces first, then what others see, then virtual ones, and no address that means nothing to it', t => {
  const bench = new Bench();
  bench.do(() => bench.agent.setReflexive(bench.now, [address('198.51.100.10:5000')]));

  bench.open();

  t.deepEqual(bench.told, [
    '192.168.1.10:5000',
    '[2001:db8:1::10]:5000',
    '198.51.100.10:5000',
    '172.17.0.1:5000',
  ]);
});

test('a change of our addresses is told within a second, and every session is told anew', t => {
  const bench = new Bench();
  bench.open();
  bench.pass(200);

  bench.do(() => bench.agent.setReflexive(bench.now, [address('198.51.100.10:5000')]));
  bench.do(() => bench.agent.setReflexive(bench.now, [address('198.51.100.10:5001')]));
  bench.pass(5_000);
  t.deepEqual(
    bench.of('sendCandidates').map(({ at }) => at),
    [0, 1_000],
  );
  t.true(bench.told.includes('198.51.100.10:5001'));

  bench.open();
  t.is(bench.of('sendCandidates').length, 3);
});

test('an older list of candidates that was overtaken changes nothing', t => {
  const bench = new Bench();
  bench.open();
  const list = (generation: number, port: number) => ({
    generation,
    candidates: hosts(`192.168.1.20:${port}`),
  });
  bench.do(() => bench.agent.peerCandidates(bench.now, list(1, 6_001)));

  bench.do(() => bench.agent.peerCandidates(bench.now, list(0, 6_000)));
  bench.pass(100);

  t.is(bench.probes('192.168.1.20:6000').length, 0);
});
