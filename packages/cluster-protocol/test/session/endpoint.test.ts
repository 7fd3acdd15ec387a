import test from 'ava';
import { encodeText, milliseconds, randomBytes, seconds } from '../../src/base/index.js';
import { Mac1Key } from '../../src/crypto/index.js';
import type { AeadKey, CryptoProvider } from '../../src/crypto/provider.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { SimulatedWorld } from '../../src/testing/index.js';
import { CloseCode, parseSocketAddress, type SocketAddress, writeUint32 } from '../../src/wire/index.js';
import { EndpointMachine, MOMENT } from './endpoint-machine.js';

const crypto = await createCryptoProvider();
const KIND = (packet: Uint8Array): number => (packet[0]! >> 2) & 15;

function meeting(seed: number, provider: CryptoProvider = crypto) {
  const world = new SimulatedWorld({ seed, crypto: provider });
  const [a, b] = [world.host({ name: 'a' }), world.host({ name: 'b' })];
  const keys = [a, b]
    .map(host => crypto.dhKeyPair(randomBytes(host.random, 32)))
    .sort((x, y) => Buffer.compare(x.publicKey, y.publicKey));
  const left = new EndpointMachine(provider, a, keys[0]!);
  const right = new EndpointMachine(provider, b, keys[1]!);
  const runs = [a.attach(left, { port: 1000 }), b.attach(right, { port: 1000 })] as const;
  return {
    world,
    a,
    b,
    left,
    right,
    turnLeft: (): void => {
      runs[0].turn();
    },
    turnRight: (): void => {
      runs[1].turn();
    },
    toRight: (): void => {
      left.dial(a.now(), b.address(1000), right.keys.publicKey);
      runs[0].turn();
    },
    toLeft: (): void => {
      right.dial(b.now(), a.address(1000), left.keys.publicKey);
      runs[1].turn();
    },
  };
}

test('one round trip makes a session, and the responder acts after the first packet only', t => {
  const { world, left, right, toRight } = meeting(1);

  toRight();
  world.runNow(MOMENT);

  t.deepEqual(left.kinds(), ['opened']);
  t.deepEqual(right.kinds(), ['opened']);
  t.deepEqual(
    left.sent.slice(0, 1).map(({ bytes }) => KIND(bytes)),
    [0],
  );
  t.is(KIND(right.sent[0]!.bytes), 1);
});

test('a responder never sends more bytes or packets to an unproven address than came from it', t => {
  const { world, left, right, toRight } = meeting(2);
  const total = (packets: readonly { readonly bytes: Uint8Array }[]): number =>
    packets.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const ratios: { in: number; out: number }[] = [];
  const { judge } = right;
  for (const verdict of ['accept', 'retry', 'refuse'] as const) {
    right.judge = request =>
      verdict === 'accept'
        ? judge(request)
        : verdict === 'retry'
          ? { verdict }
          : { verdict, code: 1, text: 'x'.repeat(500) };
    const before = { received: right.received.length, sent: right.sent.length };

    toRight();
    world.runNow(MOMENT);

    const isStrange = ({ bytes }: { readonly bytes: Uint8Array }): boolean => KIND(bytes) !== 5;
    ratios.push({
      in: total(right.received.slice(before.received).filter(isStrange)),
      out: total(right.sent.slice(before.sent).filter(isStrange)),
    });
  }

  t.true(left.sent.length > 0);
  for (const ratio of ratios) t.true(ratio.out > 0 && ratio.out <= ratio.in, JSON.stringify(ratio));
});

test('an answer that would be longer than message 1 is not given', t => {
  const { world, right, toRight } = meeting(2);
  const { judge } = right;
  right.judge = request =>
    ({ ...judge(request), payload: new Uint8Array(1_000) }) as ReturnType<typeof judge>;

  toRight();
  world.runNow(MOMENT);

  t.is(right.drops.get('wouldAmplify'), 1);
  t.deepEqual(right.sent, []);
  t.is(right.endpoint.size, 0);
});

test('no more sessions are opened than there may be, and one that is there may begin anew', t => {
  const { world, a, b, right } = meeting(2);
  const hub = world.host({ name: 'hub' });
  const narrow = new EndpointMachine(crypto, hub, right.keys, undefined, { maxSessions: 1 });
  hub.attach(narrow, { port: 2000 });
  const call = (host: typeof a, key: number): void => {
    const caller = new EndpointMachine(crypto, host, crypto.dhKeyPair(new Uint8Array(32).fill(key)));
    const run = host.attach(caller, { port: 2000 + key });
    caller.dial(host.now(), hub.address(2000), narrow.keys.publicKey);
    run.turn();
    world.runNow(MOMENT);
  };

  call(a, 1);
  call(b, 2);
  t.is(narrow.drops.get('sessionsFull'), 1);
  call(b, 1);

  t.deepEqual(narrow.kinds(), ['opened', 'closed', 'opened']);
  t.is(narrow.endpoint.sessionCount, 1);
});

test('a lost answer is asked for again within a quarter of a second', t => {
  const { world, left, right, b, toRight } = meeting(3);
  b.board.setConditions({ loss: 1 });
  toRight();
  world.runNow(milliseconds(100));
  b.board.setConditions({ loss: 0 });
  world.runNow(milliseconds(250));

  t.deepEqual(left.kinds(), ['opened']);
  t.deepEqual(right.kinds(), ['opened']);
});

test('crossing handshakes end in one session on both sides', t => {
  const { world, left, right, a, b, toLeft, toRight } = meeting(4);
  for (const host of [a, b]) host.board.setConditions({ delay: milliseconds(30) });
  toRight();
  toLeft();
  world.runNow(seconds(5));

  t.deepEqual(left.kinds(), ['opened']);
  t.deepEqual(right.kinds(), ['opened']);
  t.is(
    left.events[0]?.kind === 'opened' ? left.events[0].role : '',
    'initiator',
    'the lower static key wins',
  );
});

test('a thousand replays of message 1 leave the live session alone and open no other', t => {
  const { world, left, right, b, toRight } = meeting(5);
  toRight();
  world.runNow(MOMENT);
  const message1 = left.sent[0]!.bytes;
  right.judge = request => (request.fresh ? { verdict: 'drop', reason: 'unexpected' } : { verdict: 'retry' });
  const from = right.received[0]!.from;

  for (let i = 0; i < 1_000; i++) right.handleDatagram(b.now(), 1, addressOf(from), message1.slice());
  world.runNow(seconds(15));

  t.is(right.events.filter(({ kind }) => kind === 'opened').length, 1);
  t.is(right.events.filter(({ kind }) => kind === 'closed').length, 0);
  t.is(right.endpoint.sessionCount, 1);
});

test('a retry with its nonce costs one round trip and then succeeds', t => {
  const { world, left, right, toRight } = meeting(6);
  const { judge } = right;
  right.judge = request => (request.fresh ? judge(request) : { verdict: 'retry' });

  toRight();
  world.runNow(MOMENT);

  t.deepEqual(left.kinds(), ['opened']);
  t.deepEqual(
    right.sent.slice(0, 2).map(({ bytes }) => KIND(bytes)),
    [3, 1],
  );
  t.true(right.sent[0]!.bytes.length < left.sent[0]!.bytes.length);
});

test('a second message 1 of the same initiator on the same path replaces the first, and its session works', t => {
  const { world, left, right, a, b, turnLeft, turnRight } = meeting(12);
  for (let i = 0; i < 2; i++) left.dial(a.now(), b.address(1000), right.keys.publicKey);
  turnLeft();
  world.runNow(seconds(2));
  const opened = right.events.filter(event => event.kind === 'opened').at(-1);
  const session = opened?.kind === 'opened' ? right.endpoint.open(opened.session) : undefined;

  session?.sendMessage(b.now(), { sequence: 1, floor: 1, service: 9, bytes: encodeText('hi') });
  turnRight();
  world.runNow(seconds(1));

  t.true(left.events.some(event => event.kind === 'session' && event.event.kind === 'message'));
});

test('a message 1 that replaces another on the same path leaves the new session a path that it can use at once', t => {
  const { world, left, right, a, b, turnLeft } = meeting(13);
  for (let i = 0; i < 2; i++) left.dial(a.now(), b.address(1000), right.keys.publicKey);

  turnLeft();
  world.untilNow(() => right.kinds().includes('opened'), seconds(2), 'the session');

  const opened = right.events.find(event => event.kind === 'opened');
  const session = opened?.kind === 'opened' ? right.endpoint.open(opened.session) : undefined;
  // Before any challenge could repair it: the path of the handshake is still the one that the endpoint knows.
  t.is(right.endpoint.paths.get(session?.activePath ?? -1)?.remote.key, a.address(1000).key);
});

test('the path with which a session opens at its responder is the one that the session uses', t => {
  const { world, left, right, b, toRight } = meeting(14);
  const [home, elsewhere] = ['198.51.100.7:7', '198.51.100.7:8'].map(addressOf);
  b.board.setConditions({ loss: 1 });
  toRight();
  world.runNow(milliseconds(1));
  right.handleDatagram(b.now(), 1, home!, left.sent[0]!.bytes.slice());
  right.pollTransmit(b.now());
  left.handleDatagram(world.now, 1, b.address(1000), right.sent[0]!.bytes.slice());
  left.pollTransmit(world.now);

  // The initiator's NAT gave it another port between message 1 and its first packet.
  right.handleDatagram(b.now(), 1, elsewhere!, left.sent.at(-1)!.bytes.slice());
  while (right.pollEvent());

  const [opened] = right.events;
  const session = opened?.kind === 'opened' ? right.endpoint.open(opened.session) : undefined;
  t.is(opened?.kind === 'opened' ? opened.path.id : undefined, session?.activePath);
  t.is(opened?.kind === 'opened' ? opened.path.remote.key : undefined, home!.key);
});

test('a refusal reaches the initiator with its code and sentence', t => {
  const { world, left, right, toRight } = meeting(7);
  right.judge = () => ({ verdict: 'refuse', code: 3, text: 'you were revoked' });

  toRight();
  world.runNow(MOMENT);

  const [event] = left.events;
  t.deepEqual(event?.kind === 'handshakeFailed' ? event.failure : undefined, {
    kind: 'refused',
    code: 3,
    text: 'you were revoked',
  });
});

test('another psk on one side ends in a time-out and in nothing else', t => {
  const { world, left, right, a, b, turnLeft } = meeting(8);
  left.dial(a.now(), b.address(1000), right.keys.publicKey, new Uint8Array(32).fill(9));
  turnLeft();
  world.runNow(seconds(20));

  t.deepEqual(left.kinds(), ['handshakeFailed']);
  t.deepEqual(right.kinds(), []);
  t.is(right.endpoint.sessionCount, 0);
});

test('a message 1 with a wrong mac1, length or version makes no state and costs no key operation', t => {
  const { world, left, right, b, toRight, turnRight } = meeting(9);
  toRight();
  world.runNow(milliseconds(0));
  const message1 = left.sent[0]!.bytes;
  const from = addressOf(left.received[0]?.from ?? '198.51.100.99:7');
  let judged = 0;
  right.judge = () => {
    judged++;
    return { verdict: 'drop', reason: 'refusedPeer' };
  };
  const flipped = message1.slice();
  flipped[flipped.length - 17] = flipped[flipped.length - 17]! ^ 1;
  const short = message1.slice(0, 900);
  const newer = message1.slice();
  newer[1] = 2;
  const unsigned = newer.slice();
  newer.set(new Mac1Key(crypto, right.keys.publicKey).compute(newer.subarray(0, -32)), newer.length - 32);
  const before = right.sent.length;
  for (const bytes of [flipped, short, unsigned, newer]) right.handleDatagram(b.now(), 1, from, bytes);
  turnRight();
  world.runNow(milliseconds(0));

  t.is(judged, 0);
  t.is(right.drops.get('badMac1'), 2);
  t.is(right.drops.get('malformed'), 1);
  t.is(right.drops.get('unknownVersion'), 1);
  t.is(right.sent.length - before, 1, 'the version refusal');
});

test('who has lost its sessions says so, and only its own token is believed', t => {
  const { world, left, right, b, a, toRight, turnLeft } = meeting(10);
  toRight();
  world.runNow(MOMENT);
  const opened = left.events[0];
  const session = opened?.kind === 'opened' ? opened.session : 0;
  const there = right.events[0];
  const forged = new Uint8Array(21);
  forged[0] = 0xc0 | (6 << 2);
  writeUint32(forged, 1, there?.kind === 'opened' ? there.session : 0);
  left.handleDatagram(a.now(), 1, b.address(1000), forged);
  t.is(left.drops.get('badTag'), 1);
  t.is(left.endpoint.sessionCount, 1);

  const host = b.restart();
  host.attach(new EndpointMachine(crypto, host, right.keys), { port: 1000 });
  const message = { sequence: 1, floor: 1, service: 9, bytes: encodeText('hi') };
  left.endpoint.open(session)?.sendMessage(a.now(), message);
  turnLeft();
  world.runNow(seconds(3));

  t.true(left.events.some(event => event.kind === 'closed' && event.by === 'reset'));
});

test('any bytes at all are dropped and counted, and nothing is thrown', t => {
  const { right, b, left, world, toRight } = meeting(11);
  toRight();
  world.runNow(MOMENT);
  const recorded = [...left.sent, ...right.sent].map(({ bytes }) => bytes);
  const { random } = world;
  const before = right.endpoint.sessionCount;

  for (let i = 0; i < 20_000; i++) {
    const bytes = recorded[random.below(recorded.length)]!.slice(0, 1 + random.below(1_100));
    for (let flips = random.below(4); flips >= 0; flips--)
      bytes[random.below(bytes.length)] = random.below(256);
    right.handleDatagram(b.now(), 1, addressOf(`203.0.113.9:${1 + random.below(5)}`), bytes);
    while (right.pollTransmit(b.now())) if (right.sent.length > 5_000) right.sent.length = 0;
  }

  t.is(right.endpoint.sessionCount, before);
  t.true(right.endpoint.paths.size < 300);
});

function addressOf(key: string): SocketAddress {
  return parseSocketAddress(key)!;
}

test('a refusal in a script of several bytes is cut at a whole character', t => {
  const { world, left, right, toRight } = meeting(20);
  right.judge = () => ({ verdict: 'refuse', code: 2, text: '€'.repeat(100) });

  toRight();
  world.runNow(MOMENT);

  const [failed] = left.events;
  const text =
    failed?.kind === 'handshakeFailed' && failed.failure.kind === 'refused' ? failed.failure.text : '';
  t.is(text, '€'.repeat(53), 'as many as fit 160 bytes');
});

test('whoever else holds the keys of a node hears that another session took its place', t => {
  const { world, b, left, right, toRight } = meeting(21);
  const twinHost = world.host({ name: 'twin' });
  const twin = new EndpointMachine(crypto, twinHost, left.keys);
  const twinRun = twinHost.attach(twin, { port: 1000 });
  toRight();
  world.runNow(MOMENT);

  twin.dial(twinHost.now(), b.address(1000), right.keys.publicKey);
  twinRun.turn();
  world.runNow(MOMENT);

  t.like(left.events.at(-1), { kind: 'closed', by: 'peer', code: CloseCode.replaced });
  t.deepEqual(right.kinds(), ['opened', 'closed', 'opened']);
  t.deepEqual(twin.kinds(), ['opened']);
  t.is(right.endpoint.sessionCount, 1);
});

test('a session whose first packet ends it takes the place of no other', t => {
  const { world, left, right, a, b, toRight, turnLeft } = meeting(22);
  toRight();
  world.runNow(MOMENT);
  const { events } = right;
  events.length = 0;
  const handle = left.handleDatagram.bind(left);
  left.handleDatagram = (now, link, remote, bytes) => {
    handle(now, link, remote, bytes);
    const session = left.endpoint.sessionWith(right.keys.publicKey);
    if (session !== undefined) left.endpoint.open(session)?.close(now, CloseCode.done, 'changed my mind');
  };

  left.dial(a.now(), b.address(1000), right.keys.publicKey);
  turnLeft();
  world.runNow(MOMENT);

  t.is(left.endpoint.sessionCount, 0);
  t.deepEqual(events, []);
  t.is(right.endpoint.sessionCount, 1);
});

test('a close that got lost is said again when the peer goes on, with its code and reason', t => {
  const { world, left, right, a, b, toRight, turnLeft, turnRight } = meeting(24);
  toRight();
  world.runNow(seconds(1));
  const [mine, theirs] = [
    left.endpoint.sessionWith(right.keys.publicKey)!,
    right.endpoint.sessionWith(left.keys.publicKey)!,
  ];
  a.board.setConditions({ loss: 1 });
  left.endpoint.open(mine)!.close(a.now(), CloseCode.done, 'enough');
  turnLeft();
  world.runNow(milliseconds(10));
  a.board.setConditions({ loss: 0 });

  right.endpoint.open(theirs)!.ping(b.now());
  turnRight();
  world.runNow(milliseconds(50));
  const lingering = left.endpoint.size;
  world.runNow(seconds(5));

  t.like(right.events.at(-1), { kind: 'closed', by: 'peer', code: CloseCode.done, reason: 'enough' });
  t.is(left.endpoint.sessionCount, 0);
  t.deepEqual([lingering, left.endpoint.size, left.endpoint.paths.size], [1, 0, 0]);
});

test('who closed a session may begin the next one at once', t => {
  const { world, left, right, a, toRight, turnLeft } = meeting(25);
  toRight();
  world.runNow(MOMENT);
  for (let i = 0; i < 5; i++) {
    const session = left.endpoint.sessionWith(right.keys.publicKey)!;
    left.endpoint.open(session)!.close(a.now(), CloseCode.done, 'enough');
    turnLeft();
    toRight();
    world.runNow(MOMENT);
  }

  t.is(left.endpoint.sessionCount, 1);
  t.is(right.endpoint.sessionCount, 1);
  t.is(right.kinds().filter(kind => kind === 'opened').length, 6);
});

test('the keys of a session are let go when it ends, however it ends', t => {
  let held = 0;
  const counting = new Proxy(crypto, {
    get: (provider, name: keyof CryptoProvider) => {
      if (name !== 'aeadKey') return provider[name].bind(provider);
      return (key: Uint8Array): AeadKey => {
        const made = provider.aeadKey(key);
        const destroy = made.destroy.bind(made);
        let isHeld = true;
        held++;
        made.destroy = () => {
          if (isHeld) held--;
          isHeld = false;
          destroy();
        };
        return made;
      };
    },
  });
  const { world, left, right, a, b, toRight, turnLeft } = meeting(23, counting);
  const end = (): void => {
    const session = left.endpoint.sessionWith(right.keys.publicKey)!;
    left.endpoint.open(session)!.close(a.now(), CloseCode.done, 'enough');
    turnLeft();
    world.runNow(seconds(2));
  };
  toRight();
  world.runNow(MOMENT);
  toRight(); // Replaces the first one, which lingers for a moment.
  world.runNow(seconds(5));
  const two = held;
  end();
  right.judge = () => ({ verdict: 'drop', reason: 'unexpected' });
  b.board.setConditions({ loss: 1 });
  toRight(); // Times out.
  world.runNow(seconds(30));

  t.is(two, 4, 'two keys on each side of the one session');
  t.is(held, 0);
});
