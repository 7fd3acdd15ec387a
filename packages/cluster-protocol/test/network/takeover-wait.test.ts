import test from 'ava';
import { instant, minutes } from '../../src/base/index.js';
import { TakeoverWait } from '../../src/network/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';

test('take-overs that follow each other are waited out ever longer, up to a minute', t => {
  const random = new SeededRandom(1);
  const wait = new TakeoverWait();
  const waits: number[] = [];

  for (let i = 0, now = 0; i < 9; i++, now += 30_000) waits.push(wait.next(instant(now), random));

  for (const [i, base] of [1, 2, 4, 8, 16, 32, 60, 60, 60].entries())
    t.true(waits[i]! >= base * 1_000 && waits[i]! <= base * 1_250, `${i}: ${waits[i]}`);
});

test('a single take-over long ago does not count', t => {
  const random = new SeededRandom(1);
  const wait = new TakeoverWait();
  wait.next(instant(0), random);

  t.true(wait.next(instant(minutes(11)), random) <= 1_250);
});

test('a take-over counts for ten minutes', t => {
  const random = new SeededRandom(1);
  const wait = new TakeoverWait();
  wait.next(instant(0), random);

  const second = wait.next(instant(minutes(10) - 1), random);

  t.true(second >= 2_000 && second <= 2_500, String(second));
  t.true(wait.next(instant(2 * minutes(10) - 1), random) <= 1_250, 'ten minutes after the last one');
});
