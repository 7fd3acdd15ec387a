import test from 'ava';
import fc from 'fast-check';
import { DeadlineQueue, instant } from '../../src/base/index.js';

test('deadlines come in their order, however they are set, moved and cleared', t => {
  const change = fc.record({
    key: fc.nat({ max: 20 }),
    due: fc.option(fc.nat({ max: 100 }), { nil: undefined, freq: 4 }),
    takeAt: fc.option(fc.nat({ max: 100 }), { nil: undefined, freq: 1 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), changes => {
      const queue = new DeadlineQueue<number>();
      const model = new Map<number, number>();

      for (const { key, due, takeAt } of changes) {
        queue.set(key, due === undefined ? undefined : instant(due));
        if (due === undefined) model.delete(key);
        else model.set(key, due);
        const earliest = model.size === 0 ? undefined : Math.min(...model.values());
        t.is(queue.size, model.size);
        t.is(queue.earliest, earliest as typeof queue.earliest);
        if (takeAt === undefined) continue;
        const taken = queue.takeDue(instant(takeAt));
        if (earliest === undefined || earliest > takeAt) t.is(taken, undefined);
        else {
          t.is(model.get(taken!), earliest);
          model.delete(taken!);
        }
      }

      const rest: number[] = [];
      for (let key = queue.takeDue(instant(100)); key !== undefined; key = queue.takeDue(instant(100)))
        rest.push(model.get(key)!);
      t.deepEqual(
        rest,
        [...model.values()].sort((a, b) => a - b),
      );
      t.is(queue.size, 0);
    }),
  );
});

test('a deadline that was taken is set again like a new one', t => {
  const queue = new DeadlineQueue<string>();
  queue.set('a', instant(1));

  t.is(queue.takeDue(instant(0)), undefined);
  t.is(queue.takeDue(instant(1)), 'a');
  t.is(queue.earliest, undefined);
  queue.set('a', instant(5));
  queue.set('a', undefined);
  t.is(queue.size, 0);
});
