import test from 'ava';
import { instant, wallTime } from '../../src/base/index.js';
import { StateAge } from '../../src/interface/state-age.js';
import { NetworkState } from '../../src/network/index.js';
import { BIRTH, crypto, daysLater, TestNetwork } from '../network/fixture.js';

test('a state is told to be stale once when its promise has passed, and current once when it is renewed', t => {
  const net = new TestNetwork();
  const state = new NetworkState(crypto, net.anchor);
  state.apply(net.founding());
  const promise = daysLater(7);
  state.applyHead(net.head(state, 10, { nextUpdateBy: promise }));
  const age = new StateAge(state, instant(0));
  t.is(age.pollTimeout(), instant(0), 'it looks at once');

  t.is(age.check(instant(0), wallTime(promise - 100)), undefined);
  const due = age.pollTimeout();
  t.is(due, instant(101));
  t.deepEqual(age.check(instant(101), wallTime(promise + 1)), {
    kind: 'networkState',
    state: 'stale',
    nextUpdateBy: promise,
  });
  t.is(age.check(instant(200), wallTime(promise + 100)), undefined, 'that is known');
  t.is(age.pollTimeout(), undefined);

  state.applyHead(net.head(state, 11, { nextUpdateBy: daysLater(14) }));
  t.like(age.check(instant(300), wallTime(promise + 200)), { state: 'current', nextUpdateBy: daysLater(14) });
});

test('a node that never heard of a state says so once and sets no timer', t => {
  const net = new TestNetwork();
  const age = new StateAge(new NetworkState(crypto, net.anchor), instant(0));

  t.deepEqual(age.check(instant(0), BIRTH), { kind: 'networkState', state: 'stale', nextUpdateBy: 0 });

  t.is(age.check(instant(1), BIRTH), undefined);
  t.is(age.pollTimeout(), undefined);
});
