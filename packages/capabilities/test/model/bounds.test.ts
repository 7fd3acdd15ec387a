import test from 'ava';
import { narrowed, roleSuffices, t as type } from '@coconet/capabilities';

test('a device narrows the range of a number, and never widens it', t => {
  t.deepEqual(
    narrowed(type.float32({ min: 0, max: 100 }), { min: 5, max: 200 }),
    type.float32({ min: 5, max: 100 }),
  );
  t.deepEqual(narrowed(type.uint64({ max: 50n }), { min: 5, max: 20n }), type.uint64({ min: 5n, max: 20n }));
});

test('bounds that make no sense for the type are passed over', t => {
  t.deepEqual(narrowed(type.bool(), { min: 1 }), type.bool());
  t.deepEqual(narrowed(type.uint64(), { min: 1.5 }), type.uint64());
  t.deepEqual(narrowed(type.uint8(), {}), type.uint8());
});

test('a stronger role may do what a weaker one may', t => {
  t.true(roleSuffices('owner', 'admin') && roleSuffices('guest', 'guest'));
  t.false(roleSuffices('guest', 'admin'));
});
