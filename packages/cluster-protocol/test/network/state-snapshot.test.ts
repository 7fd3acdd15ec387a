import test from 'ava';
import fc from 'fast-check';

import { days } from '../../src/base/index.js';
import { encodeOfflineGrace, NetworkState, OFFLINE_GRACE_SETTING } from '../../src/network/index.js';
import { crypto, TestNetwork, type TestNode } from './fixture.js';

function founded(net: TestNetwork, ...nodes: readonly TestNode[]): NetworkState {
  const state = new NetworkState(crypto, net.anchor);
  state.apply(net.founding(...nodes));
  return state;
}

test('a state comes back from its snapshot', t => {
  const net = new TestNetwork();
  const bob = net.invite('Bob', 'admin');
  const lamp = net.admit('lamp');
  const state = founded(net, lamp, bob);
  state.apply([
    net.record({ kind: 'secretEpoch', epoch: 3 }),
    net.record({ kind: 'setting', name: OFFLINE_GRACE_SETTING, value: encodeOfflineGrace(days(30)) }),
    net.record(net.revocation(lamp), { author: bob.keys.signing }),
  ]);
  state.applyHead(net.head(state, 50));

  const restored = NetworkState.restore(crypto, net.anchor, state.snapshot());

  t.true(restored.ok);
  if (!restored.ok) return;
  t.deepEqual(restored.value.snapshot(), state.snapshot());
  t.is(restored.value.currentEpoch, 3);
  t.is(restored.value.offlineGrace, days(30));
  t.true(restored.value.isRevoked(lamp.credential.leaf));
  t.true(restored.value.complete);
});

test('any bytes are a snapshot or malformed, and never throw', t => {
  const net = new TestNetwork();
  const real = founded(net, net.admit('lamp')).snapshot();
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(real.length - 1),
      fc.nat(255),
      (bytes, at, value) => {
        const mutated = real.slice();
        mutated[at] = value;
        NetworkState.restore(crypto, net.anchor, bytes);
        NetworkState.restore(crypto, net.anchor, mutated);
      },
    ),
    { numRuns: 200 },
  );
  t.pass();
});

test('a snapshot with a limit keeps what protects and leaves plain members out', t => {
  const net = new TestNetwork();
  const nodes = Array.from({ length: 10 }, (_, i) => net.admit(`n${i}`));
  const state = founded(net, ...nodes);
  state.apply([net.record(net.revocation(nodes[0]!))]);
  state.applyHead(net.head(state, 99));

  const bytes = state.snapshot(2_000);
  const restored = NetworkState.restore(crypto, net.anchor, bytes);

  t.true(bytes.length <= 2_000);
  t.true(restored.ok);
  if (!restored.ok) return;
  t.true(restored.value.isRevoked(nodes[0]!.credential.leaf));
  t.truthy(restored.value.member(net.owner.nodeId));
  t.false(restored.value.complete);
});
