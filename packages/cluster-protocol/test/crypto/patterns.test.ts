import test from 'ava';
import fc from 'fast-check';

import { ClusterError } from '../../src/base/index.js';
import { parseProtocolName } from '../../src/crypto/index.js';

const name = (pattern: string): string => `Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`;

test('IKpsk2 is two messages with the psk at the end of the second', t => {
  const protocol = parseProtocolName(name('IKpsk2'));

  t.deepEqual(protocol.messages, [
    ['e', 'es', 's', 'ss'],
    ['e', 'ee', 'se', 'psk'],
  ]);
  t.deepEqual(protocol.known, ['responder']);
  t.is(protocol.pskCount, 1);
  t.is(protocol.hash, 'BLAKE2b');
  t.false(protocol.oneWay);
});

test('psk0 stands before the first message and the last psk behind the last', t => {
  const { messages, pskCount } = parseProtocolName(name('XXpsk0+psk3'));

  t.deepEqual(messages, [
    ['psk', 'e'],
    ['e', 'ee', 's', 'es'],
    ['s', 'se', 'psk'],
  ]);
  t.is(pskCount, 2);
});

for (const [bad, why] of [
  ['', /reads Noise_PATTERN/],
  ['Noise_IK_25519_ChaChaPoly', /reads Noise_PATTERN/],
  ['noise_IK_25519_ChaChaPoly_SHA256', /reads Noise_PATTERN/],
  ['Noise_IK_448_ChaChaPoly_SHA256', /DH function 448/],
  ['Noise_IK_25519_AESGCM_SHA256', /cipher AESGCM/],
  ['Noise_IK_25519_ChaChaPoly_SHA3', /hash SHA3/],
  [name('IQ'), /pattern IQ is unknown/],
  [name('IK1'), /modifier 1 is unknown/],
  [name('constructor'), /pattern constructor is unknown/],
  [name('IKpsk3'), /psk3 needs a message 3, and there are 2/],
  [name('IKpsk2+psk1'), /ascending/],
  [name('IKpsk1+psk1'), /ascending/],
  [name('IKpsk1+'), /modifier {2}is unknown/],
  [name('IKfallback'), /modifier fallback is unknown/],
] as const)
  test(`the name ${JSON.stringify(bad)} is refused with the reason`, t => {
    t.throws(() => parseProtocolName(bad), {
      instanceOf: ClusterError,
      code: 'INVALID_ARGUMENT',
      message: why,
    });
  });

test('any text is a name or a ClusterError', t => {
  const word = fc.constantFrom(
    'Noise',
    'IK',
    'psk',
    '2',
    '+',
    '_',
    '25519',
    'ChaChaPoly',
    'SHA256',
    'x',
    '__proto__',
  );

  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map(words => words.join('')),
      ),
      text => {
        try {
          return parseProtocolName(text).name === text;
        } catch (error) {
          return error instanceof ClusterError;
        }
      },
    ),
  );
  t.pass();
});
