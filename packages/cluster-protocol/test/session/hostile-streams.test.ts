import test from 'ava';
import fc from 'fast-check';

import { instant } from '../../src/base/index.js';
import type { SessionEvent } from '../../src/session/index.js';
import {
  CloseCode,
  type Frame,
  INITIAL_SESSION_CREDIT,
  INITIAL_STREAM_CREDIT,
  INITIAL_STREAMS,
} from '../../src/wire/index.js';
import { hostilePeer } from './hostile-peer.js';

type Hostile = Awaited<ReturnType<typeof hostilePeer>>;

function eventsOf({ session }: Hostile): SessionEvent[] {
  const events: SessionEvent[] = [];
  for (let event = session.pollEvent(); event; event = session.pollEvent()) events.push(event);
  return events;
}

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const open = (id: number, length = 1, fin = false): Frame => ({
  type: 'streamOpen',
  id,
  service: 9,
  priority: 4,
  fin,
  bytes: bytes(length),
});
const piece = (id: number, offset: number, length = 1, fin = false): Frame => ({
  type: 'stream',
  id,
  offset,
  fin,
  bytes: bytes(length),
});

const BROKEN: readonly (readonly [string, readonly (readonly Frame[])[], RegExp])[] = [
  [
    'a byte beyond the credit of its stream',
    [[piece(0, INITIAL_STREAM_CREDIT)]],
    /beyond its credit of 131072/,
  ],
  [
    'a byte beyond the credit of the session',
    [[piece(0, 131_071)], [piece(4, 131_071)], [open(8, 1)]],
    /session's credit of 262144/,
  ],
  ['more streams than are allowed', [[open(4 * INITIAL_STREAMS)]], /beyond the 128 allowed/],
  ['more one-way streams than are allowed', [[open(4 * INITIAL_STREAMS + 2)]], /beyond the 128 allowed/],
  ['a stream of ours that was never opened', [[piece(1, 5)]], /never opened/],
  ['a byte behind the end', [[open(0, 10, true)], [piece(0, 10)]], /changes the length/],
  ['another end', [[open(0, 10, true)], [piece(0, 8, 1, true)]], /changes the length/],
  ['an end before what was sent', [[piece(0, 50)], [piece(0, 20, 1, true)]], /changes the length/],
  [
    'a reset before what was sent',
    [[piece(0, 50)], [{ type: 'streamReset', id: 0, code: 0, finalSize: 20 }]],
    /changes the length/,
  ],
  [
    'a reset beyond the credit',
    [[{ type: 'streamReset', id: 0, code: 0, finalSize: INITIAL_STREAM_CREDIT + 1 }]],
    /changes the length/,
  ],
  ['a stop of its own one-way stream', [[{ type: 'streamStop', id: 2, code: 0 }]], /stops stream 2/],
  [
    'credit for its own one-way stream',
    [[{ type: 'streamCredit', id: 2, credit: 1 }]],
    /credit for stream 2/,
  ],
];

for (const [what, packets, reason] of BROKEN) {
  test(`${what} closes the session and says so`, async t => {
    const hostile = await hostilePeer();

    for (const frames of packets) hostile.send(frames);

    t.false(hostile.session.isOpen);
    const closed = eventsOf(hostile).find(event => event.kind === 'closed');
    t.is(closed?.code, CloseCode.protocolViolation);
    t.regex(closed?.reason ?? '', reason);
  });
}

test('endless gaps are dropped unacknowledged, and what fills the first gap still comes through', async t => {
  const hostile = await hostilePeer();
  const { session, send, drops } = hostile;

  let taken = 0;
  for (let offset = 3; offset < INITIAL_STREAM_CREDIT; offset += 2)
    if (send([piece(0, offset)]) === undefined) taken++;
  const refused = drops.get('reassemblyFull');
  send([open(0, 3)]);

  t.is(taken, 4_096);
  t.true(refused > 60_000);
  t.true(session.isOpen);
  t.is(session.streams.read(instant(0), 0)?.bytes.length, 4);
});

test('whatever frames about streams a peer sends, the session stands or closes, and keeps no more than its credit', async t => {
  const small = fc.nat({ max: 40 });
  const size = fc.nat({ max: 300_000 });
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc
      .record({ id: small, length: fc.nat({ max: 900 }), fin: fc.boolean() })
      .map(f => open(f.id, f.length, f.fin)),
    fc
      .record({ id: small, offset: size, length: fc.integer({ min: 1, max: 900 }), fin: fc.boolean() })
      .map(f => piece(f.id, f.offset + 1, f.length, f.fin)),
    fc.record({ type: fc.constant('streamCredit' as const), id: small, credit: size }),
    fc.record({
      type: fc.constant('sessionCredit' as const),
      credit: size,
      streams: size,
      oneWayStreams: size,
    }),
    fc.record({ type: fc.constant('streamReset' as const), id: small, code: small, finalSize: size }),
    fc.record({ type: fc.constant('streamStop' as const), id: small, code: small }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 30 }),
      fc.array(small, { maxLength: 5 }),
      async (frames, ours) => {
        const hostile = await hostilePeer();
        const { streams } = hostile.session;
        for (const _ of ours) streams.end(streams.open({ service: 1 }));
        const into = new Uint8Array(1_500);

        for (const each of frames) {
          hostile.send([each]);
          for (const event of eventsOf(hostile)) {
            if (event.kind === 'streamReadable') streams.read(instant(0), event.stream);
            if (event.kind === 'streamOpened' && !event.oneWay) streams.reset(event.stream, 1);
          }
          for (let i = 0; i < 10 && hostile.session.pollTransmit(instant(0), into); i++);
        }

        let unread = 0;
        for (let id = 0; id < 44; id++)
          for (let chunk = streams.read(instant(0), id); chunk; chunk = streams.read(instant(0), id))
            unread += chunk.bytes.length;
        return unread <= 2 * INITIAL_SESSION_CREDIT;
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

test('what a stopped stream still gets does not use up the credit of the session', async t => {
  const peer = await hostilePeer();
  const { session, send } = peer;

  for (let i = 0; i < 8; i++) {
    t.is(send([open(4 * i)]), undefined);
    session.streams.stop(instant(0), 4 * i, 1);
    t.is(send([piece(4 * i, INITIAL_STREAM_CREDIT - 1)]), undefined);
  }

  t.true(session.isOpen);
});

test('who found no room to open a stream hears once that there is some', async t => {
  const peer = await hostilePeer();
  const { session, send } = peer;
  const room = (streams: number): Frame => ({
    type: 'sessionCredit',
    credit: INITIAL_SESSION_CREDIT,
    streams,
    oneWayStreams: INITIAL_STREAMS,
  });
  const told = (): number => eventsOf(peer).filter(({ kind }) => kind === 'streamsAvailable').length;

  send([room(INITIAL_STREAMS + 1)]);
  t.is(told(), 0, 'nobody waited');
  for (let i = 0; i <= INITIAL_STREAMS; i++) session.streams.open({ service: 9 });
  t.throws(() => session.streams.open({ service: 9 }), { code: 'QUEUE_FULL' });
  send([room(INITIAL_STREAMS + 1)]);
  t.is(told(), 0, 'there is no more room than before');
  send([room(INITIAL_STREAMS + 2)]);
  send([room(INITIAL_STREAMS + 3)]);

  t.is(told(), 1);
  t.notThrows(() => session.streams.open({ service: 9 }));
});
