import test from 'ava';
import fc from 'fast-check';

import { concatBytes, encodeText } from '../../src/base/index.js';
import { MAC1_LENGTH, Mac1Key } from '../../src/crypto/index.js';
import { nodeProvider } from './providers.js';

const responder = new Uint8Array(32).fill(8);

test('mac1 is BLAKE2b-128 under BLAKE2b-256 of label and static key', t => {
  const packet = Uint8Array.of(1, 2, 3);
  const key = nodeProvider.blake2b(32, concatBytes(encodeText('Coconet mac1 v1'), responder));

  const mac1 = new Mac1Key(nodeProvider, responder).compute(packet);

  t.is(mac1.length, MAC1_LENGTH);
  t.deepEqual(mac1, nodeProvider.blake2b(16, packet, key));
});

test('mac1 holds for its bytes and its responder alone', t => {
  const key = new Mac1Key(nodeProvider, responder);
  const other = new Mac1Key(nodeProvider, new Uint8Array(32).fill(9));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), (bytes, flip) => {
      const mac1 = key.compute(bytes);
      const changed = bytes.slice();
      changed[(flip >> 3) % bytes.length]! ^= 1 << (flip & 7);
      return (
        key.verify(bytes, mac1) &&
        !key.verify(changed, mac1) &&
        !other.verify(bytes, mac1) &&
        !key.verify(bytes, mac1.subarray(1))
      );
    }),
  );
  t.pass();
});
