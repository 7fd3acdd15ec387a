import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { milliseconds, minutes, seconds } from '../../src/base/index.js';
import { KeyRatchet, type RekeyNoise, type SessionConfig } from '../../src/session/index.js';
import { PacketOpener } from '../../src/session/packet-opener.js';
import { AuthenticatingProvider } from '../../src/testing/authenticating-provider.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import {
  CloseCode,
  DATA_HEADER,
  TAG,
  dataKeyPhase,
  dataPacketNumber,
  encodeFrames,
  writeDataHeader,
  type Frame,
} from '../../src/wire/index.js';
import { WatchingProvider } from '../threats/watching-provider.js';
import { KeyRing } from './key-ring.js';
import { SessionPair, sendAll, testMessage, type Side } from './pair.js';
import { StreamPrograms, streamBytes } from './stream-programs.js';

const BOTH = ['a', 'b'] as const;

const phases = (pair: SessionPair, side: Side): number[] =>
  pair.recorded!.filter(({ from }) => from === side).map(({ bytes }) => dataKeyPhase(bytes));

const rekeys = (pair: SessionPair): number[] => BOTH.map(side => pair.sides[side].statistics().rekeys);

/** A packet of the first side under the keys of the handshake. */
function sealed(number: number, frames: readonly Frame[]): Uint8Array {
  const plaintext = encodeFrames(frames);
  const packet = new Uint8Array(DATA_HEADER + plaintext.length + TAG);
  writeDataHeader(packet, 0, 0xb0b0b0b0, number);
  packet.set(plaintext, DATA_HEADER);
  const key = new AuthenticatingProvider().aeadKey(new Uint8Array(32).fill(1));
  key.sealInPlace(0, number, packet, DATA_HEADER, plaintext.length);
  return packet;
}

/** Two sessions that have heard each other. */
function meeting(options: ConstructorParameters<typeof SessionPair>[0] = {}): SessionPair {
  const pair = new SessionPair(options);
  pair.recorded = [];
  pair.a.ping(pair.now);
  pair.run(() => false, 1_000);
  return pair;
}

/** Sends a message and lets it arrive. */
function say(t: ExecutionContext, pair: SessionPair, side: Side, sequence: number): void {
  const to = side === 'a' ? 'b' : 'a';
  const before = pair.messages(to).length;
  sendAll(pair, side, [20], sequence);
  t.true(
    pair.run(() => pair.messages(to).length > before, 5_000),
    `message ${sequence} of ${side} arrives`,
  );
  pair.run(() => false, 1_000);
}

test('keys change within two round trips, and everything that follows is sealed under the new ones', t => {
  const pair = meeting();
  const before = pair.recorded!.length;

  pair.a.rekey(pair.now);
  const changed = pair.run(() => phases(pair, 'b').at(-1) === 1, 1_000);

  t.true(changed);
  t.deepEqual(rekeys(pair), [1, 1]);
  t.true(pair.recorded!.length - before <= 6, `${pair.recorded!.length - before} packets`);
  pair.recorded = [];
  say(t, pair, 'a', 0);
  say(t, pair, 'b', 0);
  t.deepEqual(new Set([...phases(pair, 'a'), ...phases(pair, 'b')]), new Set([1]));
});

test('packet numbers go on through a change of keys', t => {
  const pair = meeting();

  for (let i = 0; i < 5; i++) {
    pair.a.rekey(pair.now);
    pair.run(() => false, 2_000);
  }

  t.deepEqual(rekeys(pair), [5, 5]);
  for (const side of BOTH) {
    const numbers = pair
      .recorded!.filter(({ from }) => from === side)
      .map(({ bytes }) => dataPacketNumber(bytes));
    t.deepEqual(
      numbers,
      numbers.map((_, i) => i),
    );
  }
});

test('a session that is in use changes its keys every two minutes, and nothing waits for it', t => {
  const pair = meeting();

  for (let i = 0; i < 40; i++) {
    sendAll(pair, 'a', [20], i);
    const sent = pair.now;
    t.true(pair.run(() => pair.messages('b').length > i, 1_000));
    t.is(pair.now - sent, 10, `message ${i}`);
    pair.run(() => false, 10_000);
  }

  t.deepEqual(rekeys(pair), [3, 3]);
});

test('keys are changed by whoever receives only, if the sender would keep them longer', t => {
  const pair = meeting({ config: { rekeyAfter: minutes(60) }, configOf: { b: { rekeyAfter: seconds(10) } } });

  for (let i = 0; i < 6; i++) {
    say(t, pair, 'a', i);
    pair.run(() => false, 4_000);
  }

  t.deepEqual(rekeys(pair), [2, 2]);
  t.true(pair.b.statistics().sentFrames.rekeyOffer >= 2);
  t.is(pair.a.statistics().sentFrames.rekeyOffer, 0);
});

test('a session that is not used keeps its keys and sets no timer, whatever its age', t => {
  const pair = meeting();

  pair.run(() => false, 24 * 3_600_000);

  t.deepEqual(rekeys(pair), [0, 0]);
  t.is(pair.a.pollTimeout(), undefined);
  t.is(pair.b.pollTimeout(), undefined);
  say(t, pair, 'a', 0);
  t.deepEqual(rekeys(pair), [1, 1]);
  pair.run(() => false, 60_000);
  t.is(pair.a.pollTimeout(), undefined);
  t.is(pair.b.pollTimeout(), undefined);
});

test('pings that keep a path alive do not change keys', t => {
  const pair = meeting({ config: { keepAlive: seconds(25) } });

  pair.run(() => false, 600_000);

  t.deepEqual(rekeys(pair), [0, 0]);
});

test('keys change after so many packets, in a stream that never pauses', t => {
  const pair = meeting({ config: { rekeyAfterPackets: 300 } });
  const programs = new StreamPrograms(pair);
  const stream = pair.a.streams.open({ service: 1, priority: 4 });
  const bytes = streamBytes(1, 6_000_000);
  const piece = 60_000;

  for (let at = 0; at < bytes.length; at += piece) {
    programs.write('a', stream, bytes.subarray(at, at + piece), at + piece === bytes.length);
    pair.run(() => false, 20);
  }
  t.true(pair.run(() => programs.half('b', stream).ended, 1_000));

  t.deepEqual(programs.half('b', stream).bytes, bytes);
  const [changes] = rekeys(pair);
  t.true(changes! >= 3, `${changes} changes`);
  t.is(pair.drops.a.get('badTag') + pair.drops.b.get('badTag'), 0);
  t.is(pair.a.statistics().lostPackets, 0);
});

test('two offers that cross make one change', t => {
  for (const delay of [10, 200]) {
    const pair = meeting({ link: { delay } });

    pair.a.rekey(pair.now);
    pair.b.rekey(pair.now);
    pair.run(() => false, 5_000);

    t.deepEqual(rekeys(pair), [1, 1]);
    say(t, pair, 'a', 0);
    say(t, pair, 'b', 0);
  }
});

test('two offers that cross make one change even when either of them is lost at first', t => {
  for (const unlucky of BOTH) {
    const pair = meeting();
    let lost = 0;
    pair.drop = ({ from }) => from === unlucky && lost++ < 1;

    pair.a.rekey(pair.now);
    pair.b.rekey(pair.now);
    pair.run(() => false, 5_000);

    t.deepEqual(rekeys(pair), [1, 1], unlucky);
    say(t, pair, 'a', 0);
    say(t, pair, 'b', 0);
  }
});

test('a wish for new keys while keys are changing is fulfilled after that', t => {
  const pair = meeting();

  pair.a.rekey(pair.now);
  pair.run(() => rekeys(pair)[0] === 1, 1_000);
  pair.a.rekey(pair.now);
  pair.b.rekey(pair.now);
  pair.run(() => false, 5_000);

  t.deepEqual(rekeys(pair), [2, 2]);
});

test('an offer that comes while the old keys are still kept is answered when they are gone', t => {
  const pair = meeting({
    configOf: { a: { ackDelay: milliseconds(1) }, b: { ackDelay: milliseconds(1_000) } },
  });
  pair.a.rekey(pair.now);
  pair.run(() => false, 1_000);
  t.deepEqual(rekeys(pair), [1, 1]);

  const before = pair.b.statistics().receivedFrames.rekeyOffer;
  pair.a.rekey(pair.now);
  pair.run(() => false, 500);
  t.true(pair.b.statistics().receivedFrames.rekeyOffer > before);
  t.deepEqual(rekeys(pair), [1, 1], 'the side that kept its old keys longer has not answered yet');
  pair.run(() => false, 5_000);

  t.deepEqual(rekeys(pair), [2, 2]);
  say(t, pair, 'a', 0);
});

test('packets under the old keys that come late are taken for three probe timeouts, and then never again', t => {
  const pair = meeting();
  const held: Uint8Array[] = [];
  pair.drop = ({ from, bytes }) => from === 'a' && held.length < 2 && held.push(bytes.slice()) > 0;
  for (const sequence of [0, 1]) {
    sendAll(pair, 'a', [20], sequence);
    pair.drain();
  }
  const late = (bytes: Uint8Array): number => {
    const before = pair.b.statistics().receivedPackets;
    pair.b.handlePacket(pair.now, 0, bytes);
    return pair.b.statistics().receivedPackets - before;
  };

  pair.a.rekey(pair.now);
  pair.run(() => phases(pair, 'b').at(-1) === 1, 1_000);
  const soon = late(held[0]!);
  pair.run(() => false, 10_000);
  const never = late(held[1]!);

  t.deepEqual([soon, never], [1, 0]);
  t.is(pair.drops.b.get('badTag'), 1);
  t.deepEqual(new Set(pair.messages('b').map(({ sequence }) => sequence)), new Set([0, 1]));
  t.is(pair.messages('b').length, 2);
});

test('on a slow path the old keys are kept for thirty seconds and no longer', t => {
  const pair = meeting({ link: { delay: 1_000 }, config: { idleTimeout: minutes(5) } });
  pair.b.ping(pair.now);
  pair.run(() => false, 5_000);
  // A path that became slow has a probe timeout of more than ten seconds for a while.
  pair.link.delay = 4_900;
  pair.b.ping(pair.now);
  pair.run(() => false, 10_000);
  const held: Uint8Array[] = [];
  pair.drop = ({ from, bytes }) => from === 'a' && held.length < 2 && held.push(bytes.slice()) > 0;
  for (let i = 0; i < 2; i++) {
    pair.a.ping(pair.now);
    pair.drain();
    pair.run(() => false, 100);
  }

  pair.a.rekey(pair.now);
  t.true(pair.run(() => phases(pair, 'b').at(-1) === 1, 60_000));
  t.true(3 * pair.b.probeTimeout() > 32_000);
  pair.run(() => false, 29_000);
  const soon = pair.b.handlePacket(pair.now, 0, held[0]!);
  pair.run(() => false, 2_000);
  const never = pair.b.handlePacket(pair.now, 0, held[1]!);

  t.deepEqual([soon, never], [undefined, 'badTag']);
});

test('packets that are received wear out a key as those that are sent do', t => {
  const pair = new SessionPair({ configOf: { b: { rekeyAfterPackets: 100 } } });
  pair.recorded = [];
  pair.onDrained = side => {
    if (side === 'a' || pair.b.statistics().receivedPackets >= 400) return false;
    const queued = pair.a.sendDatagram(pair.now, 9, new Uint8Array(1_100));
    return queued && pair.a.statistics().sentPackets < 400;
  };

  pair.a.ping(pair.now);
  pair.run(() => rekeys(pair)[1] === 1, 5_000);

  t.is(rekeys(pair)[1], 1);
  const { receivedPackets, sentPackets } = pair.b.statistics();
  t.true(sentPackets < 100, `${sentPackets} packets sent, ${receivedPackets} received`);
});

test('a packet of the old keys counts below the numbers of the new ones alone, while those are kept', t => {
  const pair = meeting();
  // Kept back, so that its number is still free.
  const free = pair.sent.a;
  pair.drop = ({ from, number }) => from === 'a' && number === free;
  pair.a.ping(pair.now);
  pair.drain();
  pair.a.rekey(pair.now);
  pair.run(() => phases(pair, 'b').at(-1) === 1, 1_000);
  const frames: readonly Frame[] = [{ type: 'ping' }];

  t.is(pair.b.handlePacket(pair.now, 0, sealed(200, frames)), 'badTag');
  t.is(pair.b.handlePacket(pair.now, 0, sealed(free, frames)), undefined);

  say(t, pair, 'a', 0);
});

test('the replay window spans the change: nothing of before or after comes twice', t => {
  const pair = meeting();
  sendAll(pair, 'a', [20, 20, 20], 0);
  pair.run(() => false, 500);
  pair.a.rekey(pair.now);
  pair.run(() => phases(pair, 'b').at(-1) === 1, 1_000);
  sendAll(pair, 'a', [20, 20, 20], 3);
  pair.run(() => pair.messages('b').length === 6, 100);
  const received = pair.b.statistics().receivedPackets;

  const all = pair.recorded!.filter(({ from }) => from === 'a');
  for (const { path, bytes } of all) pair.inject({ from: 'a', path, bytes: bytes.slice() }, 1);
  pair.run(() => false, 2);

  t.is(pair.b.statistics().receivedPackets, received);
  t.is(pair.drops.b.get('replayed'), all.length);
  t.is(pair.messages('b').length, 6);
});

test('packets with the other phase that do not open are dropped like others and change nothing', t => {
  const pair = meeting();
  const forged = pair.recorded!.filter(({ from }) => from === 'a').at(-1)!;
  for (let i = 0; i < 50; i++) {
    const bytes = forged.bytes.slice();
    bytes[0]! ^= 1;
    bytes[8] = 100 + i;
    pair.inject({ from: 'a', path: 0, bytes }, i);
  }
  pair.a.rekey(pair.now);

  pair.run(() => false, 5_000);

  t.is(pair.drops.b.get('badTag'), 50);
  t.deepEqual(rekeys(pair), [1, 1]);
  say(t, pair, 'a', 0);
});

test('who has everything that a node knows after a change opens no packet from before', t => {
  const ring = new KeyRing(new AuthenticatingProvider());
  const pair = meeting({ provider: ring });
  sendAll(pair, 'a', [500, 500, 500], 0);
  sendAll(pair, 'b', [500, 500, 500], 0);
  pair.run(() => false, 1_000);
  const recorded = pair.recorded!;
  const opened = (): number => recorded.filter(({ bytes }) => ring.opens(bytes, DATA_HEADER)).length;
  t.is(opened(), recorded.length, 'with the present keys everything opens');
  t.is(ring.size, 4);

  pair.a.rekey(pair.now);
  pair.recorded = [];
  pair.run(() => false, 5_000);

  t.is(opened(), 0);
  t.is(ring.size, 4, 'each side has one key for each direction');
  t.is(
    pair.recorded.filter(({ bytes }) => ring.opens(bytes, DATA_HEADER) && dataKeyPhase(bytes) === 1).length >
      0,
    true,
  );
});

test('the end of a session leaves no key, in the middle of an exchange either', t => {
  for (const steps of [0, 5, 15, 25, 35, 45, 5_000]) {
    const ring = new KeyRing(new AuthenticatingProvider());
    const pair = meeting({ provider: ring });
    pair.a.rekey(pair.now);
    pair.run(() => false, steps);

    pair.a.close(pair.now, CloseCode.done, 'over');
    pair.run(() => false, 60_000);

    t.is(ring.size, 0, `closed after ${steps} ms`);
  }
});

test('a peer that acknowledges an offer and never answers is left after two idle time-outs', t => {
  const pair = meeting({ rekeyNoise: (side, honest) => (side === 'a' ? honest : undefined) });

  pair.a.rekey(pair.now);
  const early = pair.run(() => pair.count('a', 'closed') > 0, 59_000);
  pair.run(() => false, 2_000);

  t.false(early);
  t.is(pair.drops.b.get('unexpected'), 1);
  t.like(pair.events.a.at(-1), { kind: 'closed', by: 'local', code: CloseCode.keysExhausted });
  t.like(pair.events.b.at(-1), { kind: 'closed', by: 'peer', code: CloseCode.keysExhausted });
});

test('a peer that takes an answer and never changes its keys is left after two idle time-outs', t => {
  const pair = meeting();
  const ratchet = new KeyRatchet({
    provider: new AuthenticatingProvider(),
    random: new SeededRandom(9),
    staticKey: new AuthenticatingProvider().dhKeyPair(new Uint8Array(32).fill(3)),
    remoteStatic: new AuthenticatingProvider().dhKeyPair(new Uint8Array(32).fill(4)).publicKey,
    localIndex: 0xa0a0a0a0,
    remoteIndex: 0xb0b0b0b0,
    secret: new Uint8Array(32).fill(5),
  });
  // In the place of a packet of its own, so that its ack is good.
  const number = pair.sent.a;
  pair.drop = flight => flight.from === 'a' && flight.number === number;
  pair.a.ping(pair.now);
  pair.drain();
  const bytes = sealed(number, [{ type: 'rekeyOffer', generation: 1, bytes: ratchet.offer(1).message }]);
  pair.inject({ from: 'a', path: 0, bytes });

  pair.run(() => false, 59_000);
  t.deepEqual(rekeys(pair), [0, 1]);
  t.is(pair.drops.a.get('unexpected'), 1);
  t.is(pair.count('b', 'closed'), 0);
  pair.run(() => false, 2_000);

  t.like(pair.events.b.at(-1), { kind: 'closed', by: 'local', code: CloseCode.keysExhausted });
});

test('an offer or an answer that does not fit the keys breaks a rule', t => {
  const garbage = new Uint8Array(48).fill(0x77);
  const spoilt = (honest: RekeyNoise): RekeyNoise => ({
    prevails: honest.prevails,
    offer: generation => ({ ...honest.offer(generation), message: garbage }),
    answer: (generation, message) => ({ ...honest.answer(generation, message)!, message: garbage }),
    destroy: () => {
      honest.destroy();
    },
  });
  for (const wrong of BOTH) {
    const ring = new KeyRing(new AuthenticatingProvider());
    const right = wrong === 'a' ? 'b' : 'a';
    const pair = meeting({
      provider: ring,
      rekeyNoise: (side, honest) => (side === wrong ? spoilt(honest) : honest),
    });

    pair.a.rekey(pair.now);
    pair.run(() => false, 60_000);

    t.like(pair.events[right].at(-1), {
      kind: 'closed',
      by: 'local',
      code: CloseCode.protocolViolation,
      reason: 'a rekey message does not fit the keys of this session',
    });
    t.like(pair.events[wrong].at(-1), { kind: 'closed', by: 'peer' });
    t.is(ring.size, 0);
  }
});

test('offers and answers that nobody asked for are ignored', t => {
  const pair = meeting();
  const bytes = new Uint8Array(48);
  const wrong: readonly Frame[] = [0, 2, 2 ** 40].flatMap(generation => [
    { type: 'rekeyOffer', generation, bytes },
    { type: 'rekeyAnswer', generation, bytes },
  ]);

  wrong.forEach((frame, i) => pair.b.handlePacket(pair.now, 0, sealed(1_000 + i, [frame])));
  pair.b.handlePacket(pair.now, 0, sealed(2_000, [{ type: 'rekeyAnswer', generation: 1, bytes }]));

  t.is(pair.drops.b.get('unexpected'), 7);
  t.is(pair.count('b', 'closed'), 0);
  t.deepEqual(rekeys(pair), [0, 0]);
});

test('so many forgeries that a key is worn out end the use of the key', t => {
  const provider = new AuthenticatingProvider();
  const opener = new PacketOpener(provider.aeadKey(new Uint8Array(32).fill(1)), 0xb0b0b0b0, 3);
  const forge = (number: number): Uint8Array => {
    const packet = sealed(number, [{ type: 'ping' }]);
    packet[packet.length - 1]! ^= 1;
    return packet;
  };
  for (const number of [0, 1]) t.is(opener.open(forge(number)), 'badTag');
  t.false(opener.exhausted);

  t.is(opener.open(forge(2)), 'badTag');

  t.true(opener.exhausted);
});

test('a session without the means says so, and a closed one too', t => {
  const pair = meeting({ rekeyNoise: () => undefined });

  t.throws(() => pair.a.rekey(pair.now), { code: 'INVALID_STATE' });
  pair.a.close(pair.now, CloseCode.done, 'over');
  t.throws(() => pair.a.rekey(pair.now), { code: 'SESSION_CLOSED' });
});

test('ages and counts out of range are refused with the range', t => {
  const wrong: readonly Partial<SessionConfig>[] = [
    { rekeyAfter: seconds(9) },
    { rekeyAfter: minutes(61) },
    { rekeyAfter: milliseconds(Number.NaN) },
    { rekeyAfterPackets: 0 },
    { rekeyAfterPackets: 1.5 },
    { rekeyAfterPackets: 2 ** 25 },
  ];
  for (const config of wrong)
    t.throws(() => new SessionPair({ config }), { code: 'INVALID_ARGUMENT', message: /give \d+ to \d+/ });
});

test('no key seals two packets with one number, whoever changes keys and whatever gets lost', t => {
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000_000 }),
      fc.array(
        fc.record({
          side: fc.constantFrom<Side>('a', 'b'),
          both: fc.boolean(),
          lengths: fc.array(fc.nat({ max: 5_000 }), { maxLength: 4 }),
          wait: fc.nat({ max: 400 }),
          cut: fc.oneof(fc.constant(0), fc.nat({ max: 8_000 })),
        }),
        { maxLength: 20 },
      ),
      fc.double({ min: 0, max: 0.3, noNaN: true }),
      fc.nat({ max: 60 }),
      (seed, steps, loss, jitter) => {
        const sealed = new Set<string>();
        let twice = 0;
        const provider = new WatchingProvider(new AuthenticatingProvider());
        provider.onSeal = (key, nonce) => {
          if (sealed.has(`${key} ${nonce}`)) twice++;
          sealed.add(`${key} ${nonce}`);
        };
        const pair = new SessionPair({ seed, provider, link: { delay: 20, jitter, loss, duplication: 0.1 } });
        const programs = new StreamPrograms(pair);
        const stream = pair.a.streams.open({ service: 1, priority: 4 });
        const bytes = streamBytes(seed, 40_000);
        programs.write('a', stream, bytes);
        const sent: Record<Side, number[]> = { a: [], b: [] };
        let cut = false;
        pair.drop = () => cut;
        for (const step of steps) {
          pair.sides[step.side].rekey(pair.now);
          if (step.both) pair.sides[step.side === 'a' ? 'b' : 'a'].rekey(pair.now);
          sendAll(pair, step.side, step.lengths, sent[step.side].length);
          sent[step.side].push(...step.lengths);
          pair.run(() => false, step.wait);
          cut = true;
          pair.run(() => false, step.cut);
          cut = false;
          if (step.cut > 0) pair.run(() => false, 3_000);
        }
        const done = pair.run(
          () => pair.open.a.size === 0 && pair.open.b.size === 0 && programs.half('b', stream).ended,
          120_000,
        );
        pair.run(() => false, 120_000);

        t.is(pair.count('a', 'closed') + pair.count('b', 'closed'), 0, 'nobody gave up');
        t.true(done, 'everything is acknowledged');
        t.is(twice, 0);
        t.deepEqual(programs.half('b', stream).bytes, bytes);
        const [ofA, ofB] = rekeys(pair);
        t.is(ofA, ofB, 'both have the same keys');
        for (const [from, to] of [
          ['a', 'b'],
          ['b', 'a'],
        ] as const) {
          const got = [...pair.messages(to)].sort((x, y) => x.sequence - y.sequence);
          t.deepEqual(
            got.map(({ sequence }) => sequence),
            sent[from].map((_, i) => i),
          );
          for (const { sequence, bytes: content } of got)
            t.deepEqual(content, testMessage(sequence, sent[from][sequence]!));
        }
      },
    ),
    { numRuns: 40 },
  );
});
