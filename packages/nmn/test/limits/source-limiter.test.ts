import test from 'ava';

import { MAX_SOURCES, SourceLimiter, sourceOf } from '../../src/limits/source-limiter.js';
import { address, at } from '../support/surroundings.js';

const PER_MINUTE = { perSecond: 100 / 60, capacity: 100 };
const PLENTY = { perSecond: 1e6, capacity: 1e6 };

test('of a million guesses of one source, a hundred a minute are looked at', t => {
  const limiter = new SourceLimiter(PER_MINUTE, PLENTY, at(0));
  const source = address('203.0.113.7', 4000);
  let looked = 0;

  // A million guesses in ten minutes of virtual time.
  for (let i = 0; i < 1_000_000; i++) if (limiter.admit(at(i * 0.6), source)) looked++;

  t.true(looked <= 100 + 10 * 100, `${looked}`);
  t.true(looked >= 10 * 100);
});

test('another port of the same address is the same source, another address is not', t => {
  const limiter = new SourceLimiter({ perSecond: 0.1, capacity: 1 }, PLENTY, at(0));

  t.true(limiter.admit(at(0), address('203.0.113.7', 4000)));
  t.false(limiter.admit(at(0), address('203.0.113.7', 4001)));
  t.true(limiter.admit(at(0), address('203.0.113.8', 4000)));
});

test('an IPv6 source is its /64', t => {
  t.is(sourceOf(address('2001:db8:1:2::1', 1)), sourceOf(address('2001:db8:1:2:ffff::9', 2)));
  t.not(sourceOf(address('2001:db8:1:2::1', 1)), sourceOf(address('2001:db8:1:3::1', 1)));
});

test('the limit for all holds however many sources there are, and one over its own limit does not use it up', t => {
  const limiter = new SourceLimiter(
    { perSecond: 0.001, capacity: 1 },
    { perSecond: 0.001, capacity: 3 },
    at(0),
  );
  const noisy = address('203.0.113.1', 1);

  for (let i = 0; i < 100; i++) limiter.admit(at(0), noisy);

  t.true(limiter.admit(at(0), address('203.0.113.2', 1)));
  t.true(limiter.admit(at(0), address('203.0.113.3', 1)));
  t.false(limiter.admit(at(0), address('203.0.113.4', 1)));
});

test('a flood from many sources is remembered in bounded memory and shares one allowance', t => {
  const limiter = new SourceLimiter({ perSecond: 0.001, capacity: 10 }, PLENTY, at(0));
  let admitted = 0;

  for (let i = 0; i < MAX_SOURCES * 4; i++)
    if (limiter.admit(at(0), address(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 9))) admitted++;

  t.is(limiter.size, MAX_SOURCES);
  t.is(admitted, MAX_SOURCES + 10);
});

test('sources that have their whole allowance back make room for new ones', t => {
  const limiter = new SourceLimiter({ perSecond: 1, capacity: 1 }, PLENTY, at(0));
  for (let i = 0; i < MAX_SOURCES; i++) limiter.admit(at(0), address(`10.0.${i >> 8}.${i & 255}`, 9));

  const admitted = [0, 1, 2].map(i => limiter.admit(at(10_000), address(`192.0.2.${i}`, 9)));

  t.deepEqual(admitted, [true, true, true]);
  t.true(limiter.size <= MAX_SOURCES);
});

test('an attempt that turned out to be honest is given back, and no more than that', t => {
  const limiter = new SourceLimiter({ perSecond: 0.001, capacity: 2 }, PLENTY, at(0));
  const house = address('203.0.113.7', 4000);

  const honest = Array.from({ length: 100 }, () => {
    const admitted = limiter.admit(at(0), house);
    limiter.forgive(at(0), house);
    return admitted;
  });
  const wrong = Array.from({ length: 3 }, () => limiter.admit(at(0), house));

  t.true(honest.every(Boolean));
  t.deepEqual(wrong, [true, true, false]);
});
