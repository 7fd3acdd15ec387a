import test from 'ava';

import { toHex } from '../../src/base/index.js';
import {
  type HandshakeState,
  parseProtocolName,
  type HandshakeRole as Role,
} from '../../src/crypto/index.js';
import { FUNDAMENTAL, handshakePair, receiver, sender } from './noise-pair.js';
import { hex, nodeProvider, vectors } from './providers.js';

type Message = readonly [payload: string, ciphertext: string];

interface FundamentalFile {
  readonly initiatorStatic: string;
  readonly responderStatic: string;
  readonly initiatorEphemeral: string;
  readonly responderEphemeral: string;
  readonly psk: string;
  readonly vectors: readonly {
    readonly name: string;
    readonly prologue: string;
    readonly messages: readonly Message[];
  }[];
}

interface MultiPskFile {
  readonly prologue: string;
  readonly vectors: readonly {
    readonly name: string;
    readonly psks: readonly string[];
    readonly initiatorEphemeral: string;
    readonly responderEphemeral: string;
    readonly responderStatic?: string;
    readonly messages: readonly Message[];
  }[];
}

const fundamental = vectors<FundamentalFile>('noise-fundamental.json');
const multiPsk = vectors<MultiPskFile>('noise-multi-psk.json');
const keyPair = (privateKey: string) => nodeProvider.dhKeyPair(hex(privateKey));

/** Runs a vector; answers the first difference, or undefined. */
function difference(
  name: string,
  pair: Record<Role, HandshakeState>,
  messages: readonly Message[],
): string | undefined {
  const { messages: handshake, oneWay } = parseProtocolName(name);
  for (const [index, [payload, ciphertext]] of messages.slice(0, handshake.length).entries()) {
    const message = pair[sender(index)].writeMessage(hex(payload));
    if (toHex(message) !== ciphertext) return `message ${index + 1} is ${toHex(message)}`;
    if (toHex(pair[receiver(index)].readMessage(message)) !== payload)
      return `payload ${index + 1} was read wrongly`;
  }
  if (toHex(pair.initiator.handshakeHash) !== toHex(pair.responder.handshakeHash)) return 'the hashes differ';
  const states = { initiator: pair.initiator.split(), responder: pair.responder.split() };
  for (const [index, [payload, ciphertext]] of messages.slice(handshake.length).entries()) {
    const from = sender(index);
    if (oneWay && from === 'responder') continue; // The file uses the second cipher of one-way patterns; we have none.
    const message = states[from].send.encryptWithAd(new Uint8Array(0), hex(payload));
    if (toHex(message) !== ciphertext) return `transport message ${index + 1} is ${toHex(message)}`;
    const read = states[receiver(index)].receive.decryptWithAd(new Uint8Array(0), message);
    if (read === undefined || toHex(read) !== payload)
      return `transport message ${index + 1} was read wrongly`;
  }
  return undefined;
}

test('the published vectors hold every fundamental pattern under every hash', t => {
  const names = new Set(fundamental.vectors.map(vector => vector.name));

  const missing = FUNDAMENTAL.flatMap(pattern =>
    ['SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b'].map(hash => `Noise_${pattern}_25519_ChaChaPoly_${hash}`),
  ).filter(name => !names.has(name));

  t.deepEqual(missing, []);
  t.true(names.has('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b'));
  t.true(names.has('Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b'));
});

for (const pattern of FUNDAMENTAL)
  test(`the published vectors of ${pattern} and its psk variants come out`, t => {
    const own = fundamental.vectors.filter(({ name }) => new RegExp(`^Noise_${pattern}(psk|_)`).test(name));

    for (const { name, prologue, messages } of own) {
      const pair = handshakePair(name, {
        prologue: hex(prologue),
        psks: name.includes('psk') ? [hex(fundamental.psk)] : [],
        statics: {
          initiator: keyPair(fundamental.initiatorStatic),
          responder: keyPair(fundamental.responderStatic),
        },
        ephemerals: {
          initiator: keyPair(fundamental.initiatorEphemeral),
          responder: keyPair(fundamental.responderEphemeral),
        },
      });
      t.is(difference(name, pair, messages), undefined, name);
    }
    t.true(own.length >= 16);
  });

test('the published vectors with several psks come out', t => {
  for (const vector of multiPsk.vectors) {
    const pair = handshakePair(vector.name, {
      prologue: hex(multiPsk.prologue),
      psks: vector.psks.map(hex),
      ...(vector.responderStatic !== undefined && {
        statics: { responder: keyPair(vector.responderStatic) },
      }),
      ephemerals: {
        initiator: keyPair(vector.initiatorEphemeral),
        responder: keyPair(vector.responderEphemeral),
      },
    });

    t.is(difference(vector.name, pair, vector.messages), undefined, vector.name);
  }
});
