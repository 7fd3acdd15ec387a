/**
 * Computes test-vectors/handshake.json: payloads, and the packets of one whole handshake with everything that may come
 * between. The packets are put together here from the parts of the specification, not by the endpoint that sends them.
 *
 *   npx tsx --conditions=coconet-source scripts/vectors/handshake.ts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  concatBytes,
  encodeText,
  instant,
  type RandomSource,
  toHex,
  wallTime,
} from '../../packages/cluster-protocol/src/base/index.js';
import {
  type CryptoProvider,
  HandshakeState,
  type KeyPair,
  Mac1Key,
  type HandshakeRole,
} from '../../packages/cluster-protocol/src/crypto/index.js';
import {
  encodeCredential,
  encodeHandshakePayload,
  type HandshakePayload,
  networkIdOf,
  NO_SECRET,
  RefusalCode,
  type SessionKind,
  signAuthority,
  signMembership,
} from '../../packages/cluster-protocol/src/network/index.js';
import { createCryptoProvider } from '../../packages/cluster-protocol/src/nodejs/crypto-provider.js';
import { CookieJar } from '../../packages/cluster-protocol/src/session/cookie.js';
import { Freshness } from '../../packages/cluster-protocol/src/session/freshness.js';
import {
  DATA_HEADER,
  encodeFrames,
  encodeWith,
  parseSocketAddress,
  TAG,
  writeDataHeader,
} from '../../packages/cluster-protocol/src/wire/index.js';

const crypto = await createCryptoProvider();
const SUITE = 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b';
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
const uint16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
const uint32 = (value: number): Uint8Array => encodeWith(4, writer => writer.uint32(value));
const day = (count: number) => wallTime(1_772_323_200_000 + count * 86_400_000);

/** Gives out fixed bytes, in order, for each length that is asked for; throws when there are none left. */
export function fixedRandom(given: Readonly<Record<number, readonly Uint8Array[]>>): RandomSource {
  const left = new Map(Object.entries(given).map(([length, values]) => [Number(length), [...values]]));
  return {
    fill: into => {
      const bytes = left.get(into.length)?.shift();
      if (bytes === undefined) throw new Error(`no ${into.length} random bytes are left`);
      into.set(bytes);
    },
  };
}

const root = crypto.signingKeyPair(filled(32, 0x01));
const authorityKey = crypto.signingKeyPair(filled(32, 0x02));
const network = networkIdOf(crypto, root.publicKey);
const statics: Record<HandshakeRole, KeyPair> = {
  initiator: crypto.dhKeyPair(filled(32, 0x11)),
  responder: crypto.dhKeyPair(filled(32, 0x22)),
};
const psk = filled(32, 0x55);
const resetSecrets: Record<HandshakeRole, Uint8Array> = {
  initiator: filled(32, 0x66),
  responder: filled(32, 0x77),
};

const authority = signAuthority(crypto, root, {
  network,
  number: 1,
  signingKey: authorityKey.publicKey,
  staticKey: crypto.dhKeyPair(filled(32, 0x03)).publicKey,
  pathLength: 0,
  issuedAt: day(0),
  notBefore: day(0),
  notAfter: day(3652),
  extensions: [],
});
const credentialOf = (role: HandshakeRole, nodeId: number): Uint8Array =>
  encodeCredential({
    leaf: signMembership(crypto, authorityKey, {
      network,
      nodeId,
      kind: role === 'initiator' ? 'client' : 'device',
      signingKey: crypto.signingKeyPair(filled(32, nodeId)).publicKey,
      staticKey: statics[role].publicKey,
      user: '',
      role: role === 'initiator' ? 'guest' : 'none',
      issuedAt: day(0),
      notBefore: day(0),
      notAfter: day(180),
      serial: nodeId,
      stateVersion: { authorityNumber: 1, version: 12 },
      extensions: [],
    }),
    issuers: [authority],
  });

function payloadOf(kind: SessionKind, changes: Partial<HandshakePayload>): HandshakePayload {
  return {
    kind,
    network,
    bootCounter: 3,
    uptime: 70_000,
    features: 0,
    epoch: 2,
    authorityNumber: 1,
    stateVersion: 300,
    outboxIncarnation: filled(8, 0xa1),
    inboxIncarnation: filled(8, 0xa2),
    credential: new Uint8Array(0),
    claimId: new Uint8Array(0),
    rootKey: new Uint8Array(0),
    ...changes,
  };
}

const asked = payloadOf('member', { credential: credentialOf('initiator', 4) });
const answered = payloadOf('member', {
  bootCounter: 1,
  uptime: 1_000_000,
  stateVersion: 299,
  outboxIncarnation: filled(8, 0xb1),
  inboxIncarnation: filled(8, 0xb2),
  credential: credentialOf('responder', 5),
});
const joining = payloadOf('join', {
  bootCounter: 0,
  uptime: 12,
  epoch: 0,
  authorityNumber: 0,
  stateVersion: 0,
  claimId: filled(16, 0xc1),
});

function payloads() {
  const written: readonly (readonly [what: string, payload: HandshakePayload])[] = [
    ['message 1 of a member', asked],
    ['message 2 of a member', answered],
    ['message 1 of a joiner', joining],
    [
      "message 2 of the NMN to a joiner: the root key is the network's",
      { ...joining, rootKey: root.publicKey, claimId: new Uint8Array(0) },
    ],
    ['a member at its NMN', payloadOf('nmn', { credential: asked.credential })],
    [
      'a member whose secret is out of date',
      payloadOf('catchUp', { credential: asked.credential, epoch: 1 }),
    ],
  ];
  const bytes = encodeHandshakePayload(joining);
  return {
    payloads: written.map(([what, payload]) => ({
      what,
      ...payload,
      hex: encodeHandshakePayload(payload),
    })),
    payloadsReadOnly: [
      { why: 'a later minor version has further fields', hex: concatBytes(bytes, filled(3, 0xff)) },
    ],
    payloadsRefused: [
      { why: 'empty', hex: new Uint8Array(0) },
      { why: 'unknown session kind', hex: concatBytes(Uint8Array.of(4), bytes.subarray(1)) },
      { why: 'cut off', hex: bytes.subarray(0, bytes.length - 1) },
      {
        why: 'a longer varint than needed',
        hex: concatBytes(bytes.subarray(0, 17), Uint8Array.of(0x40, 0x00), bytes.subarray(18)),
      },
      {
        why: 'a claim id of 17 bytes',
        hex: concatBytes(
          bytes.subarray(0, bytes.length - 18),
          Uint8Array.of(17),
          filled(17, 0xc1),
          Uint8Array.of(0),
        ),
      },
    ],
  };
}

/** Length, reset token, payload, zeros: what stands inside messages 1 and 2. */
function inside(token: Uint8Array, payload: Uint8Array, length: number): Uint8Array {
  const content = concatBytes(uint16(payload.length), token, payload);
  return concatBytes(content, new Uint8Array(Math.max(0, length - content.length)));
}

const tokenOf = (role: HandshakeRole, index: number): Uint8Array =>
  crypto.blake2b(16, uint32(index), resetSecrets[role]);

function initiation(senderIndex: number, ephemeral: number, nonce: Uint8Array) {
  const header = concatBytes(Uint8Array.of(0xc0, 1, 0, 0), uint32(senderIndex), nonce);
  const noise = new HandshakeState({
    provider: crypto,
    random: fixedRandom({}),
    protocolName: SUITE,
    role: 'initiator',
    prologue: concatBytes(encodeText('coconet session v1'), header),
    staticKeyPair: statics.initiator,
    remoteStatic: statics.responder.publicKey,
    ephemeral: crypto.dhKeyPair(filled(32, ephemeral)),
  });
  const resetToken = tokenOf('initiator', senderIndex);
  const around = header.length + 32 + 48 + 16 + 16 + 16;
  const content = inside(resetToken, encodeHandshakePayload(asked), 1_000 - around);
  const covered = concatBytes(header, noise.writeMessage(content));
  const mac1 = new Mac1Key(crypto, statics.responder.publicKey).compute(covered);
  const packet = concatBytes(covered, mac1, filled(16, 0));
  return {
    noise,
    header,
    packet,
    mac1,
    said: { senderIndex, ephemeral: filled(32, ephemeral), nonce, resetToken, inside: content, mac1, packet },
  };
}

/** The other side of {@link initiation}, after it read message 1. */
function reader(header: Uint8Array, packet: Uint8Array, ephemeral: number): HandshakeState {
  const noise = new HandshakeState({
    provider: crypto,
    random: fixedRandom({}),
    protocolName: SUITE,
    role: 'responder',
    prologue: concatBytes(encodeText('coconet session v1'), header),
    staticKeyPair: statics.responder,
    ephemeral: crypto.dhKeyPair(filled(32, ephemeral)),
  });
  noise.readMessage(packet.subarray(header.length, packet.length - 32));
  return noise;
}

function handshake() {
  const first = initiation(0x0a00_0001, 0x33, filled(16, 0));

  // A responder that looks at its peer's address would see this one.
  const time = instant(25_000);
  const address = parseSocketAddress('192.0.2.1:1000')!;
  const freshness = new Freshness(crypto, fixedRandom({ 32: [filled(32, 0x88)] }));
  const nonce = freshness.nonce(time, { id: 1, link: 1, remote: address, channel: undefined });
  const retryBody = concatBytes(Uint8Array.of(0xcc, 1, 0, 0), uint32(first.said.senderIndex), nonce);
  const retryKey = crypto.blake2b(
    32,
    concatBytes(encodeText('coconet retry v1'), statics.responder.publicKey),
  );
  const retryMac = crypto.blake2b(16, concatBytes(retryBody, first.mac1), retryKey);

  const second = initiation(0x0a00_0002, 0x34, nonce);
  const responder = reader(second.header, second.packet, 0x44);
  responder.setPsk(0, psk);
  const index = 0x0b00_0001;
  const resetToken = tokenOf('responder', index);
  const content = inside(resetToken, encodeHandshakePayload(answered), 0);
  const responseHeader = concatBytes(
    Uint8Array.of(0xc4, 1, 0, 0),
    uint32(index),
    uint32(second.said.senderIndex),
  );
  responder.bind(responseHeader);
  const responseBody = concatBytes(responseHeader, responder.writeMessage(content));
  const responseMac = new Mac1Key(crypto, statics.initiator.publicKey).compute(responseBody);
  second.noise.setPsk(0, psk);
  second.noise.bind(responseHeader);
  second.noise.readMessage(responseBody.subarray(responseHeader.length));

  const ping = encodeFrames([{ type: 'ping' }]);
  const data = new Uint8Array(DATA_HEADER + ping.length + TAG);
  writeDataHeader(data, 0, index, 0);
  data.set(ping, DATA_HEADER);
  second.noise.transportKeys().sendKey.sealInPlace(0, 0, data, DATA_HEADER, ping.length);

  const rekeySecret = second.noise.exportKey('rekey');

  const refuser = reader(first.header, first.packet, 0x45);
  const refusalKey = refuser.exportKey('refusal');
  const refusalNonce = filled(24, 0x99);
  const refusalHeader = concatBytes(Uint8Array.of(0xe0, 1, 0, 0), uint32(first.said.senderIndex));
  const text = 'your certificate is revoked';
  const refusal = concatBytes(
    refusalHeader,
    refusalNonce,
    crypto.xSeal(
      refusalKey,
      refusalNonce,
      refusalHeader,
      concatBytes(uint16(RefusalCode.revoked), encodeText(text)),
    ),
  );

  // While it is loaded, the responder answers the first initiation with a cookie, and it comes again with a mac2.
  const cookieSecret = filled(32, 0x8a);
  const jar = new CookieJar(crypto, fixedRandom({ 32: [cookieSecret] }));
  const cookie = jar.cookie(time, { id: 1, link: 1, remote: address, channel: undefined });
  const cookieKey = crypto.blake2b(
    32,
    concatBytes(encodeText('coconet cookie v1'), statics.responder.publicKey),
  );
  const cookieHeader = concatBytes(Uint8Array.of(0xd0, 1, 0, 0), uint32(first.said.senderIndex));
  const cookieNonce = filled(24, 0x9a);
  const cookiePacket = concatBytes(
    cookieHeader,
    cookieNonce,
    crypto.xSeal(cookieKey, cookieNonce, concatBytes(cookieHeader, first.mac1), cookie),
  );
  const beforeMac2 = first.packet.subarray(0, -16);
  const mac2 = crypto.blake2b(16, beforeMac2, cookie);

  // Another version, as whoever speaks it would send it: what every version has in common is right.
  const versionAsked = 2;
  const ofOtherVersion = first.packet.slice(0, -32);
  ofOtherVersion[1] = versionAsked;
  const otherMac1 = new Mac1Key(crypto, statics.responder.publicKey).compute(ofOtherVersion);

  return {
    initiation: first.said,
    cookie: {
      time,
      address: '192.0.2.1:1000',
      key: cookieKey,
      nonce: cookieNonce,
      cookie,
      packet: cookiePacket,
    },
    initiationWithCookie: { mac2, packet: concatBytes(beforeMac2, mac2) },
    retry: {
      time,
      address: '192.0.2.1:1000',
      nonce,
      mac: retryMac,
      packet: concatBytes(retryBody, retryMac),
    },
    initiationAgain: second.said,
    response: {
      senderIndex: index,
      receiverIndex: second.said.senderIndex,
      ephemeral: filled(32, 0x44),
      resetToken,
      inside: content,
      mac1: responseMac,
      packet: concatBytes(responseBody, responseMac),
      handshakeHash: second.noise.handshakeHash,
    },
    firstData: { number: 0, frames: ping, packet: data },
    rekey: rekey(second.said.senderIndex, index, rekeySecret),
    reset: {
      receiverIndex: index,
      token: resetToken,
      packet: concatBytes(Uint8Array.of(0xd8), uint32(index), resetToken),
    },
    refusal: { key: refusalKey, nonce: refusalNonce, code: RefusalCode.revoked, text, packet: refusal },
    versionRefusal: {
      versionAsked,
      initiation: concatBytes(ofOtherVersion, otherMac1, filled(16, 0)),
      packet: concatBytes(Uint8Array.of(0xe4, 1, 1, 0), uint32(first.said.senderIndex)),
    },
  };
}

/** The first change of keys after the handshake: its initiator makes the offer. */
function rekey(offererIndex: number, answererIndex: number, secret: Uint8Array) {
  const generation = 1;
  const made: Uint8Array[] = [];
  const watched = watching(made);
  const prologue = concatBytes(
    encodeText('coconet rekey v1'),
    uint32(offererIndex),
    uint32(answererIndex),
    encodeWith(6, writer => writer.uint48(generation)),
  );
  const noise = (role: HandshakeRole, ephemeral: number): HandshakeState =>
    new HandshakeState({
      provider: watched,
      random: fixedRandom({}),
      protocolName: 'Noise_KKpsk0_25519_ChaChaPoly_BLAKE2b',
      role,
      prologue,
      staticKeyPair: statics[role],
      remoteStatic: statics[role === 'initiator' ? 'responder' : 'initiator'].publicKey,
      psks: [secret],
      ephemeral: crypto.dhKeyPair(filled(32, ephemeral)),
    });
  const offerer = noise('initiator', 0x35);
  const answerer = noise('responder', 0x46);
  const offer = offerer.writeMessage(new Uint8Array(0));
  answerer.readMessage(offer);
  const answer = answerer.writeMessage(new Uint8Array(0));
  offerer.readMessage(answer);
  made.length = 0;
  const { sendKey } = offerer.transportKeys();
  const [offererKey, answererKey] = made;

  const ping = encodeFrames([{ type: 'ping' }]);
  const number = 2;
  const packet = new Uint8Array(DATA_HEADER + ping.length + TAG);
  writeDataHeader(packet, 1, answererIndex, number);
  packet.set(ping, DATA_HEADER);
  sendKey.sealInPlace(0, number, packet, DATA_HEADER, ping.length);
  return {
    generation,
    secret,
    prologue,
    offererEphemeral: filled(32, 0x35),
    answererEphemeral: filled(32, 0x46),
    offer,
    offerFrame: encodeFrames([{ type: 'rekeyOffer', generation, bytes: offer }]),
    answer,
    answerFrame: encodeFrames([{ type: 'rekeyAnswer', generation, bytes: answer }]),
    offererKey,
    answererKey,
    nextSecret: offerer.exportKey('rekey'),
    firstData: { number, keyPhase: 1, frames: ping, packet },
  };
}

/** The provider, which also keeps a copy of every AEAD key that it is asked for. */
function watching(made: Uint8Array[]): CryptoProvider {
  return new Proxy(crypto, {
    get: (target, name: keyof CryptoProvider) => {
      if (name !== 'aeadKey') return (target[name] as () => unknown).bind(target);
      return (key: Uint8Array) => {
        made.push(key.slice());
        return target.aeadKey(key);
      };
    },
  });
}

/** Bytes as hexadecimal text, everything else as JSON has it. */
function meaning(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(meaning);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, meaning(item)]));
}

/** The content of test-vectors/handshake.json. */
export const handshakeVectors = (): unknown =>
  meaning({
    source: 'this repository, docs/spec/02-handshake.md; computed by scripts/vectors/handshake.ts',
    licence: 'Apache-2.0',
    order:
      'initiation is answered by retry and repeated as initiationAgain, which is answered by response; firstData follows. ' +
      'cookie is the answer of a loaded responder to initiation, which comes again as initiationWithCookie. ' +
      'rekey is the first change of keys in that session; its offerer is the initiator. ' +
      'reset answers firstData of a responder that lost its state. refusal is another answer to initiation, versionRefusal one to the initiation of another version.',
    keys: {
      initiatorStatic: statics.initiator,
      responderStatic: statics.responder,
      psk,
      zeroPsk: NO_SECRET,
      initiatorResetSecret: resetSecrets.initiator,
      responderResetSecret: resetSecrets.responder,
      responderFreshnessSecret: filled(32, 0x88),
      responderCookieSecret: filled(32, 0x8a),
    },
    ...handshake(),
    ...payloads(),
  });

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(
    new URL('../../test-vectors/handshake.json', import.meta.url),
    `${JSON.stringify(handshakeVectors(), undefined, 2)}\n`,
  );
