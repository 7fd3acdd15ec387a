import test from 'ava';
import fc from 'fast-check';
import { after, instant, seconds } from '../../src/base/index.js';
import { MAX_MESSAGE, MESSAGE_WINDOW, UNGRANTED_MESSAGE, type Frame } from '../../src/wire/index.js';
import { FrameCounts } from '../../src/session/frame-counts.js';
import { MessageControl } from '../../src/session/message-control.js';
import { MAX_QUEUED_MESSAGES, MessageQueue } from '../../src/session/message-queue.js';
import { OutgoingMessage } from '../../src/session/outgoing-message.js';
import { PacketContents } from '../../src/session/packet-contents.js';
import { SentFramePool } from '../../src/session/sent-frame.js';
import { GRANT_LIFE, MESSAGE_MEMORY, MessageMemory } from '../../src/session/message-memory.js';
import { hostilePeer } from './hostile-peer.js';
import { SessionPair, sendAll, testMessage } from './pair.js';

/** A large number of bytes that is no multiple of anything. */
const ABOVE_GRANT = UNGRANTED_MESSAGE + 123_457;

test('the largest message arrives whole and leaves nothing behind', t => {
  const pair = new SessionPair();
  sendAll(pair, 'a', [MAX_MESSAGE]);

  const done = pair.run(() => pair.count('a', 'messageAcknowledged') === 1);

  t.true(done);
  t.true(Buffer.from(pair.messages('b')[0]!.bytes).equals(testMessage(0, MAX_MESSAGE)));
  t.is(pair.messageMemory.b.reserved, 0);
  t.is(pair.messageMemory.b.blocks.held, 0);
  t.like(pair.b.statistics(), { partialMessages: 0, reservedBytes: 0 });
});

test('no more than 64 KiB of a message go before its grant, and the grant takes one round trip', t => {
  const pair = new SessionPair({ link: { delay: 50 } });
  sendAll(pair, 'a', [ABOVE_GRANT]);

  pair.run(() => pair.b.statistics().receivedFrames.fragment > 0);
  t.true(pair.b.statistics().reservedBytes >= ABOVE_GRANT - UNGRANTED_MESSAGE, 'all of the rest is reserved');
  t.true(pair.messageMemory.b.blocks.held <= UNGRANTED_MESSAGE, 'but no memory is taken ahead of its bytes');

  t.true(pair.run(() => pair.messages('b').length === 1, 600));
});

test('a message that waits for its grant keeps its session alive, and a dead peer is noticed all the same', t => {
  const memory = new MessageMemory();
  const holder = new SessionPair({ messageMemory: memory });
  const waiting = new SessionPair({ messageMemory: memory });
  sendAll(holder, 'a', [MAX_MESSAGE, MAX_MESSAGE]);
  holder.run(() => memory.reserved >= 2 * (MAX_MESSAGE - UNGRANTED_MESSAGE));
  const second = new SessionPair({ messageMemory: memory });
  sendAll(second, 'a', [MAX_MESSAGE]);
  second.run(() => memory.reserved >= 3 * (MAX_MESSAGE - UNGRANTED_MESSAGE));

  sendAll(waiting, 'a', [MAX_MESSAGE, 100]);
  waiting.run(() => false, 100_000);

  t.is(waiting.count('a', 'closed'), 0);
  t.deepEqual(
    waiting.messages('b').map(message => message.sequence),
    [1],
    'what needs no grant is not held up',
  );
  waiting.drop = () => true;
  waiting.run(() => waiting.count('a', 'closed') === 1, 60_000);
  t.is(waiting.count('a', 'closed'), 1);
});

test('a small urgent message passes the largest one within a round trip', t => {
  const pair = new SessionPair({ link: { delay: 20 } });
  sendAll(pair, 'a', [MAX_MESSAGE]);
  pair.run(() => pair.messageMemory.b.blocks.held > MAX_MESSAGE / 4);
  const sentAt = pair.now;
  const packets = pair.sent.a;

  pair.a.sendMessage(pair.now, { sequence: 1, floor: 0, service: 7, bytes: testMessage(1, 40), priority: 0 });
  let passed = 0;
  pair.drop = flight => {
    if (flight.from === 'a' && passed === 0) passed = flight.number - packets + 1;
    return false;
  };
  pair.run(() => pair.messages('b').length > 0);

  t.is(pair.messages('b')[0]?.sequence, 1);
  t.true(pair.now - sentAt <= 40, `${pair.now - sentAt} ms`);
  t.is(passed, 1, 'it is in the next packet');
});

test('a small message of the same priority takes its turn with a large one', t => {
  const pair = new SessionPair({ link: { delay: 20 } });
  sendAll(pair, 'a', [MAX_MESSAGE]);
  pair.run(() => pair.messageMemory.b.blocks.held > MAX_MESSAGE / 4);
  const sentAt = pair.now;

  sendAll(pair, 'a', [40], 1);
  pair.run(() => pair.messages('b').length > 0);

  t.is(pair.messages('b')[0]?.sequence, 1);
  t.true(pair.now - sentAt <= 80, `${pair.now - sentAt} ms`);
});

test('an urgent large message passes a large one that is half sent', t => {
  const pair = new SessionPair({ link: { delay: 20 } });
  sendAll(pair, 'a', [MAX_MESSAGE, MAX_MESSAGE / 2, 1_000_000]);
  pair.run(() => pair.messageMemory.b.blocks.held > MAX_MESSAGE / 4);

  pair.a.sendMessage(pair.now, {
    sequence: 3,
    floor: 0,
    service: 7,
    bytes: testMessage(3, 1_000_000),
    priority: 0,
  });
  pair.run(() => pair.messages('b').length > 0);

  t.is(pair.messages('b')[0]?.sequence, 3);
});

for (const loss of [0, 0.5])
  test(`a cancelled message leaves nothing at the peer, ${loss === 0 ? 'at once' : 'however many notices get lost'}`, t => {
    const pair = new SessionPair({ link: { delay: 20 } });
    sendAll(pair, 'a', [2_000_000, 60_000]);
    pair.run(() => pair.messageMemory.b.blocks.held > 500_000);
    pair.link.loss = loss;

    t.true(pair.a.cancelMessage(0));
    const gone = pair.run(() => pair.b.statistics().reservedBytes < 500_000, loss === 0 ? 21 : 5_000);
    pair.run(() => pair.count('a', 'messageAcknowledged') === 1);
    pair.run(() => false, 3_000);

    t.true(gone);
    t.deepEqual(
      pair.messages('b').map(message => message.sequence),
      [1],
    );
    t.is(pair.messageMemory.b.reserved, 0, 'fragments that come late begin nothing anew');
  });

test('a message cancelled before anything of it went needs no notice', t => {
  const pair = new SessionPair();

  sendAll(pair, 'a', [200_000]);
  t.true(pair.a.cancelMessage(0));
  pair.run();

  t.is(pair.sent.a, 0);
});

test('what a receiver threw away is sent again from its beginning and comes once', t => {
  const pair = new SessionPair();
  sendAll(pair, 'a', [300_000]);
  pair.run(() => pair.b.statistics().receivedFrames.fragment > 30);

  pair.b.handleTimeout(instant(pair.now + 31_000));
  t.like(pair.b.statistics(), { partialMessages: 0, reservedBytes: 0 });
  pair.run(() => pair.count('a', 'messageAcknowledged') === 1);
  pair.run(() => false, 1_000);

  t.is(pair.messages('b').length, 1);
  t.deepEqual(pair.messages('b')[0]?.bytes, testMessage(0, 300_000));
  t.true(pair.a.statistics().sentFrames.firstFragment >= 2);
  t.true(pair.a.statistics().retransmittedBytes > 0);
  t.is(pair.messageMemory.b.reserved, 0);
});

test('whatever is lost, late, doubled, cancelled, expired or thrown away: each message comes once or is reported, and nothing stays', t => {
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000_000 }),
      fc.record({
        loss: fc.double({ min: 0, max: 0.2, noNaN: true }),
        jitter: fc.integer({ min: 0, max: 80 }),
        duplication: fc.double({ min: 0, max: 0.2, noNaN: true }),
        delay: fc.integer({ min: 0, max: 80 }),
      }),
      fc.array(
        fc.record({
          length: fc.oneof(fc.nat({ max: 1_500 }), fc.nat({ max: 70_000 }), fc.nat({ max: 600_000 })),
          priority: fc.nat({ max: 7 }),
          cancelAfter: fc.option(fc.nat({ max: 800 })),
          wait: fc.nat({ max: 40 }),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      fc.array(fc.nat({ max: 1_500 }), { maxLength: 3 }),
      (seed, link, plans, outages) => {
        const pair = new SessionPair({ seed, link });
        const cancelled = new Set<number>();
        const due: { at: number; sequence: number }[] = [];
        // Half of what is there is thrown away as a full memory or a timeout would.
        const thrown = outages.map(at => pair.now + at).sort((x, y) => x - y);
        const pass = (duration: number): void => {
          const end = pair.now + duration;
          while (pair.now < end) {
            pair.run(() => false, Math.min(10, end - pair.now));
            for (const { at, sequence } of due)
              if (at <= pair.now && !cancelled.has(sequence) && pair.a.cancelMessage(sequence)) {
                cancelled.add(sequence);
                pair.open.a.delete(sequence);
              }
            if (thrown[0] !== undefined && thrown[0] <= pair.now) {
              thrown.shift();
              pair.messageMemory.b.makeRoom(after(pair.now, seconds(3)), NOBODY, MESSAGE_MEMORY);
            }
          }
        };
        plans.forEach(({ length, priority, cancelAfter, wait }, sequence) => {
          pair.open.a.add(sequence);
          const floor = (): number => Math.min(...pair.open.a, sequence);
          const bytes = testMessage(sequence, length);
          pair.a.sendMessage(pair.now, { sequence, floor, service: 7, bytes, priority });
          if (cancelAfter !== null) due.push({ at: pair.now + cancelAfter, sequence });
          pass(wait);
        });
        pass(1_600);
        const settled = (): boolean =>
          pair.count('a', 'messageAcknowledged') + cancelled.size === plans.length &&
          pair.messageMemory.b.reserved === 0;
        const done = pair.run(settled, 600_000);

        t.true(done, 'everything is acknowledged or cancelled, and nothing stays');
        const got = pair.messages('b').map(message => message.sequence);
        t.is(new Set(got).size, got.length, 'nothing comes twice');
        for (let sequence = 0; sequence < plans.length; sequence++)
          t.true(got.includes(sequence) || cancelled.has(sequence));
        for (const { sequence, bytes } of pair.messages('b'))
          t.true(Buffer.from(bytes).equals(testMessage(sequence, plans[sequence]!.length)));
        t.is(pair.messageMemory.b.blocks.held, 0);
        t.is(pair.count('a', 'closed') + pair.count('b', 'closed'), 0);
      },
    ),
    { numRuns: 60 },
  );
});

const NOBODY = { charged: -MESSAGE_MEMORY, granted: 0, grant: () => undefined, throwAway: () => undefined };

test('a thousand sessions of endless beginnings stay within the memory and leave room for an honest one', async t => {
  const memory = new MessageMemory();
  const liars = await Promise.all(Array.from({ length: 1_000 }, () => hostilePeer(memory)));
  const flood = (round: number): void => {
    for (const { send } of liars)
      for (let sequence = 0; sequence < 4; sequence++)
        send(
          [first(8 * round + sequence, sequence % 2 === 0 ? MAX_MESSAGE : 65_536, 1_100)],
          undefined,
          round,
        );
  };
  for (let round = 0; round < 8; round++) flood(round);

  const pair = new SessionPair({ messageMemory: memory });
  pair.now = instant(10_000);
  sendAll(pair, 'a', new Array<number>(20).fill(60_000));
  const done = pair.run(() => pair.count('a', 'messageAcknowledged') === 20, 5_000);

  t.true(memory.reserved <= MESSAGE_MEMORY);
  t.true(memory.blocks.held <= MESSAGE_MEMORY);
  t.true(done);
  t.is(pair.drops.b.get('reassemblyFull'), 0);
});

const first = (sequence: number, total: number, length: number): Frame => ({
  type: 'firstFragment',
  sequence,
  total,
  service: 1,
  floor: 0,
  priority: 0,
  bytes: new Uint8Array(length),
});

test('a fragment beyond 64 KiB without a grant drops its packet', async t => {
  const { send, session } = await hostilePeer();
  const beyond: Frame = {
    type: 'fragment',
    sequence: 1,
    offset: UNGRANTED_MESSAGE,
    bytes: new Uint8Array(1),
  };

  t.is(send([beyond]), 'reassemblyFull');

  t.is(session.statistics().partialMessages, 0);
});

test('a message in a thousand pieces drops packets rather than to grow', async t => {
  const { send, session, drops } = await hostilePeer();

  for (let i = 1; i < 1_000; i++)
    send([{ type: 'fragment', sequence: 1, offset: 2 * i, bytes: new Uint8Array(1) }]);

  t.is(drops.get('reassemblyFull'), 999 - 32);
  t.is(
    send([{ type: 'fragment', sequence: 1, offset: 3, bytes: new Uint8Array(1) }]),
    undefined,
    'a gap may close',
  );
  t.is(session.statistics().partialMessages, 1);
});

test('after an abandoned message its fragments begin nothing, and a higher floor than its own is taken', async t => {
  const { send, session, drops } = await hostilePeer();
  send([first(5, 60_000, 100)]);

  t.is(send([{ type: 'messageAbandon', sequence: 5, floor: 3 }]), undefined);
  send([{ type: 'fragment', sequence: 5, offset: 100, bytes: new Uint8Array(10) }]);
  send([first(2, 3, 3)]);

  t.is(drops.get('duplicateMessage'), 2);
  t.like(session.statistics(), { partialMessages: 0, reservedBytes: 0 });
});

test('grants, repeats and abandons of what is not there change nothing', async t => {
  const { send, session } = await hostilePeer();
  const buffer = new Uint8Array(1_200);
  session.sendMessage(instant(0), { sequence: 0, floor: 0, service: 1, bytes: new Uint8Array(10) });
  session.pollTransmit(instant(0), buffer);
  while (session.pollTransmit(instant(0), buffer) !== undefined);

  for (const sequence of [0, 1, 2 ** 40])
    for (const type of ['messageGrant', 'messageRepeat'] as const)
      t.is(send([{ type, sequence }]), undefined);

  t.is(session.statistics().sentFrames.firstFragment, 1);
});

test('a message that begins anew counts against what may wait as before', t => {
  const control = new MessageControl({
    repeatArrived: () => undefined,
    abandonArrived: () => undefined,
  });
  const queue = new MessageQueue(1_000, control, () => undefined);
  const contents = new PacketContents(new SentFramePool(), new FrameCounts());
  const add = (sequence: number): void => {
    queue.add({ sequence, floor: 0, service: 7, bytes: new Uint8Array(MAX_MESSAGE) });
  };
  for (let sequence = 0; sequence < 4; sequence++) add(sequence);
  t.throws(() => add(4), { code: 'QUEUE_FULL' });

  queue.write(new Uint8Array(1_000), 0, 1_000, 4, contents);
  queue.repeat(0);

  t.throws(() => add(4), { code: 'QUEUE_FULL' });
  t.true(queue.cancel(0));
  t.notThrows(() => add(4));
});

test('a message may be sent while it lies less than a window above its floor', t => {
  const owner = {
    completed: () => undefined,
    revived: () => undefined,
    stalled: () => undefined,
    exhausted: () => undefined,
  };
  const admissible = (sequence: number, floor: number): boolean =>
    new OutgoingMessage(
      { sequence, floor: () => floor, service: 7, bytes: new Uint8Array(1) },
      4,
      true,
      owner,
    ).admissible;

  t.true(admissible(MESSAGE_WINDOW - 1, 0));
  t.false(admissible(MESSAGE_WINDOW, 0));
  t.true(admissible(MESSAGE_WINDOW, 1));
});

test('no more messages wait than the queue holds', t => {
  const control = new MessageControl({
    repeatArrived: () => undefined,
    abandonArrived: () => undefined,
  });
  const queue = new MessageQueue(1_000, control, () => undefined);
  const add = (sequence: number): void => {
    queue.add({ sequence, floor: () => 0, service: 7, bytes: new Uint8Array(1) });
  };
  for (let sequence = 0; sequence < MAX_QUEUED_MESSAGES; sequence++) add(sequence);

  t.throws(() => add(MAX_QUEUED_MESSAGES), { code: 'QUEUE_FULL' });
  queue.cancel(7);
  t.notThrows(() => add(MAX_QUEUED_MESSAGES));
});

test('a grant is taken back after five minutes where another session waits, and the message still comes', t => {
  const memory = new MessageMemory();
  const slow = [0, 1, 2].map(() => new SessionPair({ messageMemory: memory }));
  for (const pair of slow) {
    sendAll(pair, 'a', [MAX_MESSAGE]);
    pair.run(() => pair.b.statistics().reservedBytes > MAX_MESSAGE - UNGRANTED_MESSAGE);
    pair.drop = () => true;
  }
  const waiting = new SessionPair({ messageMemory: memory });
  sendAll(waiting, 'a', [MAX_MESSAGE]);
  waiting.run(() => false, 10_000);
  t.is(waiting.messages('b').length, 0);

  waiting.run(() => waiting.messages('b').length > 0, GRANT_LIFE + 10_000);

  t.is(waiting.messages('b').length, 1);
  t.is(slow[0]!.b.statistics().partialMessages, 0, 'the oldest grant had to go');
  t.is(slow[1]!.b.statistics().partialMessages, 1);
});
