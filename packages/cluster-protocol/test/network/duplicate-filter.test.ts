import test from 'ava';
import fc from 'fast-check';
import { DuplicateFilter } from '../../src/network/index.js';
import { MESSAGE_WINDOW } from '../../src/wire/index.js';

test('a message is new once, however often and in whatever order it comes', t => {
  const step = fc.record({ sequence: fc.nat({ max: 3_000 }), rise: fc.nat({ max: 40 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), steps => {
      const filter = new DuplicateFilter();
      const taken = new Set<number>();
      let floor = 0;

      for (const { sequence, rise } of steps) {
        if (floor + rise <= sequence) floor += rise;
        const above = sequence - floor;
        const expected =
          above < 0 || taken.has(sequence) ? 'duplicate' : above < MESSAGE_WINDOW ? 'new' : 'windowExceeded';
        t.is(filter.accept('a', sequence, Math.min(floor, sequence)), expected);
        if (expected === 'new') taken.add(sequence);
      }
    }),
  );
});

test('the window begins at the floor and holds 1,024', t => {
  const filter = new DuplicateFilter();

  t.is(filter.accept('a', 100, 100), 'new');
  t.is(filter.accept('a', 100 + MESSAGE_WINDOW - 1, 100), 'new');
  t.is(filter.accept('a', 100 + MESSAGE_WINDOW, 100), 'windowExceeded');
  t.is(filter.accept('a', 99, 99), 'duplicate');
  t.is(filter.accept('a', 100 + MESSAGE_WINDOW, 101), 'new');
});

test('a floor above its own message is no floor', t => {
  const filter = new DuplicateFilter();

  t.is(filter.accept('a', 5, 6), 'duplicate');
  t.is(filter.accept('a', 5, 5), 'new');
});

test('of five incarnations the one used longest ago is forgotten', t => {
  const filter = new DuplicateFilter();
  for (const incarnation of ['a', 'b', 'c', 'd']) filter.accept(incarnation, 1, 1);

  t.is(filter.accept('a', 1, 1), 'duplicate');
  t.is(filter.accept('e', 1, 1), 'new');

  for (const incarnation of ['c', 'd', 'a', 'e']) t.is(filter.accept(incarnation, 1, 1), 'duplicate');
  t.is(filter.accept('b', 1, 1), 'new');
});
