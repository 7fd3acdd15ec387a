import test from 'ava';

import { AuthenticatingProvider } from '../../src/testing/index.js';
import { lossyHandshake } from './lossy-handshake.js';
import { INTEROP } from './scenarios.js';

// Each once; a hundred times each: npm run simulate -- --scenario interop --seed 1 --seeds 100

for (const [name, { title, run }] of Object.entries(INTEROP))
  test(`${title} (${name})`, t => {
    const { problems } = run({ seed: 1, crypto: new AuthenticatingProvider() });

    t.deepEqual(problems, []);
  });

for (const inBursts of [false, true])
  test(`each of a hundred handshakes succeeds at 30 % loss, ${inBursts ? 'three packets in a row' : 'evenly'}`, t => {
    for (let seed = 1; seed <= 100; seed++) {
      const { problems } = lossyHandshake({ seed, crypto: new AuthenticatingProvider() }, inBursts);

      t.deepEqual(problems, [], `seed ${seed}`);
    }
  });
