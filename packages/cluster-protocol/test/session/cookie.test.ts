import test from 'ava';
import { instant } from '../../src/base/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { COOKIE_LENGTH, CookieJar, mac2Of } from '../../src/session/cookie.js';
import { pathName } from '../../src/session/endpoint-paths.js';
import type { Path } from '../../src/session/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { parseSocketAddress } from '../../src/wire/index.js';

const provider = await createCryptoProvider();
const PERIOD = 120_000;
const INITIATION = Uint8Array.of(1, 2, 3);

const path = (address: string, more: Partial<Path> = {}): Path => ({
  id: 1,
  link: 1,
  remote: parseSocketAddress(address)!,
  channel: undefined,
  ...more,
});
const home = path('192.0.2.1:80');

/** When a cookie of the moment 0 still counts, of the moments given. */
function countingAt(moments: readonly number[]): number[] {
  const jar = new CookieJar(provider, new SeededRandom(1));
  const mac2 = mac2Of(provider, jar.cookie(instant(0), home), INITIATION);
  return moments.filter(now => jar.verify(instant(now), home, INITIATION, mac2));
}

test('a cookie counts until the end of the period after its own, and never again', t => {
  const moments = [0, PERIOD - 1, PERIOD, 2 * PERIOD - 1, 2 * PERIOD, 3 * PERIOD];

  t.deepEqual(countingAt(moments), [0, PERIOD - 1, PERIOD, 2 * PERIOD - 1]);
});

test('a cookie does not come to life again after a time in which nobody asked for one', t => {
  t.deepEqual(countingAt([2 * PERIOD, 2 * PERIOD + 1]), []);
  t.deepEqual(countingAt([10 * PERIOD]), []);
});

test('a cookie counts on its own path and for its own bytes alone', t => {
  const jar = new CookieJar(provider, new SeededRandom(1));
  const mac2 = mac2Of(provider, jar.cookie(instant(0), home), INITIATION);

  t.true(jar.verify(instant(0), home, INITIATION, mac2));
  for (const other of [
    path('192.0.2.1:81'),
    path('192.0.2.2:80'),
    path('192.0.2.1:80', { link: 2 }),
    path('192.0.2.1:80', { channel: 0 }),
  ])
    t.false(jar.verify(instant(0), other, INITIATION, mac2));
  t.false(jar.verify(instant(0), home, Uint8Array.of(1, 2, 4), mac2));
});

test('a secret that was overwritten makes no cookie that counts', t => {
  const zeros = provider.blake2b(COOKIE_LENGTH, pathName(home), new Uint8Array(32));
  const mac2 = mac2Of(provider, zeros, INITIATION);

  for (const now of [0, PERIOD, 2 * PERIOD, 10 * PERIOD]) {
    const jar = new CookieJar(provider, new SeededRandom(1));
    jar.cookie(instant(0), home);
    t.false(jar.verify(instant(now), home, INITIATION, mac2), String(now));
  }
});
