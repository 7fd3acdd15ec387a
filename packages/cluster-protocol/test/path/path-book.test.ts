import test from 'ava';
import { instant, milliseconds } from '../../src/base/index.js';
import { PathBook } from '../../src/path/path-book.js';
import { isWorthwhile } from '../../src/path/path-score.js';
import { HOME, pathOf, RELAY } from './agent-bench.js';

const PEER = '198.51.100.20:6000';

test('a proof counts for thirty seconds, and a relay needs none', t => {
  const book = new PathBook();
  book.setLinks(HOME, undefined);
  const direct = book.learn(pathOf(PEER), undefined);
  const relay = book.learn(RELAY, undefined);

  t.false(book.isGood(instant(0), direct));
  direct.provenAt = instant(1_000);

  t.true(book.isGood(instant(31_000), direct));
  t.false(book.isGood(instant(31_001), direct));
  t.true(book.isGood(instant(1e9), relay));
  t.is(book.best(instant(31_000), undefined, false), direct);
  t.is(book.best(instant(31_001), undefined, false), relay);
});

test('a path that fails a second time within a minute is held back, ever longer up to a minute', t => {
  const book = new PathBook();
  book.setLinks(HOME, undefined);
  const path = book.learn(pathOf(PEER), undefined);
  const holds: number[] = [];

  for (let now = 1_000; holds.length < 9; now += 59_000) {
    book.fail(instant(now), path);
    holds.push(path.heldUntil === undefined ? 0 : path.heldUntil - now);
  }
  t.deepEqual(holds, [0, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('a gain is worth a change when it is five milliseconds and a tenth', t => {
  for (const [current, other, worth] of [
    [20, 15, true],
    [20, 16, false],
    [100, 90, true],
    [100, 91, false],
    [20, 20, false],
    [15, 20, false],
  ] as const)
    t.is(isWorthwhile(milliseconds(current), milliseconds(other)), worth, `${current} ${other}`);
});
