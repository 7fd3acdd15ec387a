import test from 'ava';

import { NetworkState } from '../../src/network/index.js';
import { BIRTH, crypto, daysLater, TestNetwork, type TestNode } from './fixture.js';

function founded(net: TestNetwork, ...nodes: readonly TestNode[]): NetworkState {
  const state = new NetworkState(crypto, net.anchor);
  state.apply(net.founding(...nodes));
  return state;
}

test('a head is taken over when newer, and shows whether the state is complete and fresh', t => {
  const net = new TestNetwork();
  const state = founded(net);
  t.true(state.stale(BIRTH), 'nothing was ever heard');

  t.deepEqual(state.applyHead(net.head(state, 10)), {
    events: [{ kind: 'headChanged', order: { authorityNumber: 1, version: 10 } }],
  });
  t.true(state.complete);
  t.false(state.stale(daysLater(7)));
  t.true(state.stale(daysLater(7.01)));
  t.is(state.applyHead(net.head(state, 9)).refusal, 'older');
  t.is(state.applyHead(new TestNetwork(2).head(state, 11)).refusal, 'wrongNetwork');
  t.is(state.applyHead({ ...net.head(state, 11), nextUpdateBy: daysLater(999) }).refusal, 'badSignature');

  state.apply([net.record({ kind: 'secretEpoch', epoch: 1 })]);
  t.false(state.complete);
});

test('two heads of one version are settled the same everywhere and reported', t => {
  const net = new TestNetwork();
  const state = founded(net);
  const heads = [1, 2].map(day => net.head(state, 10, { nextUpdateBy: daysLater(day) }));
  const results = [heads, [...heads].reverse()].map(order => {
    const reader = founded(net);
    const events = order.flatMap(head => reader.applyHead(head).events);
    t.true(events.some(({ kind }) => kind === 'conflict'));
    return reader.head?.nextUpdateBy;
  });

  t.is(results[0], results[1]);
});

test('only what changed since a version is sent', t => {
  const net = new TestNetwork();
  const state = founded(net, net.admit('lamp'));
  const later = net.record({ kind: 'secretEpoch', epoch: 4 }, { version: 77 });
  state.apply([later]);

  t.deepEqual(state.changesSince({ authorityNumber: 1, version: 76 }), [later]);
  t.deepEqual(state.changesSince({ authorityNumber: 2, version: 0 }), []);
  t.is(state.changesSince({ authorityNumber: 0, version: 0 }).length, 4);
  t.deepEqual(state.latestOrder, { authorityNumber: 1, version: 77 });
});
