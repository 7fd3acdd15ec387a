import test from 'ava';
import fc from 'fast-check';
import { toHex, wallTime } from '../../src/base/index.js';
import {
  MAX_WAITING_RECORDS,
  NetworkState,
  authorizeNmn,
  createNodeKeys,
  decodeRecord,
  encodeRecord,
  signMembership,
  signRecord,
  verifyCredential,
} from '../../src/network/index.js';
import type { RecordRefusal, StateRecord } from '../../src/network/index.js';
import { BIRTH, TestNetwork, crypto, daysLater, timeAt, type TestNode } from './fixture.js';

function founded(net: TestNetwork, ...nodes: readonly TestNode[]): NetworkState {
  const state = new NetworkState(crypto, net.anchor);
  state.apply(net.founding(...nodes));
  return state;
}

const refusal = (state: NetworkState, record: StateRecord): RecordRefusal | undefined =>
  state.apply([record]).refused[0]?.reason;

const isAccepted = (state: NetworkState, node: TestNode): boolean =>
  verifyCredential(crypto, node.credential, state.trust(timeAt(daysLater(1)))).ok;

test('a founded network knows its members by id and by name', t => {
  const net = new TestNetwork();
  const [lamp, twin] = [net.admit('Desk'), net.admit('Desk')];

  const state = founded(net, lamp, twin);

  t.deepEqual(
    state
      .members()
      .map(({ name }) => name)
      .sort(),
    ['Ada phone', 'Desk', 'Desk'],
  );
  t.is(state.member(lamp.nodeId)?.credential.leaf.serial, lamp.credential.leaf.serial);
  t.deepEqual(
    new Set(state.membersByName('Desk').map(({ nodeId }) => nodeId)),
    new Set([lamp.nodeId, twin.nodeId]),
  );
  t.is(state.member(1), undefined);
  t.true(isAccepted(state, lamp));
});

test('a network of 20 members fits 10 KB', t => {
  const net = new TestNetwork();
  const state = founded(net, ...Array.from({ length: 19 }, (_, i) => net.admit(`Device ${i + 1}`)));
  state.applyHead(net.head(state, 30));

  const { length } = state.snapshot();

  t.is(state.members().length, 20);
  t.true(length < 10_500, `${length} bytes`);
});

test('records in any order and grouping give the same state', t => {
  const net = new TestNetwork(5);
  const { root } = net.genesis;
  const bob = net.invite('Bob', 'admin');
  const eve = net.invite('Eve', 'owner');
  const zoe = net.invite('Zoe', 'admin', eve.keys.signing);
  const [lamp, fan] = [net.admit('lamp'), net.admit('fan')];
  const by = (node: TestNode, version: number) => ({ author: node.keys.signing, version });
  const setting = (text: string) =>
    ({ kind: 'setting', name: 'mood', value: new TextEncoder().encode(text) }) as const;
  const renewed = {
    ...lamp,
    credential: {
      ...lamp.credential,
      leaf: signMembership(crypto, net.authorityKeys, { ...lamp.credential.leaf, serial: 7 }),
    },
  };
  const all: StateRecord[] = [
    ...net.founding(bob, eve, zoe, lamp, fan),
    net.memberRecord(renewed),
    net.record({ kind: 'secretEpoch', epoch: 1 }),
    net.record({ kind: 'secretEpoch', epoch: 2 }),
    net.record(setting('calm')),
    net.record(setting('bright'), by(bob, 30)),
    net.record(setting('dark'), by(eve, 30)),
    net.record(setting('odd'), by(zoe, 40)),
    net.record(net.revocation(lamp), by(bob, 20)),
    net.record(net.revocation(lamp, { reason: 'again' }), by(eve, 20)),
    net.record(net.revocation(lamp, { withdrawn: true }), by(net.owner, 21)),
    net.record(net.revocation(fan), by(zoe, 25)),
    net.record(net.revocation(bob), by(eve, 26)),
    net.record(net.revocation(eve, { invitationsUntil: wallTime(0) }), by(net.owner, 27)),
    net.record(net.revocation(net.owner), by(eve, 28)),
    net.record(net.revocation(net.owner), { version: 29 }),
    net.record(net.revocation(net.owner, { withdrawn: true }), { author: root, version: 35 }),
    net.record(net.revocation(eve, { withdrawn: true }), by(eve, 90)),
  ];
  const expected = new NetworkState(crypto, net.anchor);
  expected.apply(all);
  t.true(expected.isRevoked(eve.credential.leaf));
  t.true(expected.isRevoked(bob.credential.leaf));
  t.true(expected.isRevoked(fan.credential.leaf), 'by an admin whose own invitation has lapsed since');
  t.false(expected.isRevoked(lamp.credential.leaf), 'taken back by an owner');
  t.false(expected.isRevoked(net.owner.credential.leaf), 'taken back by the root');
  t.is(expected.member(zoe.nodeId), undefined, 'invited by a revoked owner');
  t.is(new TextDecoder().decode(expected.setting('mood')), 'calm', 'all other authors are cut off');

  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: all.length, maxLength: all.length });
  const shuffled = fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
  fc.assert(
    fc.property(shuffled, sizes, fc.shuffledSubarray(all), (records, groups, again) => {
      const state = new NetworkState(crypto, net.anchor);
      const rest = [...records];
      for (const size of groups) state.apply(rest.splice(0, size));
      state.apply(again);

      t.is(toHex(state.snapshot()), toHex(expected.snapshot()));
      t.deepEqual(state.digests, expected.digests);
    }),
    { numRuns: 60 },
  );
});

test('an authority that is retired leaves the same state in any order', t => {
  const net = new TestNetwork(6);
  const bob = net.invite('Bob', 'admin');
  const lamp = net.admit('lamp');
  const nmn = createNodeKeys(crypto, net.random);
  const keys = { authorityKey: nmn.signing.publicKey, staticKey: nmn.static.publicKey };
  const { authority } = authorizeNmn(crypto, net.random, net.genesis.root, keys, { number: 2, now: BIRTH });
  const leaf = signMembership(crypto, nmn.signing, { ...lamp.credential.leaf, serial: 99 });
  const second = (version: number) => ({ author: nmn.signing, authorityNumber: 2, version });
  const all = [
    ...net.founding(bob, lamp, net.admit('left behind')),
    net.record({ kind: 'secretEpoch', epoch: 1 }),
    net.record(
      { kind: 'setting', name: 'x', value: Uint8Array.of(1) },
      { author: bob.keys.signing, version: 9 },
    ),
    net.record(net.revocation(bob), { version: 10 }),
    net.record({ kind: 'authority', certificate: authority, retired: false }, second(1)),
    net.record({ kind: 'secretEpoch', epoch: 2 }, second(2)),
    net.memberRecord({ ...lamp, credential: { leaf, issuers: [authority] } }, second(3)),
    net.record(
      { kind: 'authority', certificate: net.authorization.authority, retired: true },
      { author: net.owner.keys.signing, version: 20 },
    ),
  ];
  const expected = new NetworkState(crypto, net.anchor);
  expected.apply(all);
  t.is(expected.currentEpoch, 2);
  t.true(expected.isRevoked(bob.credential.leaf), 'what it revoked stays revoked');
  t.deepEqual(
    expected
      .members()
      .map(({ name }) => name)
      .sort(),
    ['Ada phone', 'lamp'],
  );

  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), fc.nat(all.length), (records, cut) => {
      const state = new NetworkState(crypto, net.anchor);
      state.apply(records.slice(0, cut));
      state.apply(records.slice(cut));

      t.is(toHex(state.snapshot()), toHex(expected.snapshot()));
    }),
    { numRuns: 60 },
  );
});

test('newer replaces older, and older is refused afterwards', t => {
  const net = new TestNetwork();
  const lamp = net.admit('lamp');
  const state = founded(net, lamp);
  const renamed = net.memberRecord({ ...lamp, name: 'Lamp' });
  const stale = net.memberRecord({ ...lamp, name: 'old' }, { version: 1 });

  const { applied, events } = state.apply([renamed]);

  t.deepEqual(applied, [renamed]);
  t.deepEqual(events, [{ kind: 'memberChanged', nodeId: lamp.nodeId }]);
  t.is(refusal(state, stale), 'older');
  t.is(state.member(lamp.nodeId)?.name, 'Lamp');
});

test('a record that is held already is passed over in silence', t => {
  const net = new TestNetwork();
  const records = net.founding(net.admit('lamp'));
  const state = new NetworkState(crypto, net.anchor);
  state.apply(records);

  t.deepEqual(state.apply(records), { applied: [], refused: [], events: [] });
});

test('two records for one place are settled the same everywhere and reported', t => {
  const net = new TestNetwork();
  const lamp = net.admit('lamp');
  const names = ['A', 'B', 'C'].map(name => net.memberRecord({ ...lamp, name }, { version: 40 }));
  const results = [names, [...names].reverse()].map(order => {
    const state = founded(net, lamp);
    const { events } = state.apply(order);
    t.true(events.some(({ kind }) => kind === 'conflict'));
    return state.member(lamp.nodeId)?.name;
  });

  t.is(results[0], results[1]);
});

test('a revocation cuts a node off by each of its names and is never undone by its author', t => {
  const net = new TestNetwork();
  const lamp = net.admit('lamp');
  const state = founded(net, lamp);
  const { serial, nodeId, signingKey, staticKey } = lamp.credential.leaf;

  const { events } = state.apply([net.record(net.revocation(lamp))]);

  t.deepEqual(events, [
    { kind: 'revoked', nodeId, signingKey, staticKey },
    { kind: 'memberChanged', nodeId },
  ]);
  t.is(state.member(nodeId), undefined);
  for (const names of [{ serial }, { nodeId }, { signingKey }, { staticKey }]) t.true(state.isRevoked(names));
  t.false(isAccepted(state, lamp));
  t.is(
    refusal(state, net.record(net.revocation(lamp, { withdrawn: true }))),
    'notPermitted',
    'only owners may',
  );
  t.is(refusal(state, net.memberRecord(lamp)), 'revoked');
  t.true(state.isRevoked({ nodeId }));
});

test('a key that was revoked does not come back under a new certificate, serial or node id', t => {
  const net = new TestNetwork();
  const lamp = net.admit('lamp');
  const state = founded(net, lamp);
  state.apply([net.record(net.revocation(lamp))]);
  const other = createNodeKeys(crypto, net.random);
  const reissued = [
    net.membership(lamp.keys),
    net.membership({ signing: other.signing, static: lamp.keys.static }),
    net.membership({ signing: lamp.keys.signing, static: other.static }),
    net.membership(other, { nodeId: lamp.nodeId }),
  ];

  for (const fields of reissued) {
    const leaf = signMembership(crypto, net.authorityKeys, fields);
    const credential = { ...lamp.credential, leaf };
    const result = verifyCredential(crypto, credential, state.trust(timeAt(daysLater(1))));
    t.deepEqual(result, { ok: false, refusal: 'revoked' });
  }
});

test('an owner may take a revocation back, and a later one counts again', t => {
  const net = new TestNetwork();
  const lamp = net.admit('lamp');
  const state = founded(net, lamp);
  const author = net.owner.keys.signing;
  state.apply([net.record(net.revocation(lamp), { version: 20 })]);

  const back = state.apply([net.record(net.revocation(lamp, { withdrawn: true }), { version: 21, author })]);
  t.deepEqual(back.events, [
    { kind: 'reinstated', nodeId: lamp.nodeId },
    { kind: 'memberChanged', nodeId: lamp.nodeId },
  ]);
  t.true(isAccepted(state, lamp));

  state.apply([net.record(net.revocation(lamp), { version: 22 })]);
  t.false(isAccepted(state, lamp));
});

test('who may state what follows the written table', t => {
  const net = new TestNetwork(8);
  const bob = net.invite('Bob', 'admin');
  const amy = net.invite('Amy', 'admin');
  const guest = net.admit('guest', { role: 'guest' });
  const lamp = net.admit('lamp');
  const authors = {
    root: net.genesis.root,
    owner: net.owner.keys.signing,
    admin: bob.keys.signing,
    guest: guest.keys.signing,
    device: lamp.keys.signing,
    authority: net.authorityKeys,
  };
  const fresh = net.admit('fresh');
  const contents = {
    member: { kind: 'member', name: 'fresh', joinedAt: BIRTH, credential: fresh.credential },
    epoch: { kind: 'secretEpoch', epoch: 9 },
    setting: { kind: 'setting', name: 'x', value: Uint8Array.of(1) },
    revokeDevice: net.revocation(fresh),
    revokeAdmin: net.revocation(amy),
    revokeOwner: net.revocation(net.owner),
    retire: { kind: 'authority', certificate: net.authorization.authority, retired: true },
  } as const;
  const table: Record<keyof typeof contents, (keyof typeof authors)[]> = {
    member: ['root', 'authority'],
    epoch: ['root', 'authority'],
    setting: ['root', 'owner', 'admin', 'authority'],
    revokeDevice: ['root', 'owner', 'admin', 'authority'],
    revokeAdmin: ['root', 'owner', 'authority'],
    revokeOwner: ['root', 'owner'],
    retire: ['root', 'owner'],
  };

  for (const [what, allowed] of Object.entries(table) as [keyof typeof contents, string[]][])
    for (const [who, author] of Object.entries(authors)) {
      const state = founded(net, bob, amy, guest, lamp);
      const record = net.record(contents[what], { author, version: 500 });

      const { applied, refused } = state.apply([record]);

      const expected = allowed.includes(who)
        ? 'applied'
        : who === 'guest' || who === 'device'
          ? 'authorUnknown'
          : 'notPermitted';
      t.is(applied.length === 1 ? 'applied' : refused[0]?.reason, expected, `${who}: ${what}`);
    }
});

test('a hostile NMN makes no admin, swaps no key and takes no role', t => {
  const net = new TestNetwork();
  const bob = net.invite('Bob', 'admin');
  const lamp = net.admit('lamp');
  const state = founded(net, bob, lamp);
  const keys = createNodeKeys(crypto, net.random);
  const forged = (fields: Parameters<TestNetwork['membership']>[1], name = 'forged'): StateRecord =>
    net.memberRecord({
      nodeId: 0,
      name,
      keys,
      credential: {
        leaf: signMembership(crypto, net.authorityKeys, net.membership(keys, fields)),
        issuers: [net.authorization.authority],
      },
    });

  t.is(refusal(state, forged({ role: 'admin' })), 'badCertificate');
  t.is(refusal(state, forged({ role: 'owner' })), 'badCertificate');
  t.is(refusal(state, forged({ nodeId: lamp.nodeId })), 'keyChanged');
  t.is(refusal(state, forged({ nodeId: bob.nodeId })), 'older', 'a lesser role never replaces a higher one');
  t.is(refusal(state, net.record(net.revocation(net.owner))), 'notPermitted');
  t.deepEqual(state.member(lamp.nodeId)?.credential, lamp.credential);
  t.is(state.member(bob.nodeId)?.credential.leaf.role, 'admin');
  const swapped = {
    leaf: signMembership(crypto, net.authorityKeys, net.membership(keys, { nodeId: lamp.nodeId })),
    issuers: lamp.credential.issuers,
  };
  t.deepEqual(verifyCredential(crypto, swapped, state.trust(timeAt(daysLater(1)))), {
    ok: false,
    refusal: 'wrongKey',
  });
  t.deepEqual(
    state.apply([forged({ role: 'guest' })]).events.map(({ kind }) => kind),
    ['memberChanged'],
    'an admission is an event',
  );
});

test('a forged member with an owner’s node id gives way to the owner', t => {
  const net = new TestNetwork();
  const state = new NetworkState(crypto, net.anchor);
  const keys = createNodeKeys(crypto, net.random);
  const leaf = signMembership(crypto, net.authorityKeys, net.membership(keys, { nodeId: net.owner.nodeId }));
  const forged = {
    nodeId: leaf.nodeId,
    name: 'x',
    keys,
    credential: { leaf, issuers: [net.authorization.authority] },
  };
  state.apply([net.authorityRecord(), net.memberRecord(forged)]);

  const { events } = state.apply([net.memberRecord(net.owner)]);

  t.deepEqual(state.member(net.owner.nodeId)?.credential, net.owner.credential);
  t.deepEqual(events, [{ kind: 'memberChanged', nodeId: net.owner.nodeId }]);
});

test('an author that was revoked states nothing any more, but its revocations stand', t => {
  const net = new TestNetwork();
  const bob = net.invite('Bob', 'admin');
  const lamp = net.admit('lamp');
  const state = founded(net, bob, lamp);
  const author = bob.keys.signing;
  state.apply([
    net.record({ kind: 'setting', name: 'x', value: Uint8Array.of(1) }, { author, version: 50 }),
    net.record(net.revocation(lamp), { author, version: 51 }),
  ]);

  const { events } = state.apply([
    net.record(net.revocation(bob), { author: net.owner.keys.signing, version: 52 }),
  ]);

  t.deepEqual(
    events.map(({ kind }) => kind),
    ['revoked', 'memberChanged', 'settingChanged'],
  );
  t.is(state.setting('x'), undefined);
  t.true(state.isRevoked(lamp.credential.leaf));
  const restored = NetworkState.restore(crypto, net.anchor, state.snapshot());
  t.true(restored.ok && restored.value.isRevoked(lamp.credential.leaf), 'for a fresh reader too');
});

test('a phone that made the network can be lost: the laptop it invited goes on', t => {
  const net = new TestNetwork();
  const laptop = net.invite('laptop', 'owner');
  const state = founded(net, laptop);

  state.apply([net.record(net.revocation(net.owner), { author: laptop.keys.signing, version: 60 })]);

  t.true(isAccepted(state, laptop));
  t.false(isAccepted(state, net.owner));
  const later = net.invite('thief', 'owner', net.owner.keys.signing, {
    invitation: { issuedAt: daysLater(3) },
  });
  t.deepEqual(verifyCredential(crypto, later.credential, state.trust(timeAt(daysLater(4)))), {
    ok: false,
    refusal: 'inviterRevoked',
  });
});

test('nothing that a retired authority signed counts, and its successor takes over', t => {
  const net = new TestNetwork();
  const lamp = net.admit('lamp');
  const state = founded(net, lamp);
  state.applyHead(net.head(state, 70));
  const nmn = createNodeKeys(crypto, net.random);
  const keys = { authorityKey: nmn.signing.publicKey, staticKey: nmn.static.publicKey };
  const { authority } = authorizeNmn(crypto, net.random, net.genesis.root, keys, {
    number: 2,
    now: BIRTH,
  });
  const second = { author: nmn.signing, authorityNumber: 2, version: 1 };

  const { events } = state.apply([
    net.record({ kind: 'authority', certificate: authority, retired: false }, second),
    net.record(
      { kind: 'authority', certificate: net.authorization.authority, retired: true },
      { author: net.owner.keys.signing, version: 71 },
    ),
  ]);

  t.true(events.some(event => event.kind === 'authorityRetired' && event.number === 1));
  t.is(state.member(lamp.nodeId), undefined, 'until the successor admits it');
  t.truthy(state.member(net.owner.nodeId), 'owners stand on the root');
  t.is(state.head, undefined);
  t.deepEqual(
    state.authorities().map(({ number }) => number),
    [2],
  );
  t.false(isAccepted(state, lamp));
  t.is(state.applyHead(net.head(state, 99)).refusal, 'notPermitted');

  const leaf = signMembership(crypto, nmn.signing, { ...lamp.credential.leaf, serial: 99 });
  const admitted = { ...lamp, credential: { leaf, issuers: [authority] } };
  state.apply([net.memberRecord(admitted, { ...second, version: 2 })]);
  t.true(isAccepted(state, admitted));
});

test('an authority cannot sign under the number of another', t => {
  const net = new TestNetwork();
  const state = founded(net);

  t.is(refusal(state, net.record({ kind: 'secretEpoch', epoch: 9 }, { authorityNumber: 2 })), 'notPermitted');
  t.is(
    state.applyHead(net.head(state, 1, { order: { authorityNumber: 2, version: 1 } })).refusal,
    'notPermitted',
  );
});

test('a record of another network, or with a wrong signature, or by a stranger is refused with its reason', t => {
  const net = new TestNetwork();
  const abroad = new TestNetwork(2);
  const state = founded(net);
  const good = net.record({ kind: 'secretEpoch', epoch: 1 });
  const stranger = createNodeKeys(crypto, net.random).signing;

  t.is(refusal(state, abroad.authorityRecord()), 'wrongNetwork');
  t.is(refusal(state, { ...good, content: { kind: 'secretEpoch', epoch: 2 } }), 'badSignature');
  t.is(refusal(state, net.record({ kind: 'secretEpoch', epoch: 2 }, { author: stranger })), 'authorUnknown');
  const forged = signRecord(crypto, stranger, good);
  t.is(refusal(state, { ...forged, author: good.author }), 'badSignature');
  const authority = { ...abroad.authorization.authority, network: net.network };
  t.is(
    refusal(
      state,
      net.record({ kind: 'authority', certificate: authority, retired: false }, { author: net.genesis.root }),
    ),
    'badCertificate',
  );
});

test('each flipped bit of a record is refused', t => {
  const net = new TestNetwork();
  const lamp = net.admit('lamp');
  const record = encodeRecord(net.record(net.revocation(lamp)));
  const state = founded(net, lamp);
  const before = state.snapshot();
  for (let bit = 0; bit < 8 * record.length; bit++) {
    const forged = record.slice();
    forged[bit >> 3]! ^= 1 << (bit & 7);
    const decoded = decodeRecord(forged);
    if (decoded.ok) state.apply([decoded.value]);
  }

  t.deepEqual(state.snapshot(), before);
});

test('records of strangers wait in a bounded room', t => {
  const net = new TestNetwork();
  const bob = net.invite('Bob', 'admin');
  const state = new NetworkState(crypto, net.anchor);
  const early = net.record(
    { kind: 'setting', name: 'early', value: Uint8Array.of(1) },
    { author: bob.keys.signing },
  );
  state.apply([early]);
  const stranger = createNodeKeys(crypto, net.random).signing;
  const junk = Array.from({ length: MAX_WAITING_RECORDS - 1 }, (_, i) =>
    net.record({ kind: 'setting', name: `s${i}`, value: Uint8Array.of(1) }, { author: stranger }),
  );
  state.apply(junk);

  const { applied } = state.apply(net.founding(bob));
  t.true(applied.includes(early), 'it waited for its author');

  const other = new NetworkState(crypto, net.anchor);
  other.apply([
    early,
    ...junk,
    net.record({ kind: 'setting', name: 'last', value: Uint8Array.of(1) }, { author: stranger }),
  ]);
  other.apply(net.founding(bob));
  t.is(other.setting('early'), undefined, 'the oldest made room');
});
