import {
  ClusterError,
  decodeCandidates,
  decodeCertificate,
  decodeCredential,
  decodeHandshakePayload,
  decodeHead,
  decodeInvitationProof,
  decodeManagement,
  decodeNodeKeys,
  decodeRecallAnswer,
  decodeRecallQuestion,
  decodeRecord,
  decodeRendezvous,
  decodeSyncMessage,
  decodeText,
  encodeCertificate,
  encodeCredential,
  encodeHandshakePayload,
  encodeHead,
  encodeManagement,
  encodeNodeKeys,
  encodeRecallAnswer,
  encodeRecallQuestion,
  encodeRecord,
  encodeRendezvous,
  encodeSyncMessage,
  encodeText,
  formatJoinUri,
  formatOperatorUri,
  fromBase64Url,
  fromHex,
  HandshakeState,
  instant,
  NetworkState,
  parseHostPort,
  parseJoinUri,
  parseNetworkId,
  parseOperatorUri,
  parseRootKey,
  ReplayGuard,
  SecretRing,
  TrustedTime,
} from '@coconet/cluster-protocol/core';
import { AuthenticatingProvider, SeededRandom } from '@coconet/cluster-protocol/testing';

import { type Decoder, readParsed, type Reading } from './decoder.js';
import { texts, vectorBytes } from './vectors.js';

const provider = new AuthenticatingProvider();

const CERTIFICATES = vectorBytes('certificates', 'certificates');

/** What reads the messages, certificates and records of networks, and texts that people are given. */
export const NETWORK_DECODERS: Readonly<Record<string, Decoder>> = {
  certificate: {
    about: 'certificates of all types',
    weight: 2,
    seeds: CERTIFICATES,
    read: bytes => readParsed(bytes, decodeCertificate, ({ type }) => type, encodeCertificate),
  },
  credential: {
    about: 'credentials',
    weight: 2,
    seeds: vectorBytes('certificates', 'credentials'),
    read: bytes =>
      readParsed(bytes, decodeCredential, ({ issuers }) => `${issuers.length} issuers`, encodeCredential),
  },
  invitationProof: {
    about: 'invitations inside certificates',
    seeds: CERTIFICATES.flatMap(bytes => {
      const decoded = decodeCertificate(bytes);
      const extensions = decoded.ok && 'extensions' in decoded.value ? decoded.value.extensions : [];
      return extensions.map(extension => extension.bytes);
    }),
    read: bytes => readParsed(bytes, decodeInvitationProof),
  },
  handshakePayload: {
    about: 'payloads of handshakes',
    seeds: [...vectorBytes('handshake', 'payloads'), ...vectorBytes('handshake', 'payloadsReadOnly')],
    read: bytes => {
      const reading = readParsed(bytes, decodeHandshakePayload, ({ kind }) => kind);
      const decoded = decodeHandshakePayload(bytes);
      // What a later version adds is left out, so that only the way there and back again has to agree.
      if (decoded.ok) encodeHandshakePayload(decoded.value);
      return reading;
    },
  },
  record: {
    about: 'records of the network state',
    weight: 2,
    seeds: vectorBytes('records', 'records'),
    read: bytes => readParsed(bytes, decodeRecord, ({ content }) => content.kind, encodeRecord),
  },
  head: {
    about: 'heads of the network state',
    seeds: vectorBytes('records', 'head'),
    read: bytes => readParsed(bytes, decodeHead, () => 'head', encodeHead),
  },
  stateSync: {
    about: 'messages of state synchronisation',
    weight: 2,
    seeds: vectorBytes('synchronisation', 'messages'),
    read: bytes => readParsed(bytes, decodeSyncMessage, ({ type }) => type, encodeSyncMessage),
  },
  stateSnapshot: {
    about: 'snapshots of the network state, as an NMN sends them',
    seeds: vectorBytes('records', 'snapshot'),
    read: bytes => readParsed(bytes, snapshot => NetworkState.restore(provider, ANCHOR, snapshot)),
  },
  management: {
    about: 'management messages',
    weight: 3,
    seeds: vectorBytes('management', 'messages'),
    read: bytes => readParsed(bytes, decodeManagement, ({ type }) => type, encodeManagement),
  },
  rendezvous: {
    about: 'rendezvous messages',
    weight: 2,
    seeds: vectorBytes('rendezvous', 'messages'),
    read: bytes => readParsed(bytes, decodeRendezvous, ({ kind }) => kind, encodeRendezvous),
  },
  candidates: {
    about: 'candidates for paths',
    seeds: vectorBytes('path', 'candidates'),
    read: bytes => readParsed(bytes, decodeCandidates, ({ candidates }) => `${candidates.length}`),
  },
  recallQuestion: {
    about: 'questions after a restart',
    seeds: vectorBytes('memory', 'questions'),
    read: bytes => readParsed(bytes, decodeRecallQuestion, () => 'question', encodeRecallQuestion),
  },
  recallAnswer: {
    about: 'answers to them',
    seeds: [Uint8Array.of(0), Uint8Array.of(1)],
    read: bytes => readParsed(bytes, decodeRecallAnswer, String, encodeRecallAnswer),
  },
  savedNode: {
    about: 'what a node keeps: keys, secrets, counters, times',
    seeds: [
      new Uint8Array(64).fill(3),
      new SecretRing().snapshot(),
      new ReplayGuard().snapshot(),
      ...savedTimes(),
    ],
    read: bytes => {
      ReplayGuard.restore(bytes).snapshot();
      const ring = readParsed(bytes, SecretRing.restore.bind(SecretRing));
      const time = readParsed(bytes, kept => TrustedTime.restore(instant(0), kept));
      const keys = readParsed(
        bytes,
        kept => decodeNodeKeys(provider, kept),
        () => 'keys',
        encodeNodeKeys,
      );
      return { way: `${ring.way} ${time.way} ${keys.way}`, flaws: keys.flaws ?? [] };
    },
  },
  joinUri: {
    about: 'join URIs and operator URIs',
    weight: 2,
    seeds: texts('join-uri')
      .filter(text => text.startsWith('coconet'))
      .map(encodeText),
    read: readUri,
  },
  keyText: {
    about: 'network ids, root keys, hosts and ports, hexadecimal and base64url',
    seeds: ['xeIascn2Ai2Bw7JeNDbLfw', '[::1]:47700', 'nmn.example.org:1', 'c0ffee', 'fd00::1%eth0'].map(
      encodeText,
    ),
    read: bytes => {
      const text = decodeText(bytes);
      if (text === undefined) return { way: 'no text' };
      const ways = [fromHex(text), fromBase64Url(text), parseNetworkId(text)].map(
        value => value !== undefined,
      );
      ways.push(
        wellBehaved(() => parseHostPort(text)),
        wellBehaved(() => parseRootKey(provider, text)),
      );
      return { way: ways.join(' ') };
    },
  },
  noiseIk: {
    about: 'Noise messages of both sides of the handshake IKpsk2',
    seeds: noiseMessages('IKpsk2'),
    read: bytes => readNoise('IKpsk2', bytes),
  },
  noiseXx: {
    about: 'Noise messages of both sides of the handshake XXpsk3',
    seeds: noiseMessages('XXpsk3'),
    read: bytes => readNoise('XXpsk3', bytes),
  },
};

const ANCHOR = {
  network: fromHex(texts('records', 'network')[0]!)!,
  rootKey: fromHex(texts('records', 'rootKey')[0]!)!,
};

function savedTimes(): readonly Uint8Array[] {
  const time = TrustedTime.restore(instant(0), new Uint8Array(6).fill(1));
  return [new Uint8Array(6), ...(time.ok ? [time.value.snapshot(instant(1))] : [])];
}

/** Whether something that people wrote was understood; what is wrong with it is said by an error of ours. */
function wellBehaved(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof ClusterError) return false;
    throw error;
  }
}

function readUri(bytes: Uint8Array): Reading {
  const text = decodeText(bytes);
  if (text === undefined) return { way: 'no text' };
  try {
    if (text.startsWith('coconet-operator')) parseOperatorUri(formatOperatorUri(parseOperatorUri(text)));
    else parseJoinUri(formatJoinUri(parseJoinUri(text)));
    return { way: 'uri' };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return {
      way: error.message
        .split(' ')
        .slice(0, 3)
        .join(' ')
        .replace(/[^a-zA-Z ]/g, ''),
    };
  }
}

type Side = 'initiator' | 'responder';

/** Both sides before the first message, always with the same keys. */
function noisePair(pattern: 'IKpsk2' | 'XXpsk3'): Record<Side, HandshakeState> {
  const random = new SeededRandom(1);
  const draw = (): Uint8Array => {
    const bytes = new Uint8Array(32);
    random.fill(bytes);
    return bytes;
  };
  const statics = { initiator: provider.dhKeyPair(draw()), responder: provider.dhKeyPair(draw()) };
  const psks = [draw()];
  const side = (role: Side): HandshakeState =>
    new HandshakeState({
      provider,
      random: random.fork(role),
      protocolName: `Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`,
      role,
      prologue: new Uint8Array(0),
      staticKeyPair: statics[role],
      ...(pattern === 'IKpsk2' && role === 'initiator' && { remoteStatic: statics.responder.publicKey }),
      psks,
    });
  return { initiator: side('initiator'), responder: side('responder') };
}

/** One case: which message it stands for, then its bytes; the messages before it are the right ones. */
function noiseMessages(pattern: 'IKpsk2' | 'XXpsk3'): readonly Uint8Array[] {
  const pair = noisePair(pattern);
  const messages: Uint8Array[] = [];
  for (let number = 0; number < (pattern === 'IKpsk2' ? 2 : 3); number++) {
    const [from, to] = number % 2 === 0 ? [pair.initiator, pair.responder] : [pair.responder, pair.initiator];
    const message = from.writeMessage(new Uint8Array(20).fill(number));
    to.readMessage(message);
    messages.push(Uint8Array.of(number, ...message));
  }
  return messages;
}

function readNoise(pattern: 'IKpsk2' | 'XXpsk3', bytes: Uint8Array): Reading {
  const count = pattern === 'IKpsk2' ? 2 : 3;
  const pair = noisePair(pattern);
  const which = (bytes[0] ?? 0) % count;
  for (let number = 0; number <= which; number++) {
    const [from, to] = number % 2 === 0 ? [pair.initiator, pair.responder] : [pair.responder, pair.initiator];
    const right = from.writeMessage(new Uint8Array(20).fill(number));
    if (number < which) to.readMessage(right);
    else if (!wellBehaved(() => to.readMessage(bytes.subarray(1)))) return { way: `${which} refused` };
    else if (!provider.equal(right, bytes.subarray(1)))
      // Message 1 of XX is an ephemeral key and a clear payload: any will do.
      return {
        way: `${which} other`,
        flaws: pattern === 'XXpsk3' && which === 0 ? [] : [`message ${which} was forged`],
      };
  }
  return { way: `${which} right` };
}
