import { SeededRandom } from '@coconet/cluster-protocol/testing';
import test from 'ava';
import fc from 'fast-check';

import { VersionCounter } from '../../src/membership/version-counter.js';
import { on } from '../support/surroundings.js';

const counter = (last: number, state: 'settling' | 'ready' = 'ready', seed = 1): VersionCounter =>
  new VersionCounter(new SeededRandom(seed), last, state);

test('a new network counts from one', t => {
  const versions = counter(0);

  t.deepEqual([versions.next(), versions.next()], [1, 2]);
});

test('what a member has seen is never given again', t => {
  const versions = counter(5);

  t.true(versions.observe(40));
  t.false(versions.observe(7));
  t.is(versions.next(), 41);
});

test('after a start the counter goes on above the clock of every earlier start', t => {
  const versions = counter(12, 'settling');

  t.is(versions.state, 'settling');
  versions.settle(on(0));

  t.is(versions.state, 'ready');
  t.is(versions.next(), on(0) + 1);
});

test('two starts from the same backup sign different numbers, even with a clock that stands in 1970', t => {
  const first = counter(12, 'settling', 1);
  const second = counter(12, 'settling', 2);
  first.settle(on(-2e12));
  second.settle(on(-2e12));

  const signed = new Set(Array.from({ length: 1_000 }, () => first.next()));

  t.true(first.last > 2 ** 20);
  t.false(Array.from({ length: 1_000 }, () => second.next()).some(version => signed.has(version)));
});

test('whatever lives a network leads from whatever backups, no number is signed twice', t => {
  // A life: how long after the one before it starts, how many it signs, and which earlier moment it was restored to.
  const life = fc.record({
    after: fc.integer({ min: 1, max: 1e6 }),
    signs: fc.nat({ max: 50 }),
    restore: fc.nat(),
  });

  fc.assert(
    fc.property(fc.array(life, { minLength: 1, maxLength: 12 }), lives => {
      const backups = [0];
      const signed: number[] = [];
      let now = 0;
      for (const { after, signs, restore } of lives) {
        now += after;
        const versions = counter(backups[restore % backups.length]!, 'settling');
        versions.settle(on(now));
        for (let i = 0; i < signs; i++) signed.push(versions.next());
        backups.push(versions.last);
        now += signs;
      }
      return new Set(signed).size === signed.length;
    }),
  );
  t.pass();
});
