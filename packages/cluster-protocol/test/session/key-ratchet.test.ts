import test from 'ava';
import { toHex } from '../../src/base/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { KeyRatchet, type KeyRatchetOptions } from '../../src/session/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { ImpostorProvider } from '../threats/watching-provider.js';

const crypto = await createCryptoProvider();
const filled = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const [ours, theirs, third] = [0x11, 0x22, 0x33].map(byte => crypto.dhKeyPair(filled(byte))) as never as [
  ReturnType<typeof crypto.dhKeyPair>,
  ReturnType<typeof crypto.dhKeyPair>,
  ReturnType<typeof crypto.dhKeyPair>,
];

const left = (changes: Partial<KeyRatchetOptions> = {}): KeyRatchet =>
  new KeyRatchet({
    provider: crypto,
    random: new SeededRandom(1),
    staticKey: ours,
    remoteStatic: theirs.publicKey,
    localIndex: 1,
    remoteIndex: 2,
    secret: filled(5),
    ...changes,
  });

const right = (changes: Partial<KeyRatchetOptions> = {}): KeyRatchet =>
  left({
    random: new SeededRandom(2),
    staticKey: theirs,
    remoteStatic: ours.publicKey,
    localIndex: 2,
    remoteIndex: 1,
    ...changes,
  });

/** What an AEAD key makes of nothing: the same for the same key. */
function fingerprint(key: { sealInPlace: KeySeal }): string {
  const tag = new Uint8Array(16);
  key.sealInPlace(0, 0, tag, 0, 0);
  return toHex(tag);
}
type KeySeal = ReturnType<typeof crypto.aeadKey>['sealInPlace'];

test('both sides make the same keys and the same next secret, whoever offers, again and again', t => {
  const secrets = [filled(5), filled(5)] as const;
  const [a, b] = [left({ secret: secrets[0] }), right({ secret: secrets[1] })];
  const seen = new Set<string>();

  for (let generation = 1; generation <= 6; generation++) {
    const [offerer, answerer] = generation % 2 === 0 ? [a, b] : [b, a];
    const offer = offerer.offer(generation);
    const answer = answerer.answer(generation, offer.message)!;
    const keys = offer.finish(answer.message)!;

    t.is(fingerprint(keys.sendKey), fingerprint(answer.keys.receiveKey));
    t.is(fingerprint(keys.receiveKey), fingerprint(answer.keys.sendKey));
    t.deepEqual(secrets[0], secrets[1]);
    for (const key of [keys.sendKey, keys.receiveKey]) seen.add(fingerprint(key));
    seen.add(toHex(secrets[0]));
  }

  t.is(seen.size, 18, 'no key and no secret comes twice');
  a.destroy();
  t.deepEqual(secrets[0], filled(0));
});

test('exactly one of two nodes prevails', t => {
  t.not(left().prevails, right().prevails);
});

test('an offer counts for its generation, its session, its sender and its secret alone', t => {
  const { message } = left().offer(3);

  t.truthy(right().answer(3, message));
  t.is(right().answer(4, message), undefined, 'another generation');
  t.is(right({ localIndex: 7 }).answer(3, message), undefined, 'another session');
  t.is(right({ secret: filled(6) }).answer(3, message), undefined, 'another secret');
  t.is(right({ remoteStatic: third.publicKey }).answer(3, message), undefined, 'another sender');
  t.is(left().answer(3, message), undefined, 'sent back to who made it');
});

test('no altered or cut message is taken, of any length', t => {
  const { message } = left().offer(1);
  for (let at = 0; at < message.length; at++) {
    const altered = message.slice();
    altered[at]! ^= 0x20;
    t.is(right().answer(1, altered), undefined, `byte ${at}`);
    t.is(right().answer(1, message.subarray(0, at)), undefined, `${at} bytes`);
  }
  t.is(right().answer(1, new Uint8Array(48)), undefined, 'an ephemeral key of low order');
  const offer = left().offer(1);
  t.is(
    offer.finish(
      right()
        .answer(1, offer.message)!
        .message.map(byte => byte ^ 1),
    ),
    undefined,
  );
});

test('a refused offer leaves the secret as it was', t => {
  const answerer = right();
  t.is(answerer.answer(1, filled(9)), undefined);

  const offer = left().offer(1);
  const answer = answerer.answer(1, offer.message);

  t.truthy(answer && offer.finish(answer.message));
});

test('who has the static key of a node and the secret of its session cannot pose to it as the peer', t => {
  const impostor = new ImpostorProvider(crypto, ours, theirs.publicKey);
  const posing = { provider: impostor, staticKey: impostor.pretended };

  // Two of the three products of message 1 follow from the stolen key: it opens, and its keys are of no use to the thief.
  const offered = right(posing).offer(1);
  const answer = left().answer(1, offered.message);
  t.is(answer && offered.finish(answer.message), undefined);
  const offer = left().offer(1);
  const forged = right(posing).answer(1, offer.message);
  t.is(forged && offer.finish(forged.message), undefined);
});
