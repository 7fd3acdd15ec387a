import test from 'ava';
import fc from 'fast-check';

import { instant } from '../../src/base/index.js';
import { MTU_LADDER, MtuSearch } from '../../src/session/mtu-search.js';
import { SizeFailure, SizeFailures } from '../../src/session/size-failure.js';
import { socketAddress } from '../../src/wire/index.js';

/** Lets a path carry `carries` bytes and searches to the end; gives the sizes that were probed. */
function search(mtu: MtuSearch, carries: number, now = 0): number[] {
  const tried: number[] = [];
  mtu.wanted(instant(now));
  for (let size = mtu.probeDue; size !== undefined; size = mtu.probeDue) {
    tried.push(size);
    mtu.probed(instant(now));
    if (size <= carries) mtu.probeArrived(size);
    else mtu.probeLost(size);
  }
  return tried;
}

test('nothing is probed before somebody fills a packet', t => {
  t.is(new MtuSearch(1_452).probeDue, undefined);
});

test('the search climbs the ladder to what the path carries', t => {
  const mtu = new MtuSearch(1_452);

  const tried = search(mtu, 1_420);

  t.deepEqual(tried, MTU_LADDER.slice());
  t.is(mtu.size, 1_400);
});

test('above the ladder only what the driver proved is tried', t => {
  const mtu = new MtuSearch(65_000);

  search(mtu, 65_000);

  t.is(mtu.size, 65_000);
});

test('a size that failed is not tried again for ten minutes, nor is a larger one', t => {
  const mtu = new MtuSearch(1_452);
  search(mtu, 1_300);

  t.deepEqual(search(mtu, 1_452, 599_000), []);
  t.deepEqual(search(mtu, 1_452, 601_000), [1_360, 1_400, 1_452]);
});

test('three bursts of lost large packets send the size back to the base, and eight from there to the floor', t => {
  const mtu = new MtuSearch(1_452);
  search(mtu, 1_452);

  const fell = [1, 2, 3].map(i => mtu.lost(instant(i), 1_400));

  t.deepEqual(fell, [false, false, true]);
  t.is(mtu.size, 1_200);
  for (let i = 0; i < 7; i++) mtu.lost(instant(10 + i), 1_190);
  t.is(mtu.size, 1_200, 'nearly every path carries the base');
  mtu.lost(instant(20), 1_190);
  t.is(mtu.size, 1_024);
  for (let i = 0; i < 9; i++) mtu.lost(instant(20 + i), 1_020);
  t.is(mtu.size, 1_024);
});

test('bursts in which small packets got lost too, or large ones came through, betray nothing', t => {
  const mtu = new MtuSearch(1_452);
  search(mtu, 1_452);

  for (let i = 0; i < 20; i++) mtu.lost(instant(i), 300);
  for (let i = 0; i < 20; i++) {
    mtu.lost(instant(i), 1_400);
    mtu.lost(instant(i), 1_400);
    mtu.acknowledged(instant(i), 1_452);
  }

  t.is(mtu.size, 1_452);
});

test('after a silence that ended the search begins at once', t => {
  const mtu = new MtuSearch(1_452);
  search(mtu, 1_452);
  while (!mtu.silent(instant(5))) t.is(mtu.size, 1_452);

  mtu.acknowledged(instant(6), 100);

  t.is(mtu.size, 1_200);
  t.is(mtu.probeDue, 1_280);
});

test('what the operating system refuses ends the search, and takes back what it carried before', t => {
  const mtu = new MtuSearch(1_452);
  mtu.wanted(instant(0));
  mtu.probed(instant(0));

  t.false(mtu.refused(instant(1)));
  t.is(mtu.probeDue, undefined);
  const other = new MtuSearch(1_452);
  search(other, 1_452);
  t.true(other.refused(instant(1)));
  t.is(other.size, 1_200);
});

test('another interface has another limit', t => {
  const mtu = new MtuSearch(1_452);
  search(mtu, 1_452);

  mtu.setLimit(1_252);

  t.is(mtu.size, 1_252);
  t.deepEqual(search(mtu, 1_452), []);
});

test('whatever happens, the size stays between the floor and the limit and no probe leaves them', t => {
  const event = fc.oneof(
    fc.record({
      kind: fc.constantFrom('wanted', 'silent', 'probeArrived', 'probeLost'),
      size: fc.nat(2_000),
    }),
    fc.record({ kind: fc.constantFrom('acknowledged', 'lost'), size: fc.nat(2_000) }),
    fc.record({ kind: fc.constant('limit'), size: fc.integer({ min: 1_024, max: 9_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), events => {
      const mtu = new MtuSearch(1_452);
      return events.every(({ kind, size }, i) => {
        const now = instant(i * 50_000);
        if (kind === 'wanted') mtu.wanted(now);
        else if (kind === 'silent') mtu.silent(now);
        else if (kind === 'limit') mtu.setLimit(size);
        else if (kind === 'acknowledged') mtu.acknowledged(now, size);
        else if (kind === 'lost') mtu.lost(now, size);
        else if (mtu.probeDue !== undefined) {
          const probe = mtu.probeDue;
          mtu.probed(now);
          if (kind === 'probeArrived') mtu.probeArrived(probe);
          else mtu.probeLost(probe);
        }
        const due = mtu.probeDue ?? mtu.size;
        return mtu.size >= 1_024 && mtu.size <= mtu.limit && due >= mtu.size && due <= mtu.limit;
      });
    }),
  );
  t.pass();
});

test('a probe that left in pieces proves nothing when it arrives', t => {
  const mtu = new MtuSearch(1_452);
  mtu.wanted(instant(0));
  mtu.probed(instant(0));

  mtu.cut(instant(0));
  mtu.probeArrived(1_280);

  t.is(mtu.size, 1_200);
  t.deepEqual(search(mtu, 1_452, 599_000), []);
  t.deepEqual(search(mtu, 1_452, 601_000), MTU_LADDER.slice());
});

test('packets that begin to be cut send the size back to the base, and never below', t => {
  const mtu = new MtuSearch(1_452);
  search(mtu, 1_452);

  t.true(mtu.cut(instant(1)));
  t.false(mtu.cut(instant(2)));

  t.is(mtu.size, 1_200);
});

test('a size that failed on one path is not tried on another to the same host', t => {
  const failure = new SizeFailure();
  const first = new MtuSearch(1_452, failure);
  search(first, 1_300);

  const second = new MtuSearch(1_452, failure);

  t.deepEqual(search(second, 1_300, 1_000), [1_280]);
  t.is(second.size, 1_280);
  t.deepEqual(search(second, 1_452, 601_000), [1_360, 1_400, 1_452]);
});

test('what is forgotten when there are too many hosts is the oldest', t => {
  const failures = new SizeFailures();
  const pathTo = (host: string) => ({ id: 1, link: 1, remote: socketAddress(host, 80)!, channel: undefined });
  const first = failures.of(pathTo('192.0.2.1'));
  first.note(instant(0), 1_280);

  t.is(failures.of(pathTo('192.0.2.1')), first);
  for (let i = 0; i < 1_024; i++) failures.of(pathTo(`10.0.${i >> 8}.${i & 255}`));

  t.not(failures.of(pathTo('192.0.2.1')), first);
});

test('what failed outlives the process for ten minutes, whenever it was', t => {
  const before = new SizeFailures();
  const path = { id: 1, link: 1, remote: socketAddress('2001:db8::1', 80)!, channel: undefined };
  search(new MtuSearch(1_452, before.of(path)), 1_300);

  const later = new SizeFailures();
  later.restore(instant(5_000), before.keep());

  t.is(later.of(path).size, 1_360);
  t.is(later.of(path).forbids(instant(604_999), 1_360), instant(605_000));
  t.is(later.of(path).forbids(instant(605_000), 1_360), undefined);
});

test('a path that became wide again is forgotten', t => {
  let changes = 0;
  const failures = new SizeFailures(() => changes++);
  const path = { id: 1, link: 1, remote: socketAddress('192.0.2.1', 80)!, channel: undefined };
  const mtu = new MtuSearch(1_452, failures.of(path));
  search(mtu, 1_300);

  search(mtu, 1_452, 601_000);

  t.is(failures.keep().length, 0);
  t.is(changes, 2);
});

test('kept bytes of any kind are harmless', t => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.string().map(text => new TextEncoder().encode(text)),
      ),
      bytes => {
        new SizeFailures().restore(instant(0), bytes);
      },
    ),
  );
  t.pass();
});
