import test from 'ava';

import { concatBytes, toHex } from '../../src/base/index.js';
import { hkdf, hmac } from '../../src/crypto/index.js';
import { hex, nodeProvider, vectors } from './providers.js';

type HashColumn = 'SHA256' | 'SHA512' | 'BLAKE2b' | 'BLAKE2s';

const file = vectors<{
  hmac: { vectors: readonly ({ key: string; data: string } & Record<HashColumn, string>)[] };
  hkdfSha256: {
    vectors: readonly {
      inputKeyMaterial: string;
      salt: string;
      info: string;
      pseudoRandomKey: string;
      output: string;
    }[];
  };
}>('hkdf.json');

for (const name of ['SHA256', 'SHA512', 'BLAKE2b', 'BLAKE2s'] as const)
  test(`the HMAC-${name} vectors come out, in one part or in two`, t => {
    const hash = nodeProvider.hash(name);

    for (const vector of file.hmac.vectors) {
      const [key, data] = [hex(vector.key), hex(vector.data)];
      t.is(toHex(hmac(hash, key, data)), vector[name]);
      t.is(toHex(hmac(hash, key, data.subarray(0, 3), data.subarray(3))), vector[name]);
    }
  });

test('the extraction of RFC 5869 comes out', t => {
  const hash = nodeProvider.hash('SHA256');

  for (const { salt, inputKeyMaterial, pseudoRandomKey } of file.hkdfSha256.vectors)
    t.is(toHex(hmac(hash, hex(salt), hex(inputKeyMaterial))), pseudoRandomKey);
});

test('the outputs of Noise are those of RFC 5869 with an empty info', t => {
  const vector = file.hkdfSha256.vectors.find(({ info }) => info === '')!;

  const outputs = hkdf(nodeProvider.hash('SHA256'), hex(vector.salt), hex(vector.inputKeyMaterial), 3);

  t.true(toHex(concatBytes(...outputs)).startsWith(vector.output));
  t.deepEqual(
    outputs.map(output => output.length),
    [32, 32, 32],
  );
});

test('fewer outputs are the first ones of more', t => {
  const hash = nodeProvider.hash('BLAKE2b');
  const [salt, input] = [new Uint8Array(64).fill(1), new Uint8Array(32).fill(2)];

  const three = hkdf(hash, salt, input, 3);

  t.deepEqual(hkdf(hash, salt, input, 1), three.slice(0, 1));
  t.deepEqual(hkdf(hash, salt, input, 2), three.slice(0, 2));
  t.throws(() => hkdf(hash, salt, input, 4), { message: /broken invariant/ });
});
