import test from 'ava';

import { SecretRing } from '../../src/network/index.js';
import { testAll } from './test-all.js';
import { memberThreats } from './member-threats.js';

testAll(memberThreats);

test('T22: what the NMN says of the current secret replaces what a member said of it', t => {
  const ring = new SecretRing();
  ring.add({ epoch: 3, secret: new Uint8Array(32).fill(6) });

  t.true(ring.correct({ epoch: 3, secret: new Uint8Array(32).fill(7) }));
  t.false(ring.correct({ epoch: 3, secret: new Uint8Array(32).fill(7) }));
  t.false(ring.correct({ epoch: 4, secret: new Uint8Array(32).fill(8) }));

  t.deepEqual(ring.current, { epoch: 3, secret: new Uint8Array(32).fill(7) });
});
