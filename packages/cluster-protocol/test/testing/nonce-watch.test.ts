import test from 'ava';
import { AuthenticatingProvider, NonceWatch } from '../../src/testing/index.js';

const seal = (watch: NonceWatch, key: number, nonce: number): void => {
  watch.aeadKey(new Uint8Array(32).fill(key)).sealInPlace(0, nonce, new Uint8Array(40), 0, 10);
};

test('a nonce under two keys is no reuse, under two objects of one key it is', t => {
  const watch = new NonceWatch(new AuthenticatingProvider());

  seal(watch, 1, 5);
  seal(watch, 2, 5);
  t.deepEqual(watch.reused, []);
  seal(watch, 1, 5);

  t.is(watch.reused.length, 1);
});

test('a nonce that falls behind counts as used', t => {
  const watch = new NonceWatch(new AuthenticatingProvider());

  seal(watch, 1, 5);
  seal(watch, 1, 4);

  t.is(watch.reused.length, 1);
});
