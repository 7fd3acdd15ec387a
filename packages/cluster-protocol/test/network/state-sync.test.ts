import test from 'ava';
import fc from 'fast-check';
import { instant, toHex } from '../../src/base/index.js';
import {
  FULL_EXCHANGE_INTERVAL,
  MAX_SYNC_MESSAGE_LENGTH,
  NetworkState,
  StateSync,
  decodeSyncMessage,
  encodeSyncMessage,
} from '../../src/network/index.js';
import type { StateEvent, StateRecord, SyncOutput } from '../../src/network/index.js';
import { BIRTH, TestNetwork, crypto } from './fixture.js';

const NOW = instant(1_000);

/** Two states with a session between them that delivers in order. */
class SyncPair {
  readonly syncs: readonly [StateSync, StateSync];
  readonly events: [StateEvent[], StateEvent[]] = [[], []];
  readonly traffic: { readonly from: 0 | 1; readonly bytes: Uint8Array }[] = [];

  constructor(a: NetworkState, b: NetworkState) {
    this.syncs = [new StateSync(a), new StateSync(b)];
  }

  start(now = NOW): void {
    this.#deliver(now, [...this.#from(0, this.syncs[0].start()), ...this.#from(1, this.syncs[1].start())]);
  }

  announce(from: 0 | 1, records: readonly StateRecord[], now = NOW): void {
    this.#deliver(now, this.#from(from, this.syncs[from].announce(records)));
  }

  #from(from: 0 | 1, output: SyncOutput) {
    this.events[from].push(...output.events);
    return output.send.map(bytes => ({ from, bytes }));
  }

  #deliver(now: typeof NOW, queue: { readonly from: 0 | 1; readonly bytes: Uint8Array }[]): void {
    for (let next = queue.shift(); next; next = queue.shift()) {
      this.traffic.push(next);
      if (this.traffic.length > 200) throw new Error('the two do not come to an end');
      const to = next.from === 0 ? 1 : 0;
      queue.push(...this.#from(to, this.syncs[to].handleMessage(now, next.bytes)));
    }
  }
}

function stateOf(net: TestNetwork, records: readonly StateRecord[], head?: number): NetworkState {
  const state = new NetworkState(crypto, net.anchor);
  state.apply(records);
  if (head !== undefined) state.applyHead(net.head(state, head));
  return state;
}

test('the newer side sends what the older one lacks, and nothing else travels', t => {
  const net = new TestNetwork();
  const lamp = net.admit('lamp');
  const founding = net.founding(lamp);
  const revocation = net.record(net.revocation(lamp), { version: 20 });
  const newer = stateOf(net, [...founding, revocation], 20);
  const older = stateOf(net, founding, 10);
  const pair = new SyncPair(older, newer);

  pair.start();

  t.deepEqual(older.snapshot(), newer.snapshot());
  t.true(older.complete);
  const sent = pair.traffic
    .map(({ bytes }) => decodeSyncMessage(bytes))
    .flatMap(message => (message.ok && message.value.type === 'records' ? message.value.records : []));
  t.deepEqual(sent, [revocation]);
  t.deepEqual(
    pair.events[0].map(({ kind }) => kind),
    ['headChanged', 'revoked', 'memberChanged'],
  );
  t.deepEqual(pair.events[1], []);
});

test('two states that are the same exchange one message each', t => {
  const net = new TestNetwork();
  const founding = net.founding(net.admit('lamp'));
  const pair = new SyncPair(stateOf(net, founding, 10), stateOf(net, founding, 10));

  pair.start();

  t.is(pair.traffic.length, 2);
});

test('a stated time goes out with the first message and comes to light at the other end', t => {
  const net = new TestNetwork();
  const state = stateOf(net, net.founding(), 10);
  const [first] = new StateSync(state).start(BIRTH).send;

  t.is(new StateSync(state).handleMessage(NOW, first!).stated, BIRTH);
  t.is(new StateSync(state).handleMessage(NOW, new StateSync(state).start().send[0]!).stated, undefined);
});

test('a newcomer with nothing gets everything', t => {
  const net = new TestNetwork();
  const full = stateOf(net, net.founding(...Array.from({ length: 150 }, (_, i) => net.admit(`n${i}`))), 200);
  const empty = new NetworkState(crypto, net.anchor);
  const pair = new SyncPair(empty, full);

  pair.start();

  t.deepEqual(empty.snapshot(), full.snapshot());
  t.true(pair.traffic.length <= 5, `${pair.traffic.length} messages`);
  t.true(pair.traffic.every(({ bytes }) => bytes.length <= MAX_SYNC_MESSAGE_LENGTH));
});

test('a revocation that an owner made without the NMN reaches a peer with a newer head', t => {
  const net = new TestNetwork();
  const [lamp, fan] = [net.admit('lamp'), net.admit('fan')];
  const founding = net.founding(lamp);
  const revocation = net.record(net.revocation(lamp), { author: net.owner.keys.signing, version: 11 });
  const behind = stateOf(net, founding, 10);
  behind.apply([revocation]);
  const ahead = stateOf(net, [...founding, net.memberRecord(fan, { version: 30 })], 30);
  const pair = new SyncPair(behind, ahead);

  pair.start();

  t.deepEqual(behind.snapshot(), ahead.snapshot());
  t.true(ahead.isRevoked(lamp.credential.leaf));
  t.truthy(behind.member(fan.nodeId));
});

test('what is announced is passed on once', t => {
  const net = new TestNetwork();
  const lamp = net.admit('lamp');
  const founding = net.founding(lamp);
  const [a, b] = [stateOf(net, founding, 10), stateOf(net, founding, 10)];
  const pair = new SyncPair(a, b);
  pair.start();
  const revocation = net.record(net.revocation(lamp), { version: 12 });
  a.apply([revocation]);

  pair.announce(0, [revocation]);
  const { length } = pair.traffic;
  pair.announce(0, [revocation]);

  t.true(b.isRevoked(lamp.credential.leaf));
  t.is(pair.events[1][0]?.kind, 'revoked');
  t.true(
    pair.traffic.slice(length).every(({ bytes }) => bytes.length < 300),
    'heads only',
  );
});

test('a peer that will not agree gets everything at most once in an interval', t => {
  const net = new TestNetwork();
  const founding = net.founding(net.admit('lamp'));
  const state = stateOf(net, founding, 10);
  const sync = new StateSync(state);
  const stubborn = encodeSyncMessage({
    type: 'heads',
    settled: true,
    head: state.head,
    digests: { security: new Uint8Array(16), directory: new Uint8Array(16) },
  });

  const answers = [
    0,
    1,
    2,
    FULL_EXCHANGE_INTERVAL - 1,
    FULL_EXCHANGE_INTERVAL,
    FULL_EXCHANGE_INTERVAL + 1,
  ].map(at => sync.handleMessage(instant(at), stubborn).send.length > 0);

  t.deepEqual(answers, [true, false, false, false, true, false]);
});

test('a peer that sends records without end is cut short', t => {
  const net = new TestNetwork();
  const sync = new StateSync(new NetworkState(crypto, net.anchor));
  const abroad = new TestNetwork(2);
  const foreign = abroad.founding(...Array.from({ length: 100 }, (_, i) => abroad.admit(`n${i}`)));
  const bytes = encodeSyncMessage({ type: 'records', records: foreign });
  let taken = 0;

  while (taken <= 8 * 1024 * 1024 && sync.handleMessage(NOW, bytes).dropped === undefined)
    taken += bytes.length;

  t.true(taken <= 8 * 1024 * 1024);
  t.is(sync.handleMessage(NOW, bytes).dropped, 'rateLimited');
  t.is(sync.handleMessage(instant(NOW + 60_000), bytes).dropped, undefined, 'after a while it may again');
});

test('messages of any kind have one encoding, and any bytes never throw', t => {
  const net = new TestNetwork();
  const state = stateOf(net, net.founding(net.admit('lamp')), 10);
  const messages = [
    encodeSyncMessage({ type: 'heads', settled: false, head: undefined, digests: state.digests }),
    encodeSyncMessage({ type: 'heads', settled: true, head: state.head, digests: state.digests }),
    encodeSyncMessage({
      type: 'heads',
      settled: false,
      head: state.head,
      digests: state.digests,
      time: BIRTH,
    }),
    encodeSyncMessage({ type: 'records', records: state.records() }),
  ];
  for (const bytes of messages) {
    const decoded = decodeSyncMessage(bytes);
    t.true(decoded.ok && toHex(encodeSyncMessage(decoded.value)) === toHex(bytes));
  }
  const mutated = fc
    .tuple(fc.constantFrom(...messages), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
    .map(([message, changes]) => {
      const copy = message.slice();
      for (const [at, value] of changes) copy[at % copy.length] = value;
      return copy;
    });
  const sync = new StateSync(state);
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), bytes => {
      const decoded = decodeSyncMessage(bytes);
      if (decoded.ok) t.deepEqual(encodeSyncMessage(decoded.value), bytes);
      sync.handleMessage(NOW, bytes);
    }),
    { numRuns: 300 },
  );
});

test('whatever two members hold, after one exchange they hold the same', t => {
  const net = new TestNetwork(4);
  const bob = net.invite('Bob', 'admin');
  const nodes = Array.from({ length: 4 }, (_, i) => net.admit(`n${i}`));
  const founding = net.founding(bob);
  const members = nodes.map(node => net.memberRecord(node));
  const all = [
    ...members,
    ...nodes.map(node => net.memberRecord({ ...node, name: `${node.name} renamed` })),
    net.record(net.revocation(nodes[0]!), { author: bob.keys.signing, version: 9 }),
    net.record(net.revocation(nodes[1]!)),
    net.record(net.revocation(nodes[1]!, { withdrawn: true }), {
      author: net.owner.keys.signing,
      version: 40,
    }),
    net.record(net.revocation(bob), { author: net.owner.keys.signing, version: 41 }),
    net.record({ kind: 'secretEpoch', epoch: 2 }),
    net.record(
      { kind: 'setting', name: 'x', value: Uint8Array.of(1) },
      { author: bob.keys.signing, version: 5 },
    ),
  ];
  const heads = fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined });

  fc.assert(
    fc.property(
      fc.shuffledSubarray(all),
      fc.shuffledSubarray(all),
      heads,
      heads,
      (first, second, headA, headB) => {
        const a = stateOf(net, [...founding, ...first], headA);
        const b = stateOf(net, [...founding, ...second], headB);
        const union = stateOf(net, [...founding, ...first, ...second]);
        const pair = new SyncPair(a, b);

        pair.start();

        t.deepEqual(a.digests, b.digests);
        t.deepEqual(a.digests, union.digests);
        t.true(pair.traffic.length <= 12, `${pair.traffic.length} messages`);
      },
    ),
    // The example: a withdrawal gives weight again to a record that only the other side holds.
    { numRuns: 150, examples: [[[all[9]!, all[5]!], [all[10]!], undefined, undefined]] },
  );
});
