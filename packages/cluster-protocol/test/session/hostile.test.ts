import test from 'ava';
import { instant } from '../../src/base/index.js';
import { SESSION_GRANTS } from '../../src/session/message-memory.js';
import {
  firstByte,
  MAX_MESSAGE,
  MAX_MESSAGES_UNDER_WAY,
  writeDataHeader,
  type Frame,
} from '../../src/wire/index.js';
import { hostilePeer } from './hostile-peer.js';
import { SessionPair, sendAll, testMessage } from './pair.js';

test('ten thousand packets replayed in five random orders deliver nothing twice', t => {
  const pair = new SessionPair();
  pair.recorded = [];
  for (let i = 0; i < 10_000; i++) {
    pair.a.sendDatagram(pair.now, 1, Uint8Array.of(i >> 8, i & 255));
    pair.drain();
    if (i % 8 === 7) pair.run(() => false, 30);
  }
  pair.run(() => false, 1_000);
  const captured = pair.recorded.filter(flight => flight.from === 'a');
  t.true(captured.length >= 10_000);
  const delivered = pair.count('b', 'datagram');
  t.is(delivered, 10_000);

  for (let round = 0; round < 5; round++) {
    const order = captured
      .map(flight => [pair.random.fraction(), flight] as const)
      .sort((x, y) => x[0] - y[0]);
    for (const [, flight] of order) {
      const reason = pair.b.handlePacket(pair.now, round, flight.bytes.slice());
      t.true(reason === 'replayed' || reason === 'tooOld' || reason === 'badTag', reason);
    }
  }
  pair.drain();

  t.is(pair.count('b', 'datagram'), delivered);
  sendAll(pair, 'a', [10]);
  t.true(pair.run(() => pair.messages('b').length === 1, 1_000));
});

test('forged packet numbers far ahead do not move the window', t => {
  const pair = new SessionPair();
  sendAll(pair, 'a', [10]);
  pair.run(() => pair.messages('b').length === 1);
  const forged = new Uint8Array(100);

  for (let ahead = 1; ahead < 1_000; ahead++) {
    writeDataHeader(forged, 0, 0xb0b0b0b0, (ahead * 1_000_003) >>> 0);
    t.is(pair.b.handlePacket(pair.now, 4, forged.slice()), 'badTag');
  }
  sendAll(pair, 'a', [10], 1);

  t.true(pair.run(() => pair.messages('b').length === 2, 100));
  t.is(pair.b.pathStatistics(4), undefined, 'nor do they open a path');
});

test('a packet with any bit flipped is dropped, and so is any other datagram', t => {
  const pair = new SessionPair();
  pair.recorded = [];
  pair.drop = () => true;
  sendAll(pair, 'a', [20]);
  pair.drain();
  const packet = pair.recorded[0]!.bytes;

  for (let bit = 0; bit < 8 * packet.length; bit++) {
    const flipped = packet.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    t.truthy(pair.b.handlePacket(pair.now, 0, flipped));
  }
  for (let length = 0; length < 1_600; length += 7) {
    const noise = new Uint8Array(length);
    pair.random.fill(noise);
    if (length > 0 && length % 2 === 0) noise[0] = firstByte('data');
    t.truthy(pair.b.handlePacket(pair.now, 0, noise));
  }

  t.is(pair.b.handlePacket(pair.now, 0, packet.slice()), undefined);
});

test('packets in both directions never use a number twice under one key', t => {
  const pair = new SessionPair({ link: { loss: 0.2, duplication: 0.1, jitter: 40 }, seed: 5 });
  pair.recorded = [];

  sendAll(pair, 'a', new Array<number>(20).fill(20_000));
  sendAll(pair, 'b', new Array<number>(20).fill(500));
  pair.run(() => pair.count('a', 'messageAcknowledged') === 20);
  pair.a.close(pair.now, 0, '');
  pair.run(() => false, 5_000);

  for (const side of ['a', 'b'] as const) {
    const numbers = pair.recorded
      .filter(flight => flight.from === side)
      .map(flight => new DataView(flight.bytes.buffer).getUint32(5));
    t.deepEqual(
      numbers,
      numbers.map((_, i) => i),
    );
  }
});

test('endless first fragments reserve what came of 32 messages, whatever they announce', async t => {
  const { session, drops, send } = await hostilePeer();

  for (let sequence = 0; sequence < 1_000; sequence++) {
    send([
      {
        type: 'firstFragment',
        sequence,
        total: MAX_MESSAGE,
        service: 1,
        floor: 0,
        priority: 0,
        bytes: Uint8Array.of(1),
      },
    ]);
  }

  t.is(drops.get('reassemblyFull'), 1_000 - MAX_MESSAGES_UNDER_WAY);
  t.is(session.statistics().partialMessages, MAX_MESSAGES_UNDER_WAY);
  t.true(session.statistics().reservedBytes <= SESSION_GRANTS + 2_048 * MAX_MESSAGES_UNDER_WAY);
  t.true(session.statistics().reservedBytes > 0);
  t.is(session.pollEvent()?.kind, 'confirmed');
  t.is(session.pollEvent(), undefined);
  t.is(session.pollTimeout() === undefined, false);
  session.handleTimeout(instant(30_000));
  const whole: Frame = {
    type: 'firstFragment',
    sequence: 1_000,
    total: 3,
    service: 1,
    floor: 0,
    priority: 0,
    bytes: new Uint8Array(3),
  };
  t.is(send([whole]), undefined, 'a whole message needs no memory and still passes');
});

test('fragments of endless messages without their beginning are bounded too', async t => {
  const { drops, send } = await hostilePeer();

  for (let sequence = 0; sequence < 1_000; sequence++) {
    send([{ type: 'fragment', sequence, offset: 1, bytes: Uint8Array.of(1) }]);
  }

  t.is(drops.get('reassemblyFull'), 1_000 - MAX_MESSAGES_UNDER_WAY);
});

test('a fragment that contradicts another is dropped and the message survives', async t => {
  const { session, drops, send } = await hostilePeer();
  const message = testMessage(1, 300);
  const first = (bytes: Uint8Array, total = 300): Frame => ({
    type: 'firstFragment',
    sequence: 1,
    total,
    service: 1,
    floor: 0,
    priority: 0,
    bytes,
  });

  send([first(message.subarray(0, 100))]);
  t.is(send([{ type: 'fragment', sequence: 1, offset: 50, bytes: new Uint8Array(100) }]), 'fragmentConflict');
  t.is(send([first(message.subarray(0, 100), 400)]), 'fragmentConflict');
  t.is(send([{ type: 'fragment', sequence: 1, offset: 250, bytes: new Uint8Array(51) }]), 'fragmentConflict');
  t.is(send([{ type: 'fragment', sequence: 1, offset: 50, bytes: message.subarray(50) }]), undefined);

  t.is(drops.get('fragmentConflict'), 3);
  session.pollEvent();
  t.like(session.pollEvent(), { kind: 'message', sequence: 1, bytes: message });
});

test('the acknowledgement of a packet that was never sent is dropped with all that came beside it', async t => {
  const { session, drops, send } = await hostilePeer();
  session.sendMessage(instant(0), { sequence: 0, floor: 0, service: 1, bytes: new Uint8Array(10) });
  session.pollTransmit(instant(0), new Uint8Array(1_200));
  const datagram: Frame = { type: 'datagram', service: 1, bytes: new Uint8Array(1) };

  for (const last of [1, 1_000, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    t.is(send([datagram, { type: 'ack', delay: 0, ranges: [{ first: 0, last }] }]), 'badAck');
  }

  t.is(drops.get('badAck'), 4);
  t.is(session.pathStatistics(0)?.bytesInFlight === 0, false, 'nothing counts as acknowledged');
  t.is(session.pollEvent(), undefined);
  t.is(send([{ type: 'ack', delay: 0, ranges: [{ first: 0, last: 0 }] }]), undefined);
});

test('a packet is acted on as a whole or not at all', async t => {
  const { session, send } = await hostilePeer();
  const datagram: Frame = { type: 'datagram', service: 1, bytes: new Uint8Array(1) };

  t.is(send([datagram, { type: 'unknown', number: 0x15, bytes: new Uint8Array(0) }]), 'malformed');
  t.is(session.pollEvent(), undefined);
  t.is(send([datagram, { type: 'unknown', number: 0x55, bytes: new Uint8Array(9) }]), undefined);

  t.is(session.pollEvent()?.kind, 'confirmed');
  t.is(session.pollEvent()?.kind, 'datagram');
});

test('endless control frames, challenges and pings make no memory grow', async t => {
  const { session, send } = await hostilePeer();
  const buffer = new Uint8Array(1_200);

  for (let i = 0; i < 5_000; i++) {
    send([
      { type: 'control', number: i * 1_000, control: 1, bytes: new Uint8Array(10) },
      { type: 'pathChallenge', high: i, low: i },
      { type: 'ping' },
    ]);
    while (session.pollEvent() !== undefined);
  }
  let answers = 0;
  while (session.pollTransmit(instant(0), buffer) !== undefined) answers++;

  t.is(answers, 1);
  t.true(session.statistics().sentFrames.pathResponse <= 4);
});

test('acks without end while one packet waits are still answered', async t => {
  const { session, send } = await hostilePeer();
  const buffer = new Uint8Array(1_200);
  session.sendMessage(instant(0), { sequence: 0, floor: 0, service: 1, bytes: new Uint8Array(10) });
  session.pollTransmit(instant(0), buffer);

  for (let i = 0; i < 40_000; i++) {
    send([{ type: 'ping' }]);
    while (session.pollTransmit(instant(0), buffer) !== undefined);
  }

  t.true(session.statistics().sentFrames.ack >= 20_000);
});

test('what an event carries outlives the buffer that the packet came in', async t => {
  const { session, send } = await hostilePeer();
  const received: Buffer[] = [];
  const handle = session.handlePacket.bind(session);
  session.handlePacket = (now, path, packet) => {
    const buffer = Buffer.from(packet);
    received.push(buffer);
    return handle(now, path, buffer);
  };

  send([
    { type: 'datagram', service: 1, bytes: Uint8Array.of(1, 2) },
    { type: 'control', number: 0, control: 1, bytes: Uint8Array.of(3) },
    {
      type: 'firstFragment',
      sequence: 0,
      total: 2,
      service: 1,
      floor: 0,
      priority: 0,
      bytes: Uint8Array.of(4, 5),
    },
  ]);
  for (const buffer of received) buffer.fill(0xee);

  session.pollEvent();
  t.like(session.pollEvent(), { kind: 'datagram', bytes: Uint8Array.of(1, 2) });
  t.like(session.pollEvent(), { kind: 'control', bytes: Uint8Array.of(3) });
  t.like(session.pollEvent(), { kind: 'message', bytes: Uint8Array.of(4, 5) });
});
