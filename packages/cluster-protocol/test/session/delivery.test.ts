import test from 'ava';
import fc from 'fast-check';
import type { ClusterError } from '../../src/base/index.js';
import { MAX_MESSAGE } from '../../src/wire/index.js';
import { SessionPair, sendAll, testMessage } from './pair.js';

test('a message arrives whole and its acknowledgement comes back', t => {
  const pair = new SessionPair();

  sendAll(pair, 'a', [5]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 1);

  const [message] = pair.messages('b');
  t.deepEqual(message?.bytes, testMessage(0, 5));
  t.like(message, { sequence: 0, floor: 0, service: 7 });
  t.true(pair.now < 1_000 + 20 + 26, 'one round trip and at most the ack delay');
});

test('a lone message on an idle session goes out at once', t => {
  const pair = new SessionPair();
  pair.recorded = [];

  sendAll(pair, 'a', [64]);
  pair.drain();

  t.is(pair.recorded.length, 1);
  t.true(pair.recorded[0]!.bytes.length <= 64 + 25 + 10, 'at most 25 bytes of packet and 10 of frame');
});

test('many small messages share datagrams', t => {
  const pair = new SessionPair();
  pair.recorded = [];

  sendAll(pair, 'a', new Array<number>(100).fill(40));
  pair.drain();

  t.true(pair.recorded.length <= 5, `${pair.recorded.length} packets`);
});

test('an empty message and the largest one that needs no grant arrive', t => {
  const pair = new SessionPair();

  sendAll(pair, 'a', [0, 65_536]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 2);

  t.deepEqual(
    pair
      .messages('b')
      .map(message => message.bytes.length)
      .sort((x, y) => x - y),
    [0, 65_536],
  );
  t.deepEqual(pair.messages('b').find(message => message.sequence === 1)?.bytes, testMessage(1, 65_536));
});

test('a large message does not hold up a small one behind it', t => {
  const pair = new SessionPair({ link: { delay: 50 } });

  sendAll(pair, 'a', [65_536, 65_536, 10]);
  pair.run(() => pair.messages('b').length > 0);

  t.is(pair.messages('b')[0]?.sequence, 2);
});

test('a message of a higher priority overtakes those of a lower one', t => {
  const pair = new SessionPair();
  const send = (sequence: number, priority: number, length: number): void =>
    pair.a.sendMessage(pair.now, {
      sequence,
      floor: 0,
      service: 1,
      bytes: testMessage(sequence, length),
      priority,
    });

  for (let i = 0; i < 8; i++) send(i, 7, 60_000);
  send(8, 0, 30_000);
  pair.run(() => pair.messages('b').length > 0);

  t.is(pair.messages('b')[0]?.sequence, 8);
});

test('every set of messages arrives exactly once through loss, reordering and duplication', t => {
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000_000 }),
      fc.record({
        loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
        jitter: fc.integer({ min: 0, max: 100 }),
        duplication: fc.double({ min: 0, max: 0.3, noNaN: true }),
        delay: fc.integer({ min: 0, max: 150 }),
      }),
      fc.array(
        fc.oneof(
          { weight: 4, arbitrary: fc.nat({ max: 1_500 }) },
          { weight: 1, arbitrary: fc.nat({ max: 65_536 }) },
        ),
        {
          maxLength: 30,
        },
      ),
      fc.array(fc.nat({ max: 3_000 }), { maxLength: 20 }),
      (seed, link, forth, back) => {
        const pair = new SessionPair({ seed, link });

        sendAll(pair, 'a', forth, 5_000);
        sendAll(pair, 'b', back);
        const done = pair.run(
          () =>
            pair.count('a', 'messageAcknowledged') === forth.length &&
            pair.count('b', 'messageAcknowledged') === back.length,
          600_000,
        );

        t.true(done, 'everything is acknowledged');
        for (const [side, lengths, first] of [
          ['b', forth, 5_000],
          ['a', back, 0],
        ] as const) {
          const got = [...pair.messages(side)].sort((x, y) => x.sequence - y.sequence);
          t.deepEqual(
            got.map(message => message.sequence),
            lengths.map((_, i) => first + i),
          );
          for (const message of got) {
            t.deepEqual(message.bytes, testMessage(message.sequence, lengths[message.sequence - first]!));
          }
        }
        t.is(pair.a.statistics().sentPackets, pair.sent.a);
      },
    ),
    { numRuns: 60 },
  );
});

test('datagrams arrive at most once and without loss all of them do', t => {
  const pair = new SessionPair({ link: { duplication: 0.5, jitter: 20 } });

  for (let i = 0; i < 40; i++) t.true(pair.a.sendDatagram(pair.now, 9, Uint8Array.of(i)));
  pair.run(() => false, 1_000);

  const got = pair.events.b.filter(event => event.kind === 'datagram').map(event => event.bytes[0]!);
  t.deepEqual(
    [...got].sort((x, y) => x - y),
    Array.from({ length: 40 }, (_, i) => i),
  );
});

test('a datagram that does not fit one packet, or comes when too many wait, is refused', t => {
  const pair = new SessionPair();

  t.false(pair.a.sendDatagram(pair.now, 1, new Uint8Array(1_200)));
  for (let i = 0; i < 64; i++) t.true(pair.a.sendDatagram(pair.now, 1, new Uint8Array(1_000)));

  t.false(pair.a.sendDatagram(pair.now, 1, new Uint8Array(1)));
});

test('control frames arrive exactly once through loss and duplication', t => {
  for (let seed = 0; seed < 20; seed++) {
    const pair = new SessionPair({ seed, link: { loss: 0.3, duplication: 0.3, jitter: 30 } });
    const expected: number[] = [];

    for (let i = 0; i < 300; i++) {
      pair.a.sendControl(pair.now, 3, Uint8Array.of(i >> 8, i & 255));
      expected.push(i);
      pair.run(() => false, 100);
    }
    pair.run(() => false, 10_000);

    const got = pair.events.b
      .filter(event => event.kind === 'control')
      .map(event => event.bytes[0]! * 256 + event.bytes[1]!);
    t.deepEqual(
      got.sort((x, y) => x - y),
      expected,
    );
  }
});

test('a cancelled message is not sent again and does not come half', t => {
  const pair = new SessionPair();
  sendAll(pair, 'a', [60_000, 100]);
  pair.drain();

  t.true(pair.a.cancelMessage(0));
  pair.run(() => false, 5_000);

  t.deepEqual(
    pair.messages('b').map(message => message.sequence),
    [1],
  );
  t.false(pair.a.cancelMessage(0));
});

test('a message that lies a window above its floor waits until the floor moves', t => {
  const pair = new SessionPair();
  let floor = 0;
  pair.a.sendMessage(pair.now, { sequence: 1_024, floor: () => floor, service: 1, bytes: new Uint8Array(1) });
  pair.run(() => false, 60_000);
  t.is(pair.messages('b').length, 0);
  t.is(pair.count('a', 'closed'), 0, 'a message held back is not one that the peer fails to acknowledge');

  floor = 1;
  pair.run(() => pair.messages('b').length === 1, 1_000);

  t.like(pair.messages('b')[0], { sequence: 1_024, floor: 1 });
});

test('misuse throws at once and says what would be right', t => {
  const pair = new SessionPair();
  const message = { sequence: 1, floor: 0, service: 1, bytes: new Uint8Array(1) };
  pair.a.sendMessage(pair.now, message);

  const codeOf = (run: () => void): unknown => t.throws<ClusterError>(run).code;

  t.is(
    codeOf(() => pair.a.sendMessage(pair.now, message)),
    'INVALID_ARGUMENT',
  );
  t.is(
    codeOf(() =>
      pair.a.sendMessage(pair.now, { ...message, sequence: 2, bytes: new Uint8Array(MAX_MESSAGE + 1) }),
    ),
    'MESSAGE_TOO_LARGE',
  );
  t.is(
    codeOf(() => pair.a.sendMessage(pair.now, { ...message, sequence: 2, priority: 8 })),
    'INVALID_ARGUMENT',
  );
  t.is(
    codeOf(() => pair.a.sendMessage(pair.now, { ...message, sequence: 2_000, floor: 5 })),
    'INVALID_ARGUMENT',
  );
  t.is(
    codeOf(() => pair.a.sendControl(pair.now, 1, new Uint8Array(1_025))),
    'MESSAGE_TOO_LARGE',
  );
  t.is(
    codeOf(() => pair.a.activatePath(pair.now, 5)),
    'INVALID_STATE',
  );
  t.is(
    codeOf(() => pair.a.removePath(pair.now, 0)),
    'INVALID_STATE',
  );
});
