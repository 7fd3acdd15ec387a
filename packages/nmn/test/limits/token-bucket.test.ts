import test from 'ava';

import { TokenBucket } from '../../src/limits/token-bucket.js';
import { at } from '../support/surroundings.js';

test('a bucket gives its burst at once and then its rate', t => {
  const bucket = new TokenBucket({ perSecond: 2, capacity: 3 }, at(0));

  const burst = [1, 2, 3, 4].map(() => bucket.take(at(0)));
  const later = [bucket.take(at(499)), bucket.take(at(500)), bucket.take(at(500))];

  t.deepEqual(burst, [true, true, true, false]);
  t.deepEqual(later, [false, true, false]);
});

test('a bucket that could not give takes nothing, and never holds more than its burst', t => {
  const bucket = new TokenBucket({ perSecond: 10, capacity: 5 }, at(0));

  t.false(bucket.take(at(0), 6));
  t.true(bucket.take(at(0), 5));
  t.false(bucket.full(at(499)));
  t.true(bucket.full(at(1_000_000)));
  t.false(bucket.take(at(1_000_000), 6));
});

test('a bucket tells how long to wait, and a clock that stands still refills nothing', t => {
  const bucket = new TokenBucket({ perSecond: 100, capacity: 10 }, at(0));
  bucket.take(at(0), 10);

  t.is(Number(bucket.wait(at(0), 5)), 50);
  t.is(Number(bucket.wait(at(50), 5)), 0);
  t.is(Number(bucket.wait(at(40), 5)), 0, 'time never runs backwards for it');
});
