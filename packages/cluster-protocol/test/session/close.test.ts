import test from 'ava';
import { SessionPair, sendAll } from './pair.js';

test('a close reaches the other side with code and reason, whoever says it', t => {
  for (const [side, peer] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const pair = new SessionPair();

    pair.sides[side].close(pair.now, 0x123, 'gone to bed');
    pair.run(() => false, 10_000);

    t.deepEqual(pair.events[side].at(-1), {
      kind: 'closed',
      by: 'local',
      code: 0x123,
      reason: 'gone to bed',
    });
    t.deepEqual(pair.events[peer].at(-1), { kind: 'closed', by: 'peer', code: 0x123, reason: 'gone to bed' });
    t.true(pair.a.finished && pair.b.finished);
    t.is(pair.sent[side], 1, 'one close is enough where it arrives');
  }
});

test('a close that got lost is repeated for packets that still come, three times at most', t => {
  const pair = new SessionPair();
  pair.drop = flight => flight.from === 'a';

  pair.a.close(pair.now, 0, '');
  for (let i = 0; i < 10; i++) {
    pair.b.ping(pair.now);
    pair.run(() => false, 20);
  }

  t.is(pair.sent.a, 3);
});

test('both ends may close at the same time', t => {
  const pair = new SessionPair();

  pair.a.close(pair.now, 1, 'x');
  pair.b.close(pair.now, 2, 'y');
  pair.run(() => false, 10_000);

  t.is(pair.count('a', 'closed'), 1);
  t.is(pair.count('b', 'closed'), 1);
  t.true(pair.a.finished && pair.b.finished);
});

test('after the close nothing is taken, nothing is sent, and sending throws', t => {
  const pair = new SessionPair();
  pair.a.close(pair.now, 0, '');
  pair.run(() => false, 10_000);

  const error = t.throws(() => sendAll(pair, 'a', [1]));
  t.like(error, { code: 'SESSION_CLOSED' });
  t.false(pair.a.sendDatagram(pair.now, 1, new Uint8Array(1)));
  pair.a.ping(pair.now);
  pair.a.close(pair.now, 0, '');
  pair.drain();

  t.is(pair.a.handlePacket(pair.now, 0, new Uint8Array(100)), 'wrongState');
  t.is(pair.a.pollTimeout(), undefined);
  t.is(pair.count('a', 'closed'), 1);
});

test('a long reason is cut at a whole character', t => {
  const pair = new SessionPair();

  pair.a.close(pair.now, 0, 'é'.repeat(100));
  pair.run(() => false, 1_000);

  t.like(pair.events.b.at(-1), { kind: 'closed', by: 'peer', reason: 'é'.repeat(64) });
});

test('a reset ends the session at once', t => {
  const pair = new SessionPair();

  pair.a.handleReset(pair.now);
  pair.drain();

  t.like(pair.events.a.at(-1), { kind: 'closed', by: 'reset' });
  t.is(pair.sent.a, 0);
  t.true(pair.a.finished);
});
