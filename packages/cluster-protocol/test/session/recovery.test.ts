import test from 'ava';
import { instant } from '../../src/base/index.js';
import { SessionPair, sendAll, type Flight } from './pair.js';

test('a packet is lost when three later ones were acknowledged, long before any timeout', t => {
  const pair = new SessionPair({ link: { delay: 100 } });
  sendAll(pair, 'a', [10]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 1);
  const start = pair.now;
  pair.drop = flight => flight.from === 'a' && flight.number === 1;

  sendAll(pair, 'a', [1_000, 1_000, 1_000, 1_000, 1_000], 1);
  pair.run(() => pair.messages('b').length === 6);

  t.is(pair.a.statistics().lostPackets, 1);
  t.true(pair.now - start <= 300 + 1, 'one round trip for the ack and half a one for the repair');
});

test('a packet with too few behind it is lost by time, after an eighth of a round trip more', t => {
  const pair = new SessionPair({ link: { delay: 100 } });
  sendAll(pair, 'a', [10, 10, 10, 10]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 4);
  const start = pair.now;
  pair.drop = flight => flight.from === 'a' && flight.number === 1;

  sendAll(pair, 'a', [1_100, 1_100], 4);
  pair.run(() => pair.a.statistics().lostPackets === 1);

  const waited = pair.now - start;
  t.true(waited >= 225 && waited < 300, `${waited} ms`);
});

test('the round-trip time is measured without the delay of the ack', t => {
  const pair = new SessionPair({ link: { delay: 40 } });

  for (let i = 0; i < 20; i++) {
    sendAll(pair, 'a', [10], i);
    pair.run(() => false, 500);
  }

  const { rtt, minRtt, rttVariance } = pair.a.pathStatistics(0)!;
  t.true(rtt >= 80 && rtt < 81, `${rtt} ms`);
  t.is<number, number>(minRtt, 80);
  t.true(rttVariance < 1);
});

test('probes carry the lost data, double their distance, and never lie more than a second apart', t => {
  const pair = new SessionPair({ link: { delay: 10 } });
  sendAll(pair, 'a', [10]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 1);
  pair.run(() => false, 1_000);
  pair.drop = () => true;
  pair.recorded = [];
  const times: number[] = [];

  sendAll(pair, 'a', [500], 1);
  let seen = 0;
  pair.run(() => {
    while (seen < pair.recorded!.length) {
      times.push(pair.now);
      t.true(pair.recorded![seen]!.bytes.length > 0);
      seen++;
    }
    return false;
  }, 12_000);

  const rounds = [...new Set(times)];
  const gaps = rounds.slice(1).map((time, i) => time - rounds[i]!);
  t.true(gaps[0]! < 150, `the first probe comes after ${gaps[0]} ms`);
  t.true(gaps[1]! > 1.9 * gaps[0]! && gaps[1]! < 2.1 * gaps[0]!);
  t.true(gaps.every(gap => gap <= 1_000));
  t.true(gaps.at(-1)! > 990);
  t.true(pair.recorded[1]!.bytes.length > 500, 'the first probe is the message once more');
});

test('a lost ack is repaired by the next one', t => {
  const pair = new SessionPair();
  let dropped = 0;
  pair.drop = flight => flight.from === 'b' && dropped++ === 0;

  sendAll(pair, 'a', [1_100, 1_100, 1_100, 1_100]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 4, 1_000);

  t.is(pair.count('a', 'messageAcknowledged'), 4);
  t.is(pair.a.statistics().lostPackets, 0);
});

test('a loss reduces the window once a round trip, and slow start doubles it before', t => {
  const pair = new SessionPair({ link: { delay: 50 } });
  const initial = pair.a.pathStatistics(0)!.congestionWindow;
  sendAll(pair, 'a', new Array<number>(10).fill(65_536));
  pair.run(() => pair.sent.a >= 200);

  const from = pair.sent.a;
  pair.drop = flight => flight.from === 'a' && flight.number >= from && flight.number < from + 3;
  let grown = 0;
  pair.run(() => {
    grown = Math.max(grown, pair.a.pathStatistics(0)!.congestionWindow);
    return pair.a.statistics().lostPackets === 3;
  });
  t.true(grown > 3 * initial, `${grown} of ${initial}`);

  const { congestionWindow } = pair.a.pathStatistics(0)!;
  t.true(
    congestionWindow > 0.65 * grown && congestionWindow < 0.8 * grown,
    `${congestionWindow} of ${grown}`,
  );
  t.true(pair.run(() => pair.count('a', 'messageAcknowledged') === 10));
});

test('a window that the application does not fill does not grow', t => {
  const pair = new SessionPair();
  const initial = pair.a.pathStatistics(0)!.congestionWindow;

  for (let i = 0; i < 200; i++) {
    sendAll(pair, 'a', [1_000], i);
    pair.run(() => false, 100);
  }

  t.is(pair.a.pathStatistics(0)!.congestionWindow, initial);
});

test('losing everything for long brings the window down to two packets', t => {
  const pair = new SessionPair({ link: { delay: 20 } });
  sendAll(pair, 'a', new Array<number>(40).fill(65_536));
  pair.run(() => pair.count('a', 'messageAcknowledged') >= 2);
  pair.drop = () => true;
  pair.run(() => false, 5_000);
  pair.drop = () => false;

  const lost = pair.a.statistics().lostPackets;
  pair.run(() => pair.a.statistics().lostPackets > lost);

  const { congestionWindow } = pair.a.pathStatistics(0)!;
  t.true(
    congestionWindow < 4 * 1_195,
    'two packets, and what the second and the rest of the probes that were answered add',
  );
});

test('late packets are told from lost ones once their acks come', t => {
  const pair = new SessionPair({ link: { delay: 20 }, seed: 3 });
  sendAll(pair, 'a', [10]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 1);
  pair.link.jitter = 200;

  sendAll(pair, 'a', new Array<number>(20).fill(1_000), 1);
  pair.run(() => false, 3_000);

  const { lostPackets, spuriousLosses } = pair.a.statistics();
  t.true(lostPackets > 0);
  t.is(spuriousLosses, lostPackets);
  t.is(pair.messages('b').length, 21);
});

test('after a cut of ten seconds everything is delivered within two', t => {
  for (let seed = 0; seed < 40; seed++) {
    const pair = new SessionPair({ seed, link: { delay: 5 + (seed % 5) * 20, jitter: seed % 3 } });
    sendAll(pair, 'a', [100, 2_000]);
    sendAll(pair, 'b', [300]);
    pair.run(() => false, 400 + seed * 37);
    pair.drop = () => true;
    sendAll(pair, 'a', [50, 4_000, 20], 10);
    sendAll(pair, 'b', [60, 1_500], 10);
    pair.run(() => false, 10_000);
    t.is(pair.messages('b').length, 2);

    pair.drop = () => false;
    const healed = pair.run(
      () => pair.count('a', 'messageAcknowledged') === 5 && pair.count('b', 'messageAcknowledged') === 3,
      2_000,
    );

    t.true(healed, `seed ${seed}`);
    t.is(pair.messages('b').length, 5);
    t.is(pair.messages('a').length, 3);
  }
});

test('a quiet session has no timer at all and lives on', t => {
  const pair = new SessionPair();
  sendAll(pair, 'a', [10, 20_000]);
  sendAll(pair, 'b', [10]);

  pair.run(() => false, 5_000);

  t.is(pair.a.pollTimeout(), undefined);
  t.is(pair.b.pollTimeout(), undefined);
  pair.runUntil(instant(pair.now + 86_400_000));
  sendAll(pair, 'a', [5], 2);
  t.true(pair.run(() => pair.messages('b').length === 3, 100));
});

test('a keep-alive is one ping and one ack in each interval, and nothing else', t => {
  const pair = new SessionPair({ config: { keepAlive: 25_000 as never } });

  pair.run(() => false, 250_000 + 5_000);

  const { sentFrames } = pair.a.statistics();
  t.true(sentFrames.ping >= 4 && sentFrames.ping <= 10, `${sentFrames.ping} pings`);
  t.true(pair.sent.a + pair.sent.b <= 42);
  t.is(pair.count('a', 'closed'), 0);
});

test('a session ends by itself when nothing is acknowledged for thirty seconds', t => {
  const pair = new SessionPair();
  sendAll(pair, 'a', [10]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 1);
  pair.drop = () => true;
  const start = pair.now;

  sendAll(pair, 'a', [10], 1);
  pair.run(() => pair.count('a', 'closed') === 1);

  t.is(pair.now - start, 30_000);
  t.like(pair.events.a.at(-1), { kind: 'closed', by: 'idle' });
  t.true(pair.a.finished);
  t.is(pair.a.pollTimeout(), undefined);
  t.is(pair.count('b', 'closed'), 0, 'the other side has nothing to wait for');
});

test('one way out of order does not make the peer send more than an ack for each packet', t => {
  const pair = new SessionPair({ link: { jitter: 50 }, seed: 9 });

  sendAll(pair, 'a', new Array<number>(50).fill(1_100));
  pair.run(() => false, 5_000);

  t.true(pair.sent.b <= pair.sent.a);
});

test('when everything that counted as lost was only late, the window is as before', t => {
  const pair = new SessionPair({ link: { delay: 50 } });
  sendAll(pair, 'a', new Array<number>(15).fill(65_536));
  pair.run(() => pair.sent.a >= 300);
  const held: Flight[] = [];
  const from = pair.sent.a;
  pair.drop = flight => {
    const late = flight.from === 'a' && flight.number >= from && flight.number < from + 4;
    if (late) held.push(flight);
    return late;
  };
  pair.run(() => pair.a.statistics().lostPackets > 0);
  const reduced = pair.a.pathStatistics(0)!.congestionWindow;
  pair.drop = () => false;

  for (const flight of held) pair.inject(flight, 0);
  pair.run(() => pair.a.statistics().spuriousLosses === 4);

  t.is(pair.a.statistics().lostPackets, 4);
  t.true(pair.a.pathStatistics(0)!.congestionWindow >= reduced / 0.7 - 1);
});
