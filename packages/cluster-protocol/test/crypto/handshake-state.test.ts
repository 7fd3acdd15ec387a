import test from 'ava';
import fc from 'fast-check';

import { ClusterError, type ClusterErrorCode, encodeText, toHex } from '../../src/base/index.js';
import { HandshakeState, parseProtocolName, type HandshakeRole as Role } from '../../src/crypto/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { ALL_PATTERNS, complete, handshakePair, protocolName, receiver, sender } from './noise-pair.js';
import { allProviders, authenticatingProvider, nodeProvider } from './providers.js';

const EMPTY = new Uint8Array(0);
const IKPSK2 = protocolName('IKpsk2');
const XXPSK3 = protocolName('XXpsk3');

/** The code of what `run` throws; anything but a ClusterError is passed on and fails the test. */
function codeOf(run: () => unknown): ClusterErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof ClusterError) return error.code;
    throw error;
  }
}

/** Exchanges messages; `alter` may change one on its way. Answers whether both sides ended in agreement. */
function agreeAfter(
  name: string,
  pair: Record<Role, HandshakeState>,
  alter: (index: number, message: Uint8Array) => void,
): boolean {
  for (const index of parseProtocolName(name).messages.keys()) {
    const message = pair[sender(index)].writeMessage(Uint8Array.of(index, 7));
    alter(index, message);
    if (codeOf(() => pair[receiver(index)].readMessage(message)) === 'HANDSHAKE_FAILED') return false;
  }
  return toHex(pair.initiator.handshakeHash) === toHex(pair.responder.handshakeHash);
}

test('what is bound beside a message must be the same on both sides, byte for byte and at the same place', t => {
  const agreed = (ours: readonly number[], theirs: readonly number[], before: number): boolean => {
    const pair = handshakePair(IKPSK2);
    pair.responder.readMessage(pair.initiator.writeMessage(EMPTY));
    for (const bytes of ours) pair.responder.bind(Uint8Array.of(bytes));
    for (const bytes of theirs.slice(0, before)) pair.initiator.bind(Uint8Array.of(bytes));
    const message = pair.responder.writeMessage(EMPTY);
    const fails = codeOf(() => pair.initiator.readMessage(message)) !== undefined;
    return !fails && toHex(pair.initiator.handshakeHash) === toHex(pair.responder.handshakeHash);
  };

  t.true(agreed([1, 2], [1, 2], 2));
  t.false(agreed([1, 2], [1, 2], 1));
  t.false(agreed([1, 2], [2, 1], 2));
  t.false(agreed([1], [3], 1));
  t.false(agreed([], [1], 1));
});

for (const [providerName, provider] of allProviders)
  test(`every pattern completes and carries messages both ways with ${providerName}`, t => {
    for (const pattern of ALL_PATTERNS) {
      const name = protocolName(pattern);
      const pair = handshakePair(name, { provider });

      complete(name, pair);

      t.true(pair.initiator.isComplete && pair.responder.isComplete, pattern);
      t.deepEqual(pair.initiator.handshakeHash, pair.responder.handshakeHash, pattern);
      t.deepEqual(pair.initiator.exportKey('later'), pair.responder.exportKey('later'), pattern);
      const initiator = pair.initiator.split();
      const responder = pair.responder.split();
      const ad = Uint8Array.of(1, 2);
      for (const text of [Uint8Array.of(1), EMPTY, new Uint8Array(300).fill(9)]) {
        t.deepEqual(
          responder.receive.decryptWithAd(ad, initiator.send.encryptWithAd(ad, text)),
          text,
          pattern,
        );
        if (parseProtocolName(name).oneWay) continue;
        t.deepEqual(
          initiator.receive.decryptWithAd(ad, responder.send.encryptWithAd(ad, text)),
          text,
          pattern,
        );
      }
    }
  });

for (const [providerName, provider] of allProviders)
  test(`no pattern survives a single flipped bit with ${providerName}`, t => {
    const arbitraryFlip = fc.record({
      pattern: fc.constantFrom(...ALL_PATTERNS),
      message: fc.nat({ max: 2 }),
      bit: fc.nat({ max: 8 * 200 }),
      seed: fc.nat(),
    });

    fc.assert(
      fc.property(arbitraryFlip, ({ pattern, message, bit, seed }) => {
        const name = protocolName(pattern);
        const count = parseProtocolName(name).messages.length;
        const pair = handshakePair(name, { provider, seed });
        return !agreeAfter(name, pair, (index, bytes) => {
          if (index === message % count) bytes[(bit >> 3) % bytes.length]! ^= 1 << (bit & 7);
        });
      }),
      { numRuns: 300 },
    );
    t.pass();
  });

test('every single bit of both messages of IKpsk2 matters', t => {
  const provider = authenticatingProvider;
  for (const message of [0, 1]) {
    const first = handshakePair(IKPSK2, { provider });
    const one = first.initiator.writeMessage(Uint8Array.of(0, 7));
    first.responder.readMessage(one);
    const length = message === 0 ? one.length : first.responder.writeMessage(Uint8Array.of(1, 7)).length;

    for (let bit = 0; bit < 8 * length; bit++) {
      const agreed = agreeAfter(IKPSK2, handshakePair(IKPSK2, { provider }), (index, bytes) => {
        if (index === message) bytes[bit >> 3]! ^= 1 << (bit & 7);
      });
      t.false(agreed, `message ${message + 1}, bit ${bit}`);
    }
  }
});

test('any bytes are refused as HANDSHAKE_FAILED and never throw anything else', t => {
  fc.assert(
    fc.property(fc.constantFrom(...ALL_PATTERNS), fc.uint8Array({ maxLength: 300 }), (pattern, bytes) => {
      const name = protocolName(pattern);
      const pair = handshakePair(name);
      const code = codeOf(() => pair.responder.readMessage(bytes));
      return code === undefined ? bytes.length >= 32 : code === 'HANDSHAKE_FAILED';
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('any bytes in place of the second message are refused', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      const { initiator } = handshakePair(IKPSK2);
      initiator.writeMessage(EMPTY);
      return codeOf(() => initiator.readMessage(bytes)) === 'HANDSHAKE_FAILED';
    }),
    { numRuns: 200 },
  );
  t.pass();
});

test('a message with anything cut off or added is refused', t => {
  const message = handshakePair(IKPSK2).initiator.writeMessage(Uint8Array.of(1, 2, 3));

  for (let length = 0; length < message.length; length++)
    t.is(
      codeOf(() => handshakePair(IKPSK2).responder.readMessage(message.subarray(0, length))),
      'HANDSHAKE_FAILED',
    );
  t.is(
    codeOf(() => handshakePair(IKPSK2).responder.readMessage(Uint8Array.of(...message, 0))),
    'HANDSHAKE_FAILED',
  );
  t.is(
    codeOf(() => handshakePair(IKPSK2).responder.readMessage(new Uint8Array(65_536))),
    'HANDSHAKE_FAILED',
  );
  t.deepEqual(handshakePair(IKPSK2).responder.readMessage(message), Uint8Array.of(1, 2, 3));
});

test('a different prologue, psk, or static key on one side is refused', t => {
  const other = nodeProvider.dhKeyPair(new Uint8Array(32).fill(9));
  const message = handshakePair(IKPSK2).initiator.writeMessage(EMPTY);
  const otherPrologue = handshakePair(IKPSK2, { prologue: encodeText('other') }).responder;
  const otherStatic = handshakePair(IKPSK2, { statics: { responder: other } }).responder;
  const right = handshakePair(IKPSK2);
  const otherPsk = handshakePair(IKPSK2).responder;
  otherPsk.setPsk(0, new Uint8Array(32));

  right.initiator.writeMessage(EMPTY);
  otherPsk.readMessage(message); // psk2 is mixed in at the end of message 2.
  const answer = otherPsk.writeMessage(EMPTY);

  t.is(
    codeOf(() => otherPrologue.readMessage(message)),
    'HANDSHAKE_FAILED',
  );
  t.is(
    codeOf(() => otherStatic.readMessage(message)),
    'HANDSHAKE_FAILED',
  );
  t.is(
    codeOf(() => right.initiator.readMessage(answer)),
    'HANDSHAKE_FAILED',
  );
});

test('a public key of low order is refused', t => {
  const { responder } = handshakePair(protocolName('NK'));

  const code = codeOf(() => responder.readMessage(new Uint8Array(48)));

  t.is(code, 'HANDSHAKE_FAILED');
});

test('a failed handshake is dead', t => {
  const { initiator, responder } = handshakePair(IKPSK2);
  const message = initiator.writeMessage(EMPTY);

  t.throws(() => responder.readMessage(new Uint8Array(96)), { code: 'HANDSHAKE_FAILED' });

  t.throws(() => responder.readMessage(message), { code: 'INVALID_STATE', message: /failed/ });
  t.throws(() => responder.exportKey('refusal'), { code: 'INVALID_STATE' });
  t.throws(() => responder.fork(), { code: 'INVALID_STATE' });
  t.throws(() => responder.setPsk(0, new Uint8Array(32)), { code: 'INVALID_STATE' });
  t.false(responder.isComplete);
});

test('a fork reads a forged message while the original still waits for the true one', t => {
  const { initiator, responder } = handshakePair(IKPSK2);
  responder.readMessage(initiator.writeMessage(EMPTY));
  const answer = responder.writeMessage(Uint8Array.of(5));
  const forged = answer.slice();
  forged[40]! ^= 1;

  t.throws(() => initiator.fork().readMessage(forged), { code: 'HANDSHAKE_FAILED' });
  const fork = initiator.fork();
  initiator.destroy();

  t.deepEqual(fork.readMessage(answer), Uint8Array.of(5));
  t.deepEqual(fork.handshakeHash, responder.handshakeHash);
  t.deepEqual(fork.split().send.encryptWithAd(EMPTY, EMPTY).length, 16);
});

test('every pattern completes when each message is read by a fork', t => {
  for (const pattern of ALL_PATTERNS) {
    const name = protocolName(pattern);
    const pair = handshakePair(name, { provider: authenticatingProvider });

    for (const index of parseProtocolName(name).messages.keys()) {
      const writer = pair[sender(index)].fork();
      const reader = pair[receiver(index)].fork();
      reader.readMessage(writer.writeMessage(EMPTY));
      pair[sender(index)].destroy();
      pair[receiver(index)].destroy();
      pair[sender(index)] = writer;
      pair[receiver(index)] = reader;
    }

    t.deepEqual(pair.initiator.handshakeHash, pair.responder.handshakeHash, pattern);
  }
});

test('a fork goes on with the nonce of its original, so that no key seals twice under one', t => {
  for (const pattern of ALL_PATTERNS) {
    const name = protocolName(pattern);
    const pair = handshakePair(name, { provider: authenticatingProvider });

    for (const index of parseProtocolName(name).messages.keys()) {
      const reader = pair[receiver(index)].fork();
      t.notThrows(() => reader.readMessage(pair[sender(index)].writeMessage(EMPTY)), pattern);
      pair[receiver(index)].destroy();
      pair[receiver(index)] = reader;
    }
  }
});

test('the responder hands in the psk after it read which one message 1 asks for', t => {
  const psk = new Uint8Array(32).fill(3);
  const statics = handshakePair(IKPSK2, { psks: [psk] });
  const responder = withoutPsk('responder');
  const asked = responder.readMessage(statics.initiator.writeMessage(encodeText('member')));

  t.throws(() => responder.writeMessage(EMPTY), { code: 'INVALID_STATE', message: /setPsk\(0/ });
  responder.setPsk(0, psk);
  const payload = statics.initiator.readMessage(responder.writeMessage(encodeText('welcome')));

  t.deepEqual(asked, encodeText('member'));
  t.deepEqual(payload, encodeText('welcome'));
  t.deepEqual(statics.initiator.handshakeHash, responder.handshakeHash);
});

/** One side of the pair of seed 1, with no psk yet. */
function withoutPsk(role: 'responder'): HandshakeState {
  const random = new SeededRandom(1);
  const draw = () => {
    const bytes = new Uint8Array(32);
    random.fill(bytes);
    return nodeProvider.dhKeyPair(bytes);
  };
  draw();
  return new HandshakeState({
    provider: nodeProvider,
    random: new SeededRandom(2),
    protocolName: IKPSK2,
    role,
    prologue: EMPTY,
    staticKeyPair: draw(),
  });
}

test('both sides export the same key after message 1, another after the end, and others for other labels', t => {
  const { initiator, responder } = handshakePair(IKPSK2);
  t.throws(() => initiator.exportKey('refusal'), { code: 'INVALID_STATE' });
  responder.readMessage(initiator.writeMessage(EMPTY));

  const early = initiator.exportKey('refusal');
  t.is(early.length, 32);
  t.deepEqual(responder.exportKey('refusal'), early);
  t.notDeepEqual(initiator.exportKey('refusals'), early);
  initiator.readMessage(responder.writeMessage(EMPTY));

  t.notDeepEqual(initiator.exportKey('refusal'), early);
  t.deepEqual(initiator.exportKey('refusal'), responder.exportKey('refusal'));
});

test('nothing is exported while only public values were mixed', t => {
  for (const [pattern, afterOne] of [
    ['XX', 'INVALID_STATE'],
    ['XXpsk3', 'INVALID_STATE'], // A key exists, but it comes from the public ephemeral alone.
    ['XXpsk0', undefined],
    ['IKpsk2', undefined],
  ] as const) {
    const { initiator, responder } = handshakePair(protocolName(pattern));
    t.is(
      codeOf(() => initiator.exportKey('refusal')),
      'INVALID_STATE',
    );

    responder.readMessage(initiator.writeMessage(EMPTY));

    for (const side of [initiator, initiator.fork(), responder])
      t.is(
        codeOf(() => side.exportKey('refusal')),
        afterOne,
        pattern,
      );
  }
});

test('the transport keys of both sides fit and are handed out once', t => {
  const pair = handshakePair(IKPSK2);
  complete(IKPSK2, pair);
  const packet = new Uint8Array(9 + 3 + 16).fill(1);

  const initiator = pair.initiator.transportKeys();
  const responder = pair.responder.transportKeys();
  const sealed = initiator.sendKey.sealInPlace(0, 5, packet, 9, 3);

  t.is(responder.receiveKey.openInPlace(0, 6, packet.slice(), 9, sealed), -1);
  t.is(initiator.receiveKey.openInPlace(0, 5, packet.slice(), 9, sealed), -1);
  t.is(responder.receiveKey.openInPlace(0, 5, packet, 9, sealed), 3);
  t.deepEqual(packet.subarray(9, 12), Uint8Array.of(1, 1, 1));
  t.throws(() => pair.initiator.transportKeys(), { code: 'INVALID_STATE', message: /already/ });
  t.throws(() => pair.initiator.split(), { code: 'INVALID_STATE', message: /already/ });
  t.true(pair.initiator.isComplete);
});

test('each side learns the static key of the other', t => {
  const pair = handshakePair(XXPSK3);
  t.is(pair.initiator.remoteStatic, undefined);

  complete(XXPSK3, pair);

  const known = handshakePair(IKPSK2);
  t.deepEqual(pair.initiator.remoteStatic, known.initiator.remoteStatic);
  t.is(pair.responder.remoteStatic?.length, 32);
});

test('destroying a handshake leaves the keys of the caller and the sessions made from it', t => {
  const own = nodeProvider.dhKeyPair(new Uint8Array(32).fill(4));
  const pair = handshakePair(IKPSK2, { statics: { initiator: own } });
  complete(IKPSK2, pair);
  const { send } = pair.initiator.split();
  const { receive } = pair.responder.split();

  pair.initiator.destroy();

  t.deepEqual(own.privateKey, new Uint8Array(32).fill(4));
  t.deepEqual(receive.decryptWithAd(EMPTY, send.encryptWithAd(EMPTY, Uint8Array.of(1))), Uint8Array.of(1));
  t.throws(() => pair.initiator.exportKey('x'), { code: 'INVALID_STATE', message: /destroyed/ });
  t.throws(() => pair.initiator.handshakeHash, { code: 'INVALID_STATE' });
});

test('a message out of turn is a mistake of the caller and changes nothing', t => {
  const { initiator, responder } = handshakePair(IKPSK2);

  t.throws(() => responder.writeMessage(EMPTY), { code: 'INVALID_STATE', message: /read by the responder/ });
  t.throws(() => initiator.readMessage(EMPTY), {
    code: 'INVALID_STATE',
    message: /written by the initiator/,
  });
  t.throws(() => initiator.writeMessage(new Uint8Array(65_440)), { code: 'INVALID_ARGUMENT' });
  t.throws(() => initiator.handshakeHash, { code: 'INVALID_STATE' });
  t.throws(() => initiator.split(), { code: 'INVALID_STATE' });
  responder.readMessage(initiator.writeMessage(new Uint8Array(65_439)));
  initiator.readMessage(responder.writeMessage(EMPTY));

  t.throws(() => initiator.writeMessage(EMPTY), { code: 'INVALID_STATE', message: /complete/ });
});

test('a pair of one-way keys has no way back', t => {
  const pair = handshakePair(protocolName('X'));
  complete(protocolName('X'), pair);

  t.throws(() => pair.initiator.transportKeys(), { code: 'INVALID_STATE' });
  t.false(pair.initiator.split().receive.hasKey());
  t.false(pair.responder.split().send.hasKey());
});

test('missing, useless and malformed keys are named', t => {
  const key = nodeProvider.dhKeyPair(new Uint8Array(32).fill(1));
  const base = {
    provider: nodeProvider,
    random: new SeededRandom(1),
    prologue: EMPTY,
    role: 'initiator',
  } as const;
  const refuse = (
    message: RegExp,
    options: Partial<ConstructorParameters<typeof HandshakeState>[0]>,
  ): void => {
    t.throws(() => new HandshakeState({ ...base, protocolName: IKPSK2, ...options }), {
      instanceOf: ClusterError,
      code: 'INVALID_ARGUMENT',
      message,
    });
  };
  const full = { staticKeyPair: key, remoteStatic: key.publicKey };

  refuse(/initiator of Noise_IKpsk2\S+ needs staticKeyPair/, { remoteStatic: key.publicKey });
  refuse(/needs remoteStatic/, { staticKeyPair: key });
  refuse(/leave out remoteStatic/, { ...full, protocolName: XXPSK3 });
  refuse(/leave out staticKeyPair/, { ...full, protocolName: protocolName('NK') });
  refuse(/remoteStatic has 32 bytes, not 31/, { ...full, remoteStatic: new Uint8Array(31) });
  refuse(/staticKeyPair has keys of 32 bytes/, {
    ...full,
    staticKeyPair: { ...key, privateKey: new Uint8Array(33) },
  });
  refuse(/a psk has 32 bytes, but 16 were given/, { ...full, psks: [new Uint8Array(16)] });
  refuse(/psk number 1 is of no use: \S+ takes 1/, { ...full, psks: [undefined, new Uint8Array(32)] });
});
