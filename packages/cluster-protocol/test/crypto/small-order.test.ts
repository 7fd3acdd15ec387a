import test from 'ava';
import fc from 'fast-check';

import { isSmallOrder } from '../../src/crypto/index.js';
import { hex, nodeProvider, vectors } from './providers.js';

const { lowOrder } = vectors<{ lowOrder: readonly string[] }>('x25519.json');
const privateKey = new Uint8Array(32).fill(9);

test('the keys of small order are those with which a Diffie-Hellman gives zero, whatever their highest bit', t => {
  for (const point of lowOrder.map(hex))
    for (const bit of [0, 0x80]) {
      const key = Uint8Array.from(point);
      key[31] = (key[31]! & 0x7f) | bit;

      t.true(isSmallOrder(key));
      t.is(nodeProvider.dh(privateKey, key), undefined);
    }
});

test('no other key is', t => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), key => {
      t.is(isSmallOrder(key), nodeProvider.dh(privateKey, key) === undefined);
    }),
  );
});
