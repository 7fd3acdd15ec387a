import { readFileSync } from 'node:fs';
import test from 'ava';
import { fixedRandom, handshakeVectors } from '../../../../scripts/vectors/handshake.js';
import { DropCounters, fromHex, instant, seconds, toHex, type Instant } from '../../src/base/index.js';
import { decodeHandshakePayload, encodeHandshakePayload } from '../../src/network/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { Endpoint, type EndpointEvent, type InitiationVerdict, KeyRatchet } from '../../src/session/index.js';
import { DATA_HEADER, encodeFrames, parseSocketAddress, TAG } from '../../src/wire/index.js';

interface Initiation {
  readonly senderIndex: number;
  readonly ephemeral: string;
  readonly nonce: string;
  readonly inside: string;
  readonly packet: string;
}

interface Vectors {
  readonly keys: {
    readonly initiatorStatic: { readonly publicKey: string; readonly privateKey: string };
    readonly responderStatic: { readonly publicKey: string; readonly privateKey: string };
    readonly psk: string;
    readonly initiatorResetSecret: string;
    readonly responderResetSecret: string;
    readonly responderFreshnessSecret: string;
    readonly responderCookieSecret: string;
  };
  readonly initiation: Initiation;
  readonly cookie: { readonly time: number; readonly nonce: string; readonly packet: string };
  readonly initiationWithCookie: { readonly packet: string };
  readonly retry: { readonly time: number; readonly address: string; readonly packet: string };
  readonly initiationAgain: Initiation;
  readonly response: {
    readonly senderIndex: number;
    readonly ephemeral: string;
    readonly packet: string;
  };
  readonly firstData: { readonly packet: string };
  readonly rekey: {
    readonly generation: number;
    readonly secret: string;
    readonly offererEphemeral: string;
    readonly answererEphemeral: string;
    readonly offer: string;
    readonly offerFrame: string;
    readonly answer: string;
    readonly answerFrame: string;
    readonly offererKey: string;
    readonly answererKey: string;
    readonly nextSecret: string;
    readonly firstData: { readonly number: number; readonly packet: string };
  };
  readonly reset: { readonly packet: string };
  readonly refusal: {
    readonly nonce: string;
    readonly code: number;
    readonly text: string;
    readonly packet: string;
  };
  readonly versionRefusal: {
    readonly versionAsked: number;
    readonly initiation: string;
    readonly packet: string;
  };
  readonly payloads: readonly { readonly what: string; readonly kind: string; readonly hex: string }[];
  readonly payloadsReadOnly: readonly { readonly why: string; readonly hex: string }[];
  readonly payloadsRefused: readonly { readonly why: string; readonly hex: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../test-vectors/handshake.json', import.meta.url), 'utf8'),
) as Vectors;
const crypto = await createCryptoProvider();
const bytesOf = (hex: string): Uint8Array => fromHex(hex)!;
const NOW = instant(vectors.retry.time);
const LINK = 1;
const remote = parseSocketAddress(vectors.retry.address)!;
const { keys } = vectors;
const askedPayload = bytesOf(vectors.payloads[0]!.hex);
const answeredPayload = bytesOf(vectors.payloads[1]!.hex);

const indexBytes = (index: number): Uint8Array =>
  Uint8Array.of(index >>> 24, (index >>> 16) & 255, (index >>> 8) & 255, index & 255);

/** One side, with the secrets of the vectors in place of random ones. */
class Side {
  readonly drops = new DropCounters();
  readonly endpoint: Endpoint<string>;
  readonly #buffer = new Uint8Array(1_500);

  constructor(
    role: 'initiator' | 'responder',
    random: Parameters<typeof fixedRandom>[0],
    judge: (fresh: boolean) => InitiationVerdict<string> = () => ({ verdict: 'drop', reason: 'unexpected' }),
  ) {
    const { privateKey } = role === 'initiator' ? keys.initiatorStatic : keys.responderStatic;
    this.endpoint = new Endpoint<string>({
      provider: crypto,
      random: fixedRandom(random),
      drops: this.drops,
      staticKey: crypto.dhKeyPair(bytesOf(privateKey)),
      resetSecret: bytesOf(role === 'initiator' ? keys.initiatorResetSecret : keys.responderResetSecret),
      policy: {
        judgeInitiation: (_now, { fresh }) => judge(fresh),
        judgeResponse: (_now, payload) =>
          toHex(payload) === toHex(answeredPayload)
            ? { verdict: 'accept', peer: 'responder' }
            : { verdict: 'drop', reason: 'malformed' },
      },
    });
  }

  receive(packet: string, now: Instant = NOW): void {
    this.endpoint.handleDatagram(now, LINK, remote, bytesOf(packet));
  }

  /** Everything it wants to send now, as hexadecimal text. */
  sent(now: Instant = NOW): string[] {
    const all: string[] = [];
    for (;;) {
      const transmit = this.endpoint.pollTransmit(now, this.#buffer);
      if (!transmit) return all;
      all.push(toHex(transmit.bytes));
    }
  }

  events(): EndpointEvent<string>[] {
    const all: EndpointEvent<string>[] = [];
    for (let event = this.endpoint.pollEvent(); event; event = this.endpoint.pollEvent()) all.push(event);
    return all;
  }
}

/** `further`: indices that it draws after its first one; by default that of the repeated message 1. */
function initiator(further: readonly Uint8Array[] = [indexBytes(vectors.initiationAgain.senderIndex)]): Side {
  const { initiation, initiationAgain } = vectors;
  const side = new Side('initiator', {
    4: [indexBytes(initiation.senderIndex), ...further],
    32: [new Uint8Array(32), bytesOf(initiation.ephemeral), bytesOf(initiationAgain.ephemeral)],
  });
  side.endpoint.connect(NOW, {
    remoteStatic: bytesOf(keys.responderStatic.publicKey),
    psk: bytesOf(keys.psk),
    payload: () => askedPayload,
    peer: 'responder',
    paths: [side.endpoint.paths.intern(LINK, remote, undefined).id],
    carry: false,
    timeout: seconds(10),
  });
  return side;
}

const responder = (judge: (fresh: boolean) => InitiationVerdict<string>): Side =>
  new Side(
    'responder',
    {
      4: [indexBytes(vectors.response.senderIndex)],
      24: [bytesOf(vectors.refusal.nonce)],
      32: [bytesOf(keys.responderFreshnessSecret), bytesOf(vectors.response.ephemeral)],
    },
    judge,
  );

const acceptFresh = (fresh: boolean): InitiationVerdict<string> =>
  fresh
    ? { verdict: 'accept', psk: bytesOf(keys.psk), payload: answeredPayload, peer: 'initiator' }
    : { verdict: 'retry' };

test('the handshake vectors on disk are what the code makes today', t => {
  t.deepEqual(vectors, handshakeVectors() as Vectors);
});

test('an initiator sends the packets of the vectors, byte for byte', t => {
  const side = initiator();

  t.deepEqual(side.sent(), [vectors.initiation.packet]);
  side.receive(vectors.retry.packet);
  t.deepEqual(side.sent(), [vectors.initiationAgain.packet]);
  side.receive(vectors.response.packet);
  t.deepEqual(side.sent(), [vectors.firstData.packet]);
  t.deepEqual(
    side.events().map(({ kind }) => kind),
    ['opened'],
  );
});

test('a responder sends the packets of the vectors, byte for byte, and opens with the first data', t => {
  const side = responder(acceptFresh);

  side.receive(vectors.initiation.packet);
  t.deepEqual(side.sent(), [vectors.retry.packet]);
  side.receive(vectors.initiationAgain.packet);
  t.deepEqual(side.sent(), [vectors.response.packet]);
  t.deepEqual(side.events(), []);
  side.receive(vectors.firstData.packet);
  t.deepEqual(
    side.events().map(({ kind }) => kind),
    ['opened'],
  );
});

test('a repeated message 1 gets the same message 2', t => {
  const side = responder(acceptFresh);
  side.receive(vectors.initiationAgain.packet);
  side.sent();

  side.receive(vectors.initiationAgain.packet);

  t.deepEqual(side.sent(), [vectors.response.packet]);
});

test('a responder refuses as in the vectors, and the initiator can read why', t => {
  const { code, text, packet } = vectors.refusal;
  const side = responder(() => ({ verdict: 'refuse', code, text }));
  const asking = initiator();
  asking.sent();

  side.receive(vectors.initiation.packet);
  t.deepEqual(side.sent(), [packet]);
  asking.receive(packet);

  const [event] = asking.events();
  t.deepEqual(event?.kind === 'handshakeFailed' ? event.failure : event, { kind: 'refused', code, text });
});

test('another version is refused as in the vectors, and the refusal only explains a time-out', t => {
  const side = responder(acceptFresh);
  const newer = bytesOf(vectors.versionRefusal.packet);
  newer.set([3, 2], 1);
  const asking = initiator();
  asking.sent();

  side.receive(vectors.versionRefusal.initiation);
  t.deepEqual(side.sent(), [vectors.versionRefusal.packet]);
  asking.receive(vectors.versionRefusal.packet);
  t.is(asking.drops.get('unexpected'), 1, 'whoever speaks our version has no reason to say so');
  asking.receive(toHex(newer));
  t.deepEqual(asking.events(), []);
  asking.endpoint.handleTimeout(instant(NOW + 10_000));

  const [event] = asking.events();
  t.deepEqual(event?.kind === 'handshakeFailed' ? event.failure : event, {
    kind: 'timeout',
    peerVersions: { lowest: 2, highest: 3 },
  });
});

/** A responder that has as much to do as it opens for strangers. */
function loaded(): Side {
  const ephemerals = Array.from({ length: 70 }, () => bytesOf(vectors.response.ephemeral));
  const side = new Side(
    'responder',
    {
      16: [new Uint8Array(16)],
      24: [bytesOf(vectors.cookie.nonce)],
      32: [bytesOf(keys.responderFreshnessSecret), bytesOf(keys.responderCookieSecret), ...ephemerals],
    },
    () => ({ verdict: 'drop', reason: 'refusedPeer' }),
  );
  while (side.drops.get('refusedPeer') < 64) side.receive(vectors.initiation.packet);
  return side;
}

test('a loaded responder answers with the cookie of the vectors, and the initiator comes again with its mac2', t => {
  const side = loaded();
  const asking = initiator();
  asking.sent();

  side.receive(vectors.initiation.packet);
  t.deepEqual(side.sent(), [vectors.cookie.packet]);
  asking.receive(vectors.cookie.packet);
  t.deepEqual(asking.sent(), [vectors.initiationWithCookie.packet]);
  const opened = side.drops.get('refusedPeer');
  side.receive(vectors.initiationWithCookie.packet);

  t.is(side.drops.get('refusedPeer'), opened + 1);
  t.deepEqual(side.sent(), []);
});

test('a responder that lost its state resets as in the vectors, and the initiator believes it', t => {
  const forgetful = responder(acceptFresh);
  const side = initiator();
  side.sent();
  side.receive(vectors.retry.packet);
  side.receive(vectors.response.packet);
  t.deepEqual(side.sent().slice(-1), [vectors.firstData.packet]);
  side.events();

  forgetful.receive(vectors.firstData.packet);
  t.deepEqual(forgetful.sent(), [vectors.reset.packet]);
  side.receive(vectors.reset.packet);

  const [event] = side.events();
  t.is(event?.kind === 'closed' ? event.by : event?.kind, 'reset');
});

/** The packet with each of its bytes altered in turn. */
const altered = (packet: string): string[] =>
  [...bytesOf(packet).keys()].map(at => {
    const bytes = bytesOf(packet);
    bytes[at]! ^= 0x10;
    return toHex(bytes);
  });

test('a retry with any byte altered changes nothing', t => {
  const side = initiator([...bytesOf(vectors.retry.packet).keys()].map(at => indexBytes(at + 1)));
  side.sent();

  for (const packet of altered(vectors.retry.packet)) side.receive(packet);

  t.deepEqual([...side.sent(), ...side.events()], []);
});

test('a cookie with any byte altered changes nothing', t => {
  const side = initiator();
  side.sent();

  for (const packet of altered(vectors.cookie.packet)) side.receive(packet);

  t.deepEqual([...side.sent(), ...side.events()], []);
  side.receive(vectors.cookie.packet);
  t.deepEqual(side.sent(), [vectors.initiationWithCookie.packet]);
});

test('a message 2 or a reset with any byte altered changes nothing', t => {
  const side = initiator();
  side.receive(vectors.retry.packet);
  side.sent();

  for (const packet of altered(vectors.response.packet)) side.receive(packet);
  t.deepEqual(side.events(), []);
  t.is(side.endpoint.sessionCount, 0);
  side.receive(vectors.response.packet);
  side.sent();
  side.events();
  for (const packet of altered(vectors.reset.packet)) side.receive(packet);

  t.deepEqual(side.events(), []);
  t.is(side.endpoint.sessionCount, 1);
});

test('the keys change as in the vectors, on both sides', t => {
  const { rekey, response, initiationAgain } = vectors;
  const ratchet = (role: 'initiator' | 'responder', ephemeral: string, secret: Uint8Array): KeyRatchet => {
    const [ours, theirs] =
      role === 'initiator'
        ? [keys.initiatorStatic, keys.responderStatic]
        : [keys.responderStatic, keys.initiatorStatic];
    const indices = [initiationAgain.senderIndex, response.senderIndex] as const;
    const [localIndex, remoteIndex] = role === 'initiator' ? indices : ([indices[1], indices[0]] as const);
    return new KeyRatchet({
      provider: crypto,
      random: fixedRandom({ 32: [bytesOf(ephemeral)] }),
      staticKey: crypto.dhKeyPair(bytesOf(ours.privateKey)),
      remoteStatic: bytesOf(theirs.publicKey),
      localIndex,
      remoteIndex,
      secret,
    });
  };
  const secrets = [bytesOf(rekey.secret), bytesOf(rekey.secret)] as const;
  const offerer = ratchet('initiator', rekey.offererEphemeral, secrets[0]);
  const answerer = ratchet('responder', rekey.answererEphemeral, secrets[1]);

  const offer = offerer.offer(rekey.generation);
  const answer = answerer.answer(rekey.generation, offer.message)!;
  const made = offer.finish(answer.message)!;

  const frames = [
    encodeFrames([{ type: 'rekeyOffer', generation: rekey.generation, bytes: offer.message }]),
    encodeFrames([{ type: 'rekeyAnswer', generation: rekey.generation, bytes: answer.message }]),
  ];
  t.deepEqual(frames.map(toHex), [rekey.offerFrame, rekey.answerFrame]);
  t.deepEqual(secrets.map(toHex), [rekey.nextSecret, rekey.nextSecret], 'the secret before is overwritten');
  for (const [key, hex] of [
    [made.sendKey, rekey.offererKey],
    [made.receiveKey, rekey.answererKey],
    [answer.keys.receiveKey, rekey.offererKey],
    [answer.keys.sendKey, rekey.answererKey],
  ] as const) {
    const [ours, theirs] = [new Uint8Array(TAG), new Uint8Array(TAG)];
    key.sealInPlace(0, 1, ours, 0, 0);
    crypto.aeadKey(bytesOf(hex)).sealInPlace(0, 1, theirs, 0, 0);
    t.deepEqual(ours, theirs);
  }
  const packet = bytesOf(rekey.firstData.packet);
  t.is(answer.keys.receiveKey.openInPlace(0, rekey.firstData.number, packet, DATA_HEADER, packet.length), 1);
});

test('the payloads of the vectors have one encoding', t => {
  for (const { what, kind, hex } of vectors.payloads) {
    const payload = decodeHandshakePayload(bytesOf(hex));

    t.true(payload.ok && payload.value.kind === kind, what);
    t.is(payload.ok ? toHex(encodeHandshakePayload(payload.value)) : '', hex, what);
  }
});

test('payloads of later versions are read, malformed ones are refused', t => {
  for (const { why, hex } of vectors.payloadsReadOnly) t.true(decodeHandshakePayload(bytesOf(hex)).ok, why);
  for (const { why, hex } of vectors.payloadsRefused) t.false(decodeHandshakePayload(bytesOf(hex)).ok, why);
});
