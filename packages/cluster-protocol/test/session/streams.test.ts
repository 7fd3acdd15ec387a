import test from 'ava';
import fc from 'fast-check';

import { StreamCode } from '../../src/session/index.js';
import { INITIAL_SESSION_CREDIT, INITIAL_STREAM_CREDIT, INITIAL_STREAMS } from '../../src/wire/index.js';
import { SessionPair, sendAll, type PairOptions, type Side } from './pair.js';
import { StreamPrograms, streamBytes } from './stream-programs.js';

const SERVICE = 9;

function programs(options: PairOptions = {}) {
  const pair = new SessionPair(options);
  return { pair, programs: new StreamPrograms(pair), a: pair.a.streams, b: pair.b.streams };
}

const sameBytes = (x: Uint8Array, y: Uint8Array): boolean => Buffer.compare(x, y) === 0;

test('a stream brings its bytes in order and ends', t => {
  const { pair, programs: both, a } = programs();
  const bytes = streamBytes(1, 50_000);

  const stream = a.open({ service: SERVICE, priority: 2 });
  both.write('a', stream, bytes);
  pair.run(() => both.half('b', stream).ended);

  t.true(sameBytes(both.half('b', stream).bytes, bytes));
  const opened = pair.events.b.find(event => event.kind === 'streamOpened');
  t.deepEqual(opened, { kind: 'streamOpened', stream, service: SERVICE, priority: 2, oneWay: false });
  pair.run(() => false, 1_000);
  t.is(pair.count('a', 'streamFinished'), 1);
});

test('both sides of a stream talk, and it is forgotten when both have ended', t => {
  const { pair, programs: both, a, b } = programs();
  both.opened = (side, { stream }) => both.write(side, stream, streamBytes(2, 3_000));

  const stream = a.open({ service: SERVICE });
  both.write('a', stream, streamBytes(1, 2_000));
  pair.run(() => false, 1_000);

  t.true(sameBytes(both.half('a', stream).bytes, streamBytes(2, 3_000)));
  t.true(sameBytes(both.half('b', stream).bytes, streamBytes(1, 2_000)));
  t.deepEqual([a.size, b.size], [0, 0]);
});

test('a one-way stream goes one way', t => {
  const { pair, programs: both, b } = programs();

  const stream = b.open({ service: SERVICE, oneWay: true });
  both.write('b', stream, streamBytes(3, 10));
  pair.run(() => both.half('a', stream).ended);

  t.is(stream, 3);
  t.throws(() => pair.a.streams.write(stream, streamBytes(1, 1)), { code: 'INVALID_STATE' });
});

test('an empty stream arrives as opened and ended', t => {
  const { pair, programs: both, a } = programs();

  const stream = a.open({ service: SERVICE });
  a.end(stream);
  pair.run(() => both.half('b', stream).ended);

  t.is(both.half('b', stream).bytes.length, 0);
});

test('a stream that is opened and not yet written is known to the peer, who may speak first', t => {
  const { pair, programs: both, a } = programs();
  both.opened = (side, { stream }) => both.write(side, stream, streamBytes(4, 100));

  const stream = a.open({ service: SERVICE });
  pair.run(() => both.half('a', stream).ended);

  t.true(sameBytes(both.half('a', stream).bytes, streamBytes(4, 100)));
});

test('the bytes are copied: what the writer does with its buffer afterwards changes nothing', t => {
  const { pair, programs: both, a } = programs();
  const buffer = streamBytes(1, 1_000);
  const stream = a.open({ service: SERVICE });

  a.write(stream, buffer);
  a.end(stream);
  buffer.fill(0);
  pair.run(() => both.half('b', stream).ended);

  t.true(sameBytes(both.half('b', stream).bytes, streamBytes(1, 1_000)));
});

test('what is read belongs to the reader: it may be overwritten at once', t => {
  const { pair, programs: both, a, b } = programs();
  const stream = a.open({ service: SERVICE });
  both.paused.b.add(stream);
  const expected = streamBytes(5, 40_000);
  const parts: number[] = [];

  a.write(stream, expected);
  pair.run(() => {
    for (let chunk = b.read(pair.now, stream); chunk; chunk = b.read(pair.now, stream)) {
      parts.push(...chunk.bytes);
      chunk.bytes.fill(0);
    }
    return parts.length === expected.length;
  });

  t.true(sameBytes(Uint8Array.from(parts), expected));
});

test('a reader that does not read holds its stream back at the credit, and not the others', t => {
  const { pair, programs: both, a } = programs();
  const slow = a.open({ service: SERVICE });
  both.paused.b.add(slow);
  const quick = a.open({ service: SERVICE });

  both.write('a', slow, streamBytes(1, 1_000_000));
  both.write('a', quick, streamBytes(2, 1_000_000));
  pair.run(() => both.half('b', quick).ended, 60_000);

  t.true(both.half('b', quick).ended);
  t.is(both.half('b', slow).bytes.length, 0);
  both.read('b', slow);
  t.is(both.half('b', slow).bytes.length, INITIAL_STREAM_CREDIT);
  both.paused.b.delete(slow);
  pair.run(() => both.half('b', slow).ended, 60_000);
  t.true(sameBytes(both.half('b', slow).bytes, streamBytes(1, 1_000_000)));
});

test('streams that nobody reads stop at the credit of the session', t => {
  const { pair, programs: both, a, b } = programs();
  const streams = Array.from({ length: 5 }, () => a.open({ service: SERVICE, oneWay: true }));
  for (const stream of streams) {
    both.paused.b.add(stream);
    both.write('a', stream, streamBytes(stream, INITIAL_STREAM_CREDIT));
  }

  pair.run(() => false, 20_000);

  let waiting = 0;
  for (const stream of streams) {
    both.read('b', stream);
    waiting += both.half('b', stream).bytes.length;
  }
  t.is(waiting, INITIAL_SESSION_CREDIT);
  pair.run(() => both.bytes.b >= 5 * INITIAL_STREAM_CREDIT, 20_000);
  both.paused.b.clear();
  for (const stream of streams) both.read('b', stream);
  pair.run(() => streams.every(stream => both.half('b', stream).ended), 20_000);
  t.true(streams.every(stream => both.half('b', stream).ended));
  t.is(b.size, 0);
});

test('a session whose stream waits for its reader lives on, and is quiet', t => {
  const { pair, programs: both, a } = programs();
  const stream = a.open({ service: SERVICE });
  both.paused.b.add(stream);
  both.write('a', stream, streamBytes(1, 500_000));
  pair.run(() => false, 10_000);
  const sent = pair.sent.a + pair.sent.b;

  pair.run(() => false, 600_000);

  t.is(pair.sent.a + pair.sent.b, sent);
  t.true(pair.a.isOpen && pair.b.isOpen);
});

test('a write takes what there is room for and tells when there is more', t => {
  const { pair, a } = programs();
  const stream = a.open({ service: SERVICE });
  const all = streamBytes(1, 2_000_000);

  const taken = a.write(stream, all);

  t.true(taken > 0 && taken < all.length);
  t.is(a.write(stream, all), 0);
  t.is(pair.count('a', 'streamWritable'), 0);
  pair.run(() => pair.count('a', 'streamWritable') === 1, 5_000);
  t.is(pair.count('a', 'streamWritable'), 1);
});

test('the window grows while it is what holds the sender back', t => {
  const { pair, programs: both, a } = programs({ link: { delay: 100 } });
  const stream = a.open({ service: SERVICE });
  both.write('a', stream, streamBytes(1, 16_000_000));
  pair.run(() => both.bytes.b > 8_000_000, 60_000);
  const begun = pair.now;
  const before = both.bytes.b;

  pair.run(() => both.half('b', stream).ended, 60_000);

  const perRoundTrip = ((both.bytes.b - before) * 200) / (pair.now - begun);
  t.true(perRoundTrip > 4 * INITIAL_STREAM_CREDIT, `${perRoundTrip} bytes per round trip`);
});

test('a reset stream says why, and what was not read is gone', t => {
  const { pair, programs: both, a, b } = programs();
  const stream = a.open({ service: SERVICE });
  both.paused.b.add(stream);
  both.write('a', stream, streamBytes(1, 5_000), false);
  pair.run(() => false, 500);

  a.reset(stream, 0x123);
  pair.run(() => both.half('b', stream).reset !== undefined);

  t.is(both.half('b', stream).reset, 0x123);
  t.is(b.read(pair.now, stream), undefined);
  t.throws(() => a.write(stream, streamBytes(1, 1)), { code: 'INVALID_STATE' });
});

test('what reset streams leave unread does not use up the credit of the session', t => {
  const { pair, programs: both, a, b } = programs();

  for (let round = 0; round < 6; round++) {
    const stream = a.open({ service: SERVICE, oneWay: true });
    both.paused.b.add(stream);
    both.write('a', stream, streamBytes(round, 100_000), false);
    pair.run(() => false, 1_000);
    a.reset(stream, 1);
    pair.run(() => both.half('b', stream).reset !== undefined, 1_000);
  }
  const last = a.open({ service: SERVICE, oneWay: true });
  both.write('a', last, streamBytes(9, 200_000));
  pair.run(() => both.half('b', last).ended, 10_000);

  t.true(sameBytes(both.half('b', last).bytes, streamBytes(9, 200_000)));
  pair.run(() => false, 1_000);
  t.deepEqual([a.size, b.size, pair.memory.a.held, pair.memory.b.held], [0, 0, 0, 0]);
});

test('a stopped stream is reset by its sender, and its bytes no longer count', t => {
  const { pair, programs: both, a, b } = programs();
  const stream = a.open({ service: SERVICE, oneWay: true });
  both.paused.b.add(stream);
  both.write('a', stream, streamBytes(1, 1_000_000));
  pair.run(() => false, 2_000);

  b.stop(pair.now, stream, 0x200);
  pair.run(() => false, 2_000);

  const stopped = pair.events.a.find(event => event.kind === 'streamStopped');
  t.deepEqual(stopped, { kind: 'streamStopped', stream, code: 0x200 });
  t.deepEqual([a.size, b.size], [0, 0]);
  const next = a.open({ service: SERVICE, oneWay: true });
  both.write('a', next, streamBytes(2, 1_000_000));
  pair.run(() => both.half('b', next).ended);
  t.true(both.half('b', next).ended);
});

test('what a stopped stream has brought is let go at once', t => {
  const { pair, programs: both, a, b } = programs();
  const stream = a.open({ service: SERVICE, oneWay: true });
  both.paused.b.add(stream);
  both.write('a', stream, streamBytes(1, 100_000), false);
  pair.run(() => false, 2_000);
  t.true(pair.memory.b.held >= 100_000);

  b.stop(pair.now, stream, 0x200);

  t.is(pair.memory.b.held, 0);
});

test('who takes no streams refuses each of them and keeps nothing', t => {
  const { pair, programs: both, a, b } = programs({ config: { acceptStreams: () => false } });
  const stream = a.open({ service: SERVICE });

  both.write('a', stream, streamBytes(1, 100_000));
  pair.run(() => false, 2_000);

  const stopped = pair.events.a.find(event => event.kind === 'streamStopped');
  t.deepEqual(stopped, { kind: 'streamStopped', stream, code: StreamCode.refused });
  t.is(pair.count('b', 'streamOpened'), 0);
  t.deepEqual([a.size, b.size], [0, 0]);
});

test('no more streams are opened than the peer allows, and ended ones make room', t => {
  const { pair, programs: both, a } = programs();
  const streams = Array.from({ length: INITIAL_STREAMS }, () => a.open({ service: SERVICE, oneWay: true }));
  const tooMany = t.throws(() => a.open({ service: SERVICE, oneWay: true }), { code: 'QUEUE_FULL' });
  t.regex(tooMany.message, /streamsAvailable/);

  for (const stream of streams) both.write('a', stream, streamBytes(stream, 10));
  pair.run(() => pair.count('a', 'streamsAvailable') > 0, 5_000);

  t.notThrows(() => a.open({ service: SERVICE, oneWay: true }));
});

test('two thousand streams come one after the other', t => {
  const { pair, programs: both, a, b } = programs({ link: { loss: 0.02, jitter: 5 } });
  let opened = 0;
  const open = (): void => {
    while (opened < 2_000) {
      try {
        both.write('a', a.open({ service: SERVICE, oneWay: true }), streamBytes(opened, 32));
        opened++;
      } catch {
        return;
      }
    }
  };
  const ended = (): number => [...both.received.b.values()].filter(half => half.ended).length;

  pair.run(() => {
    open();
    pair.drain();
    return opened === 2_000 && ended() === 2_000;
  }, 120_000);

  t.is(ended(), 2_000);
  pair.run(() => false, 5_000);
  t.deepEqual([a.size, b.size], [0, 0]);
});

test('a stream that lost a packet does not hold up another', t => {
  const { pair, programs: both, a } = programs();
  const first = a.open({ service: SERVICE });
  const second = a.open({ service: SERVICE });
  both.write('a', first, streamBytes(1, 100), false);
  both.write('a', second, streamBytes(2, 100), false);
  pair.run(() => false, 500);
  let lost = 0;
  pair.drop = flight => flight.from === 'a' && lost++ === 0;

  both.write('a', first, streamBytes(1, 100));
  pair.drain();
  pair.drop = () => false;
  both.write('a', second, streamBytes(2, 100));
  pair.run(() => both.half('b', second).ended, 15);

  t.true(both.half('b', second).ended);
  t.false(both.half('b', first).ended);
});

test('a message goes between the packets of a stream, and a more urgent stream before a bulk', t => {
  const { pair, programs: both, a } = programs({ link: { delay: 20 } });
  const bulk = a.open({ service: SERVICE, priority: 6 });
  both.write('a', bulk, streamBytes(1, 4_000_000));
  pair.run(() => both.bytes.b > 500_000, 60_000);
  const begun = pair.now;

  const urgent = a.open({ service: SERVICE, priority: 1 });
  both.write('a', urgent, streamBytes(2, 1_000));
  sendAll(pair, 'a', [500]);
  pair.run(() => both.half('b', urgent).ended && pair.messages('b').length === 1, 60_000);

  t.true(pair.now - begun < 100, `${pair.now - begun} ms`);
});

test('streams of one priority share the link evenly', t => {
  // Losses keep the window small, so that it is what they share.
  const { pair, programs: both, a } = programs({ link: { loss: 0.01 } });
  const streams = Array.from({ length: 4 }, () => a.open({ service: SERVICE, oneWay: true }));
  for (const stream of streams) both.write('a', stream, streamBytes(stream, 8_000_000));
  const received = (): number[] =>
    streams.map(stream => both.half('b', stream).chunks.reduce((sum, { length }) => sum + length, 0));
  pair.run(() => both.bytes.b > 1_000_000, 60_000);
  const before = received();

  pair.run(() => both.bytes.b > 4_000_000, 60_000);

  const shares = received().map((bytes, i) => bytes - before[i]!);
  t.true(Math.max(...shares) < 1.3 * Math.min(...shares), shares.join(' '));
});

test('whatever happens on the link, streams bring what was written, in order, once', t => {
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000_000 }),
      fc.double({ min: 0, max: 0.2, noNaN: true }),
      fc.array(
        fc.record({
          side: fc.constantFrom<Side>('a', 'b'),
          length: fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: 60_000 })),
          oneWay: fc.boolean(),
          end: fc.constantFrom('end', 'end', 'end', 'reset', 'stop'),
          at: fc.nat({ max: 400 }),
          priority: fc.nat({ max: 7 }),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      (seed, loss, plan) => {
        const { pair, programs: both } = programs({
          seed,
          link: { delay: 15, jitter: 20, loss, duplication: 0.05 },
        });
        both.opened = (side, { stream, oneWay }) => {
          if (!oneWay) both.write(side, stream, streamBytes(stream, 700));
        };
        const streams = plan.map(({ side, length, oneWay, priority, end }) => {
          const stream = pair.sides[side].streams.open({ service: SERVICE, oneWay, priority });
          both.write(side, stream, streamBytes(stream, length), end === 'end');
          return stream;
        });
        plan.forEach(({ side, end, at }, i) => {
          pair.run(() => false, at);
          if (end === 'reset') pair.sides[side].streams.reset(streams[i]!, 0x100);
          if (end === 'stop') {
            const reader = side === 'a' ? 'b' : 'a';
            both.paused[reader].add(streams[i]!);
            pair.sides[reader].streams.stop(pair.now, streams[i]!, 0x100);
            if (pair.sides[side].isOpen) pair.sides[side].streams.reset(streams[i]!, 0x101);
          }
        });
        pair.run(() => false, 60_000);

        plan.forEach(({ side, length, end, oneWay }, i) => {
          const stream = streams[i]!;
          const half = both.half(side === 'a' ? 'b' : 'a', stream);
          const expected = streamBytes(stream, length);
          if (!sameBytes(half.bytes, expected.subarray(0, half.bytes.length))) throw new Error('other bytes');
          if (end === 'end' && !(half.ended && half.bytes.length === length))
            throw new Error(`${stream} not ended`);
          const answer = both.half(side, stream);
          if (end === 'end' && !oneWay && !sameBytes(answer.bytes, streamBytes(stream, 700)))
            throw new Error('another answer');
        });
        if (!pair.a.isOpen || !pair.b.isOpen) throw new Error('a session closed');
        if (pair.a.streams.size + pair.b.streams.size > 0) throw new Error('streams are left behind');
        const held = pair.memory.a.held + pair.memory.b.held;
        if (held !== 0) throw new Error(`${held} bytes of blocks are left behind`);
      },
    ),
    { numRuns: 150 },
  );
  t.pass();
});
