import test from 'ava';
import { ReplayGuard } from '../../src/network/index.js';

test('only a later moment of the same start, or any of a later start, is new', t => {
  const guard = new ReplayGuard();
  guard.confirm(7, { bootCounter: 3, uptime: 500 });

  for (const [bootCounter, uptime, isNew] of [
    [3, 501, true],
    [3, 500, false],
    [3, 499, false],
    [4, 0, true],
    [2, 900, false],
  ] as const)
    t.is(guard.isNew(7, { bootCounter, uptime }), isNew, `${bootCounter} ${uptime}`);
});

test('of whom nothing is remembered nothing is new: a retry has to tell', t => {
  t.false(new ReplayGuard().isNew(7, { bootCounter: 1, uptime: 1 }));
});

test('the members heard of last are remembered, also through a restart', t => {
  const guard = new ReplayGuard();
  const first = { bootCounter: 1, uptime: 1 };
  const later = { bootCounter: 1, uptime: 2 };
  for (let nodeId = 1; nodeId <= 4_096; nodeId++) guard.confirm(nodeId, first);

  guard.confirm(1, first);
  guard.confirm(5_000, first);
  const restored = ReplayGuard.restore(guard.snapshot());

  for (const held of [guard, restored]) {
    t.true(held.isNew(1, later));
    t.false(held.isNew(2, later));
    t.true(held.isNew(3, later));
    t.true(held.isNew(5_000, later));
  }
});

test('a snapshot that breaks off gives what came before', t => {
  const guard = new ReplayGuard();
  guard.confirm(1, { bootCounter: 1, uptime: 1 });
  guard.confirm(2, { bootCounter: 1, uptime: 1 });
  const bytes = guard.snapshot();

  const restored = ReplayGuard.restore(bytes.subarray(0, bytes.length - 1));

  t.true(restored.isNew(1, { bootCounter: 1, uptime: 2 }));
  t.false(restored.isNew(2, { bootCounter: 1, uptime: 2 }));
});
