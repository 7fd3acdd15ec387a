import test from 'ava';
import { instant } from '../../src/base/index.js';
import type { Path } from '../../src/session/index.js';
import { HandshakeLoad } from '../../src/session/load.js';
import { ResetLimiter } from '../../src/session/reset-limiter.js';
import { SourceLimits } from '../../src/session/source-limits.js';
import { parseSocketAddress } from '../../src/wire/index.js';

const from = (address: string, channel?: number): Path => ({
  id: 1,
  link: 1,
  remote: parseSocketAddress(address)!,
  channel,
});

/** How many of `tries` are allowed at one moment. */
function allowed(limits: SourceLimits, at: number, tries: number, path: (number: number) => Path): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (limits.allows(instant(at), path(i))) count++;
  return count;
}

test('a source has five at once and twenty in each second after', t => {
  const limits = new SourceLimits();

  t.is(
    allowed(limits, 0, 100, () => from('192.0.2.1:80')),
    5,
  );
  let later = 0;
  for (let at = 1; at <= 1_000; at++) later += allowed(limits, at, 3, () => from('192.0.2.1:80'));
  t.is(later, 20);
});

test('ports of an address, and addresses of a /64, are one source; relay channels are many', t => {
  const count = (path: (number: number) => Path): number => allowed(new SourceLimits(), 0, 100, path);

  t.is(
    count(i => from(`192.0.2.1:${i + 1}`)),
    5,
  );
  t.is(
    count(i => from(`[2001:db8:1:2::${i.toString(16)}]:80`)),
    5,
  );
  t.is(
    count(i => from(`192.0.2.${i + 1}:80`)),
    100,
  );
  t.is(
    count(i => from(`[2001:db8:1:${i.toString(16)}::1]:80`)),
    100,
  );
  t.is(
    count(i => from('192.0.2.1:80', i)),
    100,
  );
});

test('a thousand sources are remembered and no more, each for no longer than its allowance is short', t => {
  const limits = new SourceLimits();
  const host = (i: number): Path => from(`198.51.${i >> 8}.${i & 255}:80`);

  t.is(allowed(limits, 0, 5_000, host), 1_024);
  t.is(limits.size, 1_024);
  t.is(
    allowed(limits, 60, 1_024, i => host(i + 5_000)),
    1_024,
  );
  t.true(limits.size <= 1_024);
});

test('load is high above an eighth of the pending sessions, or when too much was opened', t => {
  const load = new HandshakeLoad(256);

  t.false(load.isHigh(instant(0), 32));
  t.true(load.isHigh(instant(0), 33));
  for (let i = 0; i < 64; i++) {
    t.false(load.isHigh(instant(0), 0), String(i));
    load.count(instant(0));
  }
  t.true(load.isHigh(instant(0), 0));
  t.true(load.isHigh(instant(7), 0));
  t.false(load.isHigh(instant(8), 0));
});

test('what was opened under load is forgotten within half a second', t => {
  const load = new HandshakeLoad(256);

  for (let i = 0; i < 100_000; i++) load.count(instant(0));

  t.true(load.isHigh(instant(7), 0));
  t.false(load.isHigh(instant(8), 0));
});

test('a source is told once a second that its session is gone', t => {
  const limiter = new ResetLimiter();
  const told = [0, 1, 999, 1_000, 1_001, 1_999, 2_500].filter(now =>
    limiter.allows(instant(now), from('192.0.2.1:80')),
  );

  t.deepEqual(told, [0, 1_000, 2_500]);
  t.true(limiter.allows(instant(2_500), from('192.0.2.1:81')));
  t.true(limiter.allows(instant(2_500), from('192.0.2.1:80', 1)));
});

test('beyond a thousand sources nobody is told, until a second has passed since the first ones', t => {
  const limiter = new ResetLimiter();
  const host = (i: number): Path => from(`198.51.${i >> 8}.${i & 255}:80`);
  const told = (now: number, first: number, count: number): number =>
    Array.from({ length: count }, (_, i) => limiter.allows(instant(now), host(first + i))).filter(Boolean)
      .length;

  t.is(told(0, 0, 512), 512);
  t.is(told(500, 512, 1_000), 512);
  t.is(told(999, 5_000, 10), 0);
  t.is(told(1_000, 5_000, 1_000), 512);
});
