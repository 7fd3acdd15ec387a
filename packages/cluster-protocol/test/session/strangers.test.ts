import test from 'ava';
import { type DropReason, instant, milliseconds, randomBytes, seconds } from '../../src/base/index.js';
import { Mac1Key } from '../../src/crypto/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { SimulatedWorld } from '../../src/testing/index.js';
import {
  firstByte,
  MAX_RECEIVED_DATAGRAM,
  packetKind,
  parseSocketAddress,
  writeUint32,
} from '../../src/wire/index.js';
import { EndpointMachine, MOMENT } from './endpoint-machine.js';

const crypto = await createCryptoProvider();
const STRANGER = parseSocketAddress('203.0.113.9:9')!;
const CROWD = parseSocketAddress('192.0.2.200:7')!;
/** Message 1s that are opened at one moment before addresses must be proved. */
const AT_ONCE = 64;

/** A node `right`, and `left` who knows its key; nothing runs by itself but their sockets. */
function scene(seed: number) {
  const world = new SimulatedWorld({ seed, crypto });
  const [a, b] = [world.host({ name: 'a' }), world.host({ name: 'b' })];
  const [left, right] = [a, b].map(
    host => new EndpointMachine(crypto, host, crypto.dhKeyPair(randomBytes(host.random, 32))),
  ) as [EndpointMachine, EndpointMachine];
  const runs = [a.attach(left, { port: 1000 }), b.attach(right, { port: 1000 })] as const;
  /** What `right` answers to a packet of a stranger, and why it dropped it. */
  const ask = (packet: Uint8Array, from = STRANGER) => {
    const before = right.drops.snapshot();
    const at = right.sent.length;
    right.handleDatagram(b.now(), 1, from, packet.slice());
    while (right.pollTransmit(b.now()));
    const reasons = Object.entries(right.drops.snapshot())
      .filter(([reason, count]) => count !== before[reason as DropReason])
      .map(([reason]) => reason);
    return { reasons, answers: right.sent.splice(at).map(({ bytes }) => bytes) };
  };
  const dial = (): Uint8Array => {
    left.dial(a.now(), b.address(1000), right.keys.publicKey);
    left.pollTransmit(a.now());
    return left.sent.at(-1)!.bytes;
  };
  /** Message 1 of somebody else who knows the key. */
  const message1 = (of: number): Uint8Array => {
    const keys = crypto.dhKeyPair(new Uint8Array(32).fill(of));
    const other = new EndpointMachine(crypto, a, keys);
    other.dial(a.now(), b.address(1000), right.keys.publicKey);
    other.pollTransmit(a.now());
    return other.sent[0]!.bytes;
  };
  const signed = (packet: Uint8Array): Uint8Array => {
    const at = packet.length - 32;
    packet.set(new Mac1Key(crypto, right.keys.publicKey).compute(packet.subarray(0, at)), at);
    return packet;
  };
  /** What begins like message 1 and has a right mac1. */
  const junk = (number: number): Uint8Array => {
    const packet = new Uint8Array(1_000).fill(7);
    packet.set([firstByte('initiation'), 1, 0, 0]);
    writeUint32(packet, 4, number);
    packet.fill(0, 8, 24);
    packet.fill(0, 984);
    return signed(packet);
  };
  const load = (): void => {
    for (let i = 0; i < AT_ONCE; i++) ask(junk(i), CROWD);
  };
  const turn = (): void => {
    for (const run of runs) run.turn();
  };
  return { world, a, b, left, right, ask, dial, message1, junk, signed, load, turn };
}

const ofKind = (kind: Parameters<typeof firstByte>[0], length: number): Uint8Array => {
  const packet = new Uint8Array(length);
  packet[0] = firstByte(kind);
  packet[1] = 1;
  return packet;
};

type Scene = ReturnType<typeof scene>;
/** What a stranger may send, why it is dropped, and the lengths of the answers to it: none for most. */
const STRANGE: readonly (readonly [
  what: string,
  packet: (scene: Scene) => Uint8Array,
  reason: DropReason,
  answers: readonly number[],
])[] = [
  ['nothing', () => new Uint8Array(0), 'empty', []],
  ['more than a datagram of ours', () => new Uint8Array(MAX_RECEIVED_DATAGRAM + 1), 'tooLong', []],
  ['what is not ours', () => Uint8Array.of(0x16, 1, 2, 3), 'unknownKind', []],
  ['a kind of later versions', () => Uint8Array.of(0xfc, 1, 2, 3), 'unknownKind', []],
  ['message 3', () => ofKind('finish', 100), 'unknownKind', []],
  ['a beacon', () => ofKind('beacon', 100), 'unknownKind', []],
  ['a short message 1', () => ofKind('initiation', 999), 'malformed', []],
  ['message 1 longer than in any version', () => ofKind('initiation', 1_501), 'malformed', []],
  ['message 1 with no mac1', () => ofKind('initiation', 1_000), 'badMac1', []],
  ['another version with no mac1', () => ofKind('initiation', 1_000).fill(2, 1, 2), 'badMac1', []],
  [
    'another version of somebody who knows our key',
    ({ signed }) => signed(ofKind('initiation', 1_200).fill(2, 1, 2)),
    'unknownVersion',
    [8],
  ],
  ['a long message 1', ({ signed }) => signed(ofKind('initiation', 1_041)), 'malformed', []],
  ['message 1 that does not open', ({ junk }) => junk(1), 'handshakeFailed', []],
  ['message 2 for nobody', () => ofKind('response', 400), 'unknownIndex', []],
  ['a short message 2', () => ofKind('response', 60), 'malformed', []],
  ['a retry for nobody', () => ofKind('retry', 40), 'unknownIndex', []],
  ['a cookie for nobody', () => ofKind('cookie', 64), 'unknownIndex', []],
  ['a refusal for nobody', () => ofKind('refusal', 60), 'unknownIndex', []],
  ['a version refusal for nobody', () => ofKind('versionRefusal', 8), 'unknownIndex', []],
  ['a long version refusal', () => ofKind('versionRefusal', 9), 'malformed', []],
  ['a reset for nobody', () => ofKind('reset', 21), 'unknownIndex', []],
  ['a short reset', () => ofKind('reset', 20), 'malformed', []],
  ['data with nothing inside', () => ofKind('data', 25), 'malformed', []],
  ['data for nobody', () => ofKind('data', 60), 'unknownIndex', [21]],
  ['a packet over a relay that we do not use', () => ofKind('relay', 60), 'unknownChannel', []],
  ['a relay packet around nothing', () => ofKind('relay', 5), 'malformed', []],
];

test('everything that a stranger sends is dropped for a reason that is counted, and nearly all in silence', t => {
  for (const [what, packet, reason, answers] of STRANGE) {
    const stage = scene(1);

    const outcome = stage.ask(packet(stage));

    t.deepEqual(outcome.reasons, [reason], what);
    t.deepEqual(
      outcome.answers.map(({ length }) => length),
      answers,
      what,
    );
    t.is(stage.right.endpoint.size, 0, what);
    t.is(stage.right.endpoint.paths.size, 0, what);
  }
});

test('why somebody is not let in is the same silence for each reason', t => {
  for (const reason of ['wrongNetwork', 'certificateRefused', 'malformed', 'refusedPeer'] as const) {
    const { right, ask, dial } = scene(2);
    right.judge = () => ({ verdict: 'drop', reason });

    const outcome = ask(dial());

    t.deepEqual(outcome, { reasons: [reason], answers: [] });
  }
});

test('a loaded node gives everybody the same answer, whoever asks, and opens nothing', t => {
  const { right, ask, dial, junk, load } = scene(3);
  let judged = 0;
  right.judge = () => {
    judged++;
    return { verdict: 'drop', reason: 'refusedPeer' };
  };
  const member = dial();
  load();
  const opened = right.drops.get('handshakeFailed');

  const [toMember, toStranger] = [ask(member), ask(junk(5_000))];

  for (const { reasons, answers } of [toMember, toStranger]) {
    t.deepEqual(reasons, ['cookieAsked']);
    t.deepEqual(
      answers.map(answer => [packetKind(answer[0]!), answer.length]),
      [['cookie', 64]],
    );
  }
  t.is(judged, 0);
  t.is(right.drops.get('handshakeFailed'), opened);
  t.is(right.endpoint.size, 0);
});

test('who has nothing to prove gets no cookie: load passes within a second', t => {
  const { world, ask, dial, load } = scene(4);
  load();
  world.runNow(seconds(1));

  const outcome = ask(dial());

  t.deepEqual(
    outcome.answers.map(answer => packetKind(answer[0]!)),
    ['response'],
  );
});

test('a source gets a hundred cookies a second and no more, another one its own', t => {
  const { ask, junk, load, world } = scene(12);
  load();
  const asked = (from = STRANGER): number =>
    Array.from({ length: 50 }, (_, i) => ask(junk(i), from)).filter(({ answers }) => answers.length > 0)
      .length;

  t.is(asked(), 32);
  t.is(asked(parseSocketAddress('203.0.113.9:10')), 0, 'another port is the same source');
  t.is(asked(parseSocketAddress('203.0.113.10:9')), 32);
  world.runNow(milliseconds(100));
  load();
  t.is(asked(), 10);
});

test('an initiator comes through a loaded node with one more round trip', t => {
  const { world, a, b, left, right, ask, message1, turn } = scene(5);
  for (let i = 0; i < 40; i++) ask(message1(i));
  left.dial(a.now(), b.address(1000), right.keys.publicKey);

  turn();
  world.runNow(MOMENT);

  t.deepEqual(left.kinds(), ['opened']);
  t.deepEqual(right.kinds(), ['opened']);
  t.deepEqual(
    right.sent.slice(0, 2).map(({ bytes }) => packetKind(bytes[0]!)),
    ['cookie', 'response'],
  );
});

test('an eighth of the table of pending sessions is for those who proved no address', t => {
  const { right, ask, message1 } = scene(6);

  const kinds = Array.from({ length: 60 }, (_, i) => packetKind(ask(message1(1 + i)).answers[0]![0]!));

  t.is(kinds.filter(kind => kind === 'response').length, 33);
  t.is(kinds.filter(kind => kind === 'cookie').length, 27);
  t.is(right.endpoint.size, 33);
});

test('who never sends the first packet is forgotten after ten seconds', t => {
  const { world, right, ask, message1, turn } = scene(6);
  ask(message1(1));
  t.is(right.endpoint.size, 1);

  turn();
  world.runNow(seconds(9));
  t.is(right.endpoint.size, 1);
  world.runNow(seconds(2));

  t.is(right.endpoint.size, 0);
});

test('answers that nobody fetches are 512 at most', t => {
  const { b, right, signed } = scene(6);
  const packet = signed(ofKind('initiation', 1_200).fill(2, 1, 2));

  for (let i = 0; i < 600; i++) right.handleDatagram(b.now(), 1, STRANGER, packet.slice());
  let answers = 0;
  while (right.pollTransmit(b.now())) answers++;

  t.is(answers, 512);
  t.is(right.drops.get('queueFull'), 88);
});

test('a handshake that was abandoned leaves no timer', t => {
  const { a, b, left, right } = scene(6);
  const id = left.dial(a.now(), b.address(1000), right.keys.publicKey);
  while (left.pollTransmit(a.now()));
  t.not(left.endpoint.pollTimeout(), undefined);

  left.endpoint.abandon(id);

  t.is(left.endpoint.pollTimeout(), undefined);
  t.is(left.endpoint.paths.size, 0);
});

test('the lower key insists on its own handshake for a second', t => {
  const { a, b, left, right } = scene(6);
  const [low, high, host] =
    Buffer.compare(left.keys.publicKey, right.keys.publicKey) < 0 ? [left, right, a] : [right, left, b];
  low.dial(host.now(), CROWD, high.keys.publicKey);
  high.dial(host.now(), CROWD, low.keys.publicKey);
  high.pollTransmit(host.now());
  const message1 = high.sent[0]!.bytes;
  const answer = (later: number): string | undefined => {
    low.sent.length = 0;
    low.handleDatagram(instant(host.now() + later), 1, CROWD, message1.slice());
    while (low.pollTransmit(instant(host.now() + later)));
    return low.sent.map(({ bytes }) => packetKind(bytes[0]!)).find(kind => kind === 'response');
  };

  t.deepEqual([answer(0), answer(999), answer(1_000)], [undefined, undefined, 'response']);
});

test('no more than 256 wait for their first packet, whoever brought them', t => {
  const { b, right } = scene(6);
  const caller = (of: number): Uint8Array => {
    const keys = crypto.dhKeyPair(new Uint8Array(32).fill(of & 255, 0, 16).fill(1 + (of >> 8), 16));
    const other = new EndpointMachine(crypto, b, keys);
    other.dial(b.now(), b.address(1000), right.keys.publicKey);
    other.pollTransmit(b.now());
    return other.sent[0]!.bytes;
  };

  for (let i = 0; i < 260; i++)
    right.endpoint.handleCarried(b.now(), right.endpoint.paths.intern(1, STRANGER, i), caller(i));

  t.is(right.endpoint.size, 256);
  t.is(right.drops.get('pendingFull'), 4);
});

test('a nonce proves an address as a cookie does', t => {
  const { b, right, ask, dial, left, load, a } = scene(7);
  right.judge = () => ({ verdict: 'retry' });
  const [retry] = ask(dial(), a.address(1000)).answers;
  left.handleDatagram(a.now(), 1, b.address(1000), retry!);
  left.pollTransmit(a.now());
  const withNonce = left.sent.at(-1)!.bytes;
  load();

  const [here, elsewhere] = [ask(withNonce, a.address(1000)), ask(withNonce)];

  t.deepEqual(
    [here, elsewhere].map(({ answers }) => packetKind(answers[0]![0]!)),
    ['retry', 'cookie'],
  );
});

test('an address that is proved gets five message 1s opened at once, and twenty in a second', t => {
  const { world, a, b, left, right, ask, dial, load } = scene(8);
  right.judge = () => ({ verdict: 'drop', reason: 'refusedPeer' });
  load();
  const [cookie] = ask(dial(), a.address(1000)).answers;
  left.handleDatagram(a.now(), 1, b.address(1000), cookie!);
  left.pollTransmit(a.now());
  const withCookie = left.sent.at(-1)!.bytes;
  const opened = (): number => {
    load();
    const before = right.drops.get('refusedPeer');
    for (let i = 0; i < 40; i++) ask(withCookie, a.address(1000));
    return right.drops.get('refusedPeer') - before;
  };

  t.is(opened(), 5);
  t.true(right.drops.get('rateLimited') >= 35);
  world.runNow(milliseconds(100));
  t.is(opened(), 2);
});

test('what a peer of ours introduces needs no cookie', t => {
  const { b, right, dial, load } = scene(9);
  const packet = dial();
  load();

  right.endpoint.handleCarried(b.now(), right.endpoint.paths.intern(1, STRANGER, undefined), packet.slice());
  right.pollTransmit(b.now());

  t.is(packetKind(right.sent[0]!.bytes[0]!), 'response');
});

test('an initiator uses the cookie of each path on that path alone', t => {
  const { world, a, b, left, right, ask, load } = scene(11);
  const [here, elsewhere] = [b.address(1000), STRANGER].map(remote =>
    left.endpoint.paths.intern(1, remote, undefined),
  );
  left.endpoint.connect(a.now(), {
    remoteStatic: right.keys.publicKey,
    psk: new Uint8Array(32),
    payload: () => new Uint8Array(300),
    peer: 'to',
    paths: [here!.id, elsewhere!.id],
    carry: false,
    timeout: seconds(10),
  });
  while (left.pollTransmit(a.now()));
  load();
  const [cookie] = ask(left.sent[0]!.bytes, a.address(1000)).answers;

  left.handleDatagram(a.now(), 1, b.address(1000), cookie!.slice());
  world.runNow(milliseconds(300));

  const mac2s = left.sent.map(({ to, bytes }) => [to, bytes.subarray(-16).some(byte => byte !== 0)]);
  t.deepEqual(mac2s, [
    [here!.remote.key, false],
    [elsewhere!.remote.key, false],
    [here!.remote.key, true],
    [here!.remote.key, true],
    [elsewhere!.remote.key, false],
  ]);
});

test('a cookie makes an initiator send once more, however often it comes and wherever from', t => {
  const { world, a, b, left, ask, dial, load } = scene(10);
  load();
  const [cookie] = ask(dial(), a.address(1000)).answers;
  const sent = left.sent.length;
  const receive = (from: typeof STRANGER): number => {
    left.handleDatagram(a.now(), 1, from, cookie!.slice());
    while (left.pollTransmit(a.now()));
    return left.sent.length - sent;
  };

  t.is(receive(STRANGER), 0);
  t.is(receive(b.address(1000)), 1);
  for (let i = 0; i < 100; i++) t.is(receive(b.address(1000)), 1);
  t.is(left.drops.get('unexpected'), 101);
  world.runNow(milliseconds(300));
  t.true(left.sent.length > sent + 1, 'the schedule goes on');
});
