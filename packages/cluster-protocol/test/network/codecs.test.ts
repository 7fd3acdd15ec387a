import test from 'ava';
import fc from 'fast-check';
import { toHex, wallTime } from '../../src/base/index.js';
import {
  FIRST_VENDOR_SERVICE,
  LAST_SERVICE,
  MANAGEMENT_ERROR_CODES,
  MANAGEMENT_TYPES,
  MAX_RECORD_KEY_LENGTH,
  NetworkState,
  SERVICES,
  claimIdOf,
  claimKeyPairOf,
  claimMacOf,
  claimPskOf,
  createNodeKeys,
  decodeCredential,
  decodeHead,
  decodeInvitationProof,
  decodeManagement,
  decodeNodeKeys,
  decodeRecord,
  encodeCredential,
  encodeHead,
  encodeManagement,
  encodeNodeKeys,
  encodeRecord,
  formatNetworkId,
  formatRootKey,
  networkIdOf,
  nodeNameProblem,
  parseNetworkId,
  parseRootKey,
  randomNodeId,
  randomSerial,
  recordKey,
  signClaim,
  verifyClaim,
  verifyCredential,
} from '../../src/network/index.js';
import type { ManagementContent, RecordContent } from '../../src/network/index.js';
import { BIRTH, TestNetwork, crypto, daysLater, timeAt } from './fixture.js';

const net = new TestNetwork(6);
const lamp = net.admit('lamp', { user: 'Ada' });
const bob = net.invite('Bob', 'admin');
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

const contents: RecordContent[] = [
  { kind: 'authority', certificate: net.authorization.authority, retired: false },
  { kind: 'authority', certificate: net.authorization.authority, retired: true },
  net.revocation(lamp),
  net.revocation(bob, { withdrawn: true, serial: 0, reason: 'Müller’s phone' }),
  { kind: 'member', name: 'Küche – 💡', joinedAt: BIRTH, credential: bob.credential },
  { kind: 'secretEpoch', epoch: 2 ** 40 },
  { kind: 'setting', name: 'x', value: new Uint8Array(1024) },
  { kind: 'setting', name: 'ä'.repeat(16), value: new Uint8Array(0) },
];

const welcome = { rootKey: net.rootKey, epoch: 7, secret: filled(32, 9), state: filled(61_000, 1) };
const messages: ManagementContent[] = [
  {
    type: 'join',
    kind: 'device',
    name: 'Desk',
    signingKey: filled(32, 1),
    claimMac: filled(32, 2),
    claimSignature: filled(64, 3),
  },
  { type: 'joined', nodeId: 17, name: 'Desk', credential: lamp.credential, ...welcome },
  { type: 'renew' },
  { type: 'renewed', credential: bob.credential },
  {
    type: 'createInvitation',
    claimId: filled(16, 1),
    claimPsk: filled(32, 2),
    name: '',
    grant: { type: 'plain', kind: 'client', role: 'guest', user: 'Eve', expiresAt: daysLater(1) },
  },
  {
    type: 'createInvitation',
    claimId: filled(16, 1),
    claimPsk: filled(32, 2),
    name: 'Bob phone',
    grant: { type: 'signed', invitation: invitationOf(bob.credential.leaf.extensions[0]!.bytes) },
  },
  { type: 'invitationCreated', nodeId: 2 ** 32 - 1 },
  { type: 'prepareNetwork', operatorToken: filled(16, 1) },
  {
    type: 'networkPrepared',
    authorityKey: filled(32, 1),
    nmnStaticKey: filled(32, 2),
    challenge: filled(16, 3),
  },
  {
    type: 'createNetwork',
    challenge: filled(16, 3),
    operatorToken: filled(16, 1),
    name: 'Home',
    rootKey: net.rootKey,
    authority: net.authorization.authority,
    nmnCredential: net.authorization.nmnCredential,
    ownerName: 'Ada phone',
    ownerCredential: net.owner.credential,
  },
  { type: 'networkCreated', ...welcome },
  { type: 'revoke', record: net.record(net.revocation(lamp)) },
  { type: 'revoked' },
  { type: 'secret' },
  { type: 'secretIs', epoch: 3, secret: filled(32, 4) },
  { type: 'leave' },
  { type: 'left' },
  { type: 'error', code: 'claimExpired', message: 'the invitation has expired' },
  { type: 'error', code: 'invalid', message: 'the name has a slash', field: 'name' },
];

function invitationOf(bytes: Uint8Array) {
  const proof = decodeInvitationProof(bytes);
  if (!proof.ok) throw new Error('the fixture holds an invitation');
  return proof.value.invitation;
}

/** Real encodings with a few bytes changed, and plain noise. */
const hostile = (real: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .tuple(fc.constantFrom(...real), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(3))
      .map(([bytes, changes, cut]) => {
        const copy = bytes.slice(0, bytes.length - cut);
        for (const [at, value] of changes) copy[at % copy.length] = value;
        return copy;
      }),
  );

test('a record of each kind comes back from its bytes', t => {
  for (const content of contents) {
    const record = net.record(content);

    const decoded = decodeRecord(encodeRecord(record));

    t.deepEqual(decoded, { ok: true, value: record });
    t.true(recordKey(content).length <= MAX_RECORD_KEY_LENGTH);
  }
});

test('a record whose key does not fit its body is malformed', t => {
  const encoded = encodeRecord(
    net.record({ kind: 'member', name: 'lamp', joinedAt: BIRTH, credential: lamp.credential }),
  );
  const keyAt = 16 + 1 + 1;
  encoded[keyAt]! ^= 1;

  t.false(decodeRecord(encoded).ok);
});

test('any bytes are a record or malformed, in one encoding', t => {
  const real = contents.map(content => encodeRecord(net.record(content)));
  fc.assert(
    fc.property(hostile(real), bytes => {
      const decoded = decodeRecord(bytes);
      if (decoded.ok) t.deepEqual(encodeRecord(decoded.value), bytes);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('a head comes back from its bytes, and any bytes never throw', t => {
  const head = net.head(new NetworkState(crypto, net.anchor), 12);
  const encoded = encodeHead(head);

  t.deepEqual(decodeHead(encoded), { ok: true, value: head });
  fc.assert(
    fc.property(hostile([encoded]), bytes => {
      const decoded = decodeHead(bytes);
      if (decoded.ok) t.deepEqual(encodeHead(decoded.value), bytes);
    }),
  );
});

test('a credential comes back from its bytes', t => {
  for (const { credential } of [lamp, bob, net.owner])
    t.deepEqual(decodeCredential(encodeCredential(credential)), { ok: true, value: credential });
});

test('each management message comes back from its bytes', t => {
  t.deepEqual(new Set(messages.map(({ type }) => type)), new Set(MANAGEMENT_TYPES));
  for (const content of messages) {
    const message = { requestId: 0xdeadbeef, ...content };

    const decoded = decodeManagement(encodeManagement(message));

    t.deepEqual(decoded, { ok: true, value: message });
  }
  for (const code of MANAGEMENT_ERROR_CODES) {
    const bytes = encodeManagement({ requestId: 1, type: 'error', code, message: '' });
    t.true(decodeManagement(bytes).ok);
  }
});

test('any bytes are a management message or malformed, in one encoding', t => {
  const real = messages
    .map(content => encodeManagement({ requestId: 5, ...content }))
    .filter(({ length }) => length < 4_000);
  fc.assert(
    fc.property(hostile(real), bytes => {
      const decoded = decodeManagement(bytes);
      if (decoded.ok) t.deepEqual(toHex(encodeManagement(decoded.value)), toHex(bytes));
    }),
    { numRuns: 1_000 },
  );
  t.pass();
});

test('what is derived from a claim differs, and tells nothing of the others', t => {
  const claim = filled(16, 5);
  const other = filled(16, 6);
  const keys = { signingKey: filled(32, 1), staticKey: filled(32, 2) };
  const derived = [claim, other].flatMap(secret => [
    toHex(claimIdOf(crypto, secret)),
    toHex(claimPskOf(crypto, secret)),
    toHex(claimKeyPairOf(crypto, secret).publicKey),
    toHex(claimMacOf(crypto, secret, net.network, keys)),
  ]);

  t.is(new Set(derived).size, 8);
  t.not(toHex(claimMacOf(crypto, claim, net.network, { ...keys, staticKey: filled(32, 3) })), derived[3]);
});

test('a claim is proved for the keys that signed it in its network', t => {
  const claim = filled(16, 5);
  const keys = { signingKey: filled(32, 1), staticKey: filled(32, 2) };
  const { publicKey } = claimKeyPairOf(crypto, claim);
  const signature = signClaim(crypto, claim, net.network, keys);

  t.true(verifyClaim(crypto, publicKey, net.network, keys, signature));
  t.false(verifyClaim(crypto, publicKey, new TestNetwork(7).network, keys, signature));
  t.false(verifyClaim(crypto, publicKey, net.network, { ...keys, signingKey: filled(32, 9) }, signature));
  t.false(verifyClaim(crypto, claimKeyPairOf(crypto, filled(16, 6)).publicKey, net.network, keys, signature));
});

test('node keys come back from the store', t => {
  const keys = createNodeKeys(crypto, net.random);

  t.deepEqual(decodeNodeKeys(crypto, encodeNodeKeys(keys)), { ok: true, value: keys });
  t.false(decodeNodeKeys(crypto, encodeNodeKeys(keys).slice(1)).ok);
  t.false(decodeNodeKeys(crypto, filled(65, 2)).ok);
});

test('random ids and serials stay in their ranges', t => {
  const edges = [0, 0xff].map(byte => {
    let calls = 0;
    return { fill: (into: Uint8Array) => void into.fill(calls++ < 2 ? byte : 1) };
  });
  for (const random of [...edges, net.random]) {
    const serial = randomSerial(random);
    t.true(Number.isSafeInteger(serial) && serial > 0);
    const nodeId = randomNodeId(random);
    t.true(Number.isInteger(nodeId) && nodeId > 0 && nodeId < 2 ** 32);
  }
});

test('good names are accepted and bad ones named', t => {
  for (const name of ['Desk', 'Küche – 💡', 'a b', 'x'.repeat(64), '17', 'a#b'])
    t.is(nodeNameProblem(name), undefined);
  const bad: [name: string, problem: RegExp][] = [
    ['', /is empty/],
    ['x'.repeat(65), /longer than 64 bytes/],
    ['ä'.repeat(33), /longer than 64 bytes/],
    ['Desk/lamp', /slash/],
    ['#17', /begins with #/],
    ['a\nb', /control character/],
    ['a\u202eb', /control character/],
    [' a', /space/],
    ['e\u0301', /NFC/],
  ];
  for (const [name, problem] of bad) t.regex(nodeNameProblem(name) ?? '', problem);
});

test('a network id is 22 letters and comes back from them', t => {
  const text = formatNetworkId(net.network);

  t.is(text.length, 22);
  t.deepEqual(parseNetworkId(text), net.network);
  for (const wrong of ['', text.slice(1), `${text}A`, `${text.slice(0, -1)}!`])
    t.is(parseNetworkId(wrong), undefined);
});

test('a root key file is one line and is checked when read', t => {
  const { root } = net.genesis;
  const text = formatRootKey(crypto, root);

  t.regex(text, /^coconet-root-key-v1 \S{22} \S{43}\n$/);
  t.deepEqual(parseRootKey(crypto, text), root);
  const seed = text.trim().split(' ')[2]!;
  const wrong: [text: string, message: RegExp][] = [
    ['', /begins with coconet-root-key-v1/],
    ['-----BEGIN KEY-----', /begins with coconet-root-key-v1/],
    [text.replace('v1', 'v2'), /only a newer program/],
    [text.slice(0, -5), /damaged or cut off/],
    [`${text} more`, /damaged or cut off/],
    [
      text.replace(seed, seed.startsWith('A') ? `B${seed.slice(1)}` : `A${seed.slice(1)}`),
      /does not belong to its network id/,
    ],
  ];
  for (const [broken, message] of wrong) {
    const error = t.throws(() => parseRootKey(crypto, broken), { message });
    t.false(error.message.includes(seed.slice(5, 20)));
  }
});

test('a new network stands on its root: owner and NMN verify, and nothing else is needed', t => {
  const { genesis, authorization } = net;
  const state = new NetworkState(crypto, net.anchor);

  t.deepEqual(networkIdOf(crypto, genesis.root.publicKey), genesis.network);
  for (const { leaf, issuers } of [genesis.ownerCredential, authorization.nmnCredential]) {
    const result = verifyCredential(crypto, { leaf, issuers }, state.trust(timeAt(daysLater(1))));
    t.true(result.ok);
  }
  t.like(genesis.ownerCredential.leaf, { role: 'owner', kind: 'client', user: 'Ada' });
  t.like(authorization.nmnCredential.leaf, {
    role: 'none',
    kind: 'nmn',
    notAfter: wallTime(BIRTH + 3652 * 86_400_000),
  });
});

test('service numbers are unique and leave the vendors their range', t => {
  const numbers = Object.values(SERVICES);

  t.is(new Set(numbers).size, numbers.length);
  t.true(numbers.every(number => number > 0 && number < FIRST_VENDOR_SERVICE));
  t.is(LAST_SERVICE, 0xffff);
});
