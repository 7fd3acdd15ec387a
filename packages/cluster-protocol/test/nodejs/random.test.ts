import test from 'ava';

import { randomBytes, toHex } from '../../src/base/index.js';
import { SystemRandom } from '../../src/nodejs/random.js';

test('all of a buffer is filled, whatever its length, and never twice the same', t => {
  const random = new SystemRandom();
  const seen = new Set<string>();

  for (let round = 0; round < 300; round++)
    for (const length of [16, 32, 1_000, 1_025, 5_000]) {
      const bytes = randomBytes(random, length);
      t.true(new Set(bytes).size > 5);
      t.true(bytes.subarray(-16).some(byte => byte !== 0));
      seen.add(toHex(bytes.subarray(0, 16)));
    }

  t.is(seen.size, 1_500);
});

test('an empty buffer is fine', t => {
  t.notThrows(() => {
    new SystemRandom().fill(new Uint8Array(0));
  });
});
