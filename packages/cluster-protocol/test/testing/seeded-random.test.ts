import test from 'ava';

import { toHex } from '../../src/base/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';

const draw = (random: SeededRandom, length = 16): string => {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return toHex(bytes);
};

test('a seed always gives the same bytes', t => {
  t.is(draw(new SeededRandom(1), 40), draw(new SeededRandom(1), 40));
  t.not(draw(new SeededRandom(1)), draw(new SeededRandom(2)));
  t.is(new SeededRandom(-1).seed, 0xffff_ffff);
});

test('a fork depends on seed and label, not on what was drawn', t => {
  const parent = new SeededRandom(7);
  const early = draw(parent.fork('network'));
  draw(parent, 100);

  t.is(draw(parent.fork('network')), early);
  t.not(draw(parent.fork('node')), early);
  t.not(draw(new SeededRandom(8).fork('network')), early);
  t.not(draw(parent.fork('a').fork('b')), draw(parent.fork('b').fork('a')));
});

test('numbers stay in their ranges and fill them evenly', t => {
  const random = new SeededRandom(3);
  const counts = new Array<number>(10).fill(0);

  for (let i = 0; i < 100_000; i++) counts[random.below(10)]!++;

  t.true(counts.every(count => Math.abs(count - 10_000) < 500));
  for (let i = 0; i < 1_000; i++) {
    const fraction = random.fraction();
    t.true(fraction >= 0 && fraction < 1);
  }
});

test('every bit of the bytes is set half of the time', t => {
  const random = new SeededRandom(5);
  const counts = new Array<number>(64).fill(0);

  for (let i = 0; i < 10_000; i++) {
    const bytes = new Uint8Array(8);
    random.fill(bytes);
    for (let bit = 0; bit < 64; bit++) counts[bit]! += (bytes[bit >> 3]! >> (bit & 7)) & 1;
  }

  t.true(counts.every(count => Math.abs(count - 5_000) < 300));
});
