import test from 'ava';
import { NETWORK_SECRET_LENGTH, type NetworkSecret, SecretRing } from '../../src/network/index.js';

const secret = (epoch: number, fill: number = epoch): NetworkSecret => ({
  epoch,
  secret: new Uint8Array(NETWORK_SECRET_LENGTH).fill(fill),
});

test('the current secret and the one before it count, and no other', t => {
  const ring = new SecretRing();

  for (const epoch of [1, 2, 5]) t.true(ring.add(secret(epoch)));

  t.is(ring.epoch, 5);
  t.deepEqual(ring.secretOf(5), secret(5).secret);
  t.deepEqual(ring.secretOf(2), secret(2).secret);
  for (const epoch of [0, 1, 3, 4, 6]) t.is(ring.secretOf(epoch), undefined);
});

test('a secret of the same epoch, of an older one, or of another length changes nothing', t => {
  const ring = new SecretRing();
  ring.add(secret(2));
  ring.add(secret(3));

  for (const other of [secret(3, 9), secret(2, 9), secret(1), { epoch: 4, secret: new Uint8Array(31) }])
    t.false(ring.add(other));

  t.is(ring.epoch, 3);
  t.deepEqual(ring.secretOf(3), secret(3).secret);
  t.deepEqual(ring.secretOf(2), secret(2).secret);
});

test('what the NMN says of the current epoch replaces what is held of it, and of no other', t => {
  const ring = new SecretRing();
  ring.add(secret(2));
  ring.add(secret(3));

  t.false(ring.correct(secret(3)));
  t.false(ring.correct(secret(2, 9)));
  t.false(ring.correct(secret(4)));
  t.true(ring.correct(secret(3, 9)));

  t.deepEqual(ring.secretOf(3), secret(3, 9).secret);
  t.deepEqual(ring.secretOf(2), secret(2).secret);
});

test('both secrets come back from the store', t => {
  const ring = new SecretRing();
  ring.add(secret(2));
  ring.add(secret(3));

  const restored = SecretRing.restore(ring.snapshot());

  t.true(restored.ok);
  if (!restored.ok) return;
  t.deepEqual(restored.value.current, secret(3));
  t.deepEqual(restored.value.secretOf(2), secret(2).secret);
  t.false(SecretRing.restore(ring.snapshot().subarray(1)).ok);
});
