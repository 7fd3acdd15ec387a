import test from 'ava';
import { instant } from '../../src/base/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { Freshness } from '../../src/session/freshness.js';
import type { Path } from '../../src/session/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { parseSocketAddress } from '../../src/wire/index.js';

const provider = await createCryptoProvider();
const PERIOD = 10_000;

const path = (address: string, more: Partial<Path> = {}): Path => ({
  id: 1,
  link: 1,
  remote: parseSocketAddress(address)!,
  channel: undefined,
  ...more,
});
const home = path('192.0.2.1:80');

test('the nonce of a retry counts until the end of the period after its own, and never again', t => {
  for (const made of [0, PERIOD, 7 * PERIOD]) {
    const freshness = new Freshness(provider, new SeededRandom(1));
    const nonce = freshness.nonce(instant(made), home);

    for (const [later, counts] of [
      [0, true],
      [PERIOD, true],
      [2 * PERIOD - 1, true],
      [2 * PERIOD, false],
      [3 * PERIOD, false],
      [4 * PERIOD, false],
      [100 * PERIOD, false],
    ] as const)
      t.is(freshness.proves(instant(made + later), home, nonce), counts, `${made}: ${later}`);
  }
});

test('the nonce of a retry counts on its own path, at its own responder alone', t => {
  const freshness = new Freshness(provider, new SeededRandom(1));
  const nonce = freshness.nonce(instant(0), home);

  t.true(freshness.proves(instant(0), home, nonce));
  for (const other of [
    path('192.0.2.1:81'),
    path('192.0.2.2:80'),
    path('192.0.2.1:80', { link: 2 }),
    path('192.0.2.1:80', { channel: 0 }),
  ])
    t.false(freshness.proves(instant(0), other, nonce));
  t.false(new Freshness(provider, new SeededRandom(2)).proves(instant(0), home, nonce));
});
