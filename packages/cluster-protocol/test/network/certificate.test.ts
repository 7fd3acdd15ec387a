import test from 'ava';
import fc from 'fast-check';
import { concatBytes, encodeText, fromHex, toHex, wallTime } from '../../src/base/index.js';
import {
  MAX_CERTIFICATE_LENGTH,
  decodeCertificate,
  decodeCredential,
  encodeCertificate,
  encodeCredential,
  isSignedBy,
  keyIdOf,
  readExtensions,
  signMembership,
  verifyCredential,
} from '../../src/network/index.js';
import type {
  MembershipCertificate,
  MembershipFields,
  VerificationContext,
} from '../../src/network/index.js';
import { Reader } from '../../src/wire/index.js';
import { TestNetwork, crypto, daysLater, timeAt } from './fixture.js';

const home = new TestNetwork(1);
const abroad = new TestNetwork(2);

const context = (net = home): VerificationContext => ({
  ...net.anchor,
  time: timeAt(daysLater(1)),
  isRevoked: () => false,
  isRetired: () => false,
  inviter: () => ({ certificate: net.owner.credential.leaf }),
});

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map(wallTime);
const extensions = fc
  .uniqueArray(
    fc.record({ id: fc.nat(70_000), critical: fc.boolean(), bytes: fc.uint8Array({ maxLength: 40 }) }),
    {
      maxLength: 4,
      selector: ({ id }) => id,
    },
  )
  .map(list => list.sort((a, b) => a.id - b.id));
const fields: fc.Arbitrary<MembershipFields> = fc.record({
  network: bytes(16),
  nodeId: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  kind: fc.constantFrom('device', 'client', 'service', 'nmn'),
  signingKey: bytes(32),
  staticKey: bytes(32),
  user: fc.string({ maxLength: 16, unit: 'grapheme' }).filter(text => encodeText(text).length <= 64),
  role: fc.constantFrom('none', 'guest', 'admin', 'owner'),
  issuedAt: time,
  notBefore: time,
  notAfter: time,
  serial: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  stateVersion: fc.record({ authorityNumber: fc.nat(), version: fc.maxSafeNat() }),
  extensions,
});

test('a certificate comes back from its bytes and has one encoding', t => {
  fc.assert(
    fc.property(fields, content => {
      const certificate = signMembership(crypto, home.authorityKeys, content);

      const encoded = encodeCertificate(certificate);
      const decoded = decodeCertificate(encoded);

      t.true(decoded.ok && toHex(encodeCertificate(decoded.value)) === toHex(encoded));
      t.deepEqual(decoded.ok && decoded.value, certificate);
    }),
    { numRuns: 100 },
  );
});

test('any bytes are a certificate or malformed, and never throw', t => {
  const real = encodeCertificate(home.admit('lamp').credential.leaf);
  const mutated = fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 6 }).map(changes => {
    const copy = real.slice();
    for (const [at, value] of changes) copy[at] = value;
    return copy;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 1100 }), mutated), input => {
      const decoded = decodeCertificate(input);

      if (decoded.ok) t.deepEqual(encodeCertificate(decoded.value), input);
      decodeCredential(input);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('a plain membership certificate is small', t => {
  const encoded = encodeCertificate(home.admit('lamp', { user: 'Ada Lovelace' }).credential.leaf);

  t.true(encoded.length <= 230, `${encoded.length} bytes`);
});

test('a certificate longer than the limit is malformed', t => {
  t.false(decodeCertificate(new Uint8Array(MAX_CERTIFICATE_LENGTH + 1).fill(1)).ok);
});

test('each flipped bit of a real credential makes it worthless', t => {
  const admin = home.invite('Bob', 'admin');
  for (const node of [home.owner, home.admit('lamp'), admin]) {
    const good = encodeCredential(node.credential);
    const decoded = decodeCredential(good);
    t.true(decoded.ok && verifyCredential(crypto, decoded.value, context()).ok);

    let accepted = 0;
    for (let bit = 0; bit < 8 * good.length; bit++) {
      const forged = good.slice();
      forged[bit >> 3]! ^= 1 << (bit & 7);
      const credential = decodeCredential(forged);
      if (credential.ok && verifyCredential(crypto, credential.value, context()).ok) accepted++;
    }

    t.is(accepted, 0);
  }
});

test('a field of another valid certificate does not fit', t => {
  const first = home.admit('lamp', { user: 'Ada', role: 'guest' }).credential;
  const other = home.invite('Bob', 'admin', home.owner.keys.signing, {
    leaf: {
      issuedAt: daysLater(0.1),
      notBefore: daysLater(0.2),
      notAfter: daysLater(90),
      stateVersion: { authorityNumber: 1, version: 9 },
    },
  }).credential.leaf;
  const foreign = abroad.admit('lamp').credential.leaf;

  for (const field of Object.keys(first.leaf) as (keyof MembershipCertificate)[]) {
    if (field === 'type') continue;
    const source = field === 'network' || field === 'issuer' ? foreign : other;
    t.notDeepEqual(first.leaf[field], source[field], field);
    const forged = { ...first.leaf, [field]: source[field] } as MembershipCertificate;

    const result = verifyCredential(crypto, { ...first, leaf: forged }, context());

    t.false(result.ok, field);
  }
});

test('a signature under another label is refused', t => {
  const { leaf, issuers } = home.admit('lamp').credential;
  const body = encodeCertificate(leaf).slice(0, -64);
  for (const label of ['coconet authority v1', 'coconet record v1', 'coconet certificate v2', '']) {
    const signature = crypto.sign(home.authorityKeys, concatBytes(encodeText(label), Uint8Array.of(0), body));

    const result = verifyCredential(crypto, { leaf: { ...leaf, signature }, issuers }, context());

    t.deepEqual(result, { ok: false, refusal: 'badSignature' });
  }
});

test('a signature whose S was raised by the group order is refused', t => {
  const { leaf, issuers } = home.admit('lamp').credential;
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const littleEndian = [...leaf.signature.subarray(32)].reverse();
  const raised = (BigInt(`0x${toHex(Uint8Array.from(littleEndian))}`) + order).toString(16).padStart(64, '0');
  const signature = concatBytes(leaf.signature.subarray(0, 32), fromHex(raised)!.reverse());

  const result = verifyCredential(crypto, { leaf: { ...leaf, signature }, issuers }, context());

  t.deepEqual(result, { ok: false, refusal: 'badSignature' });
});

test('a key of small order signs nothing', t => {
  const neutral = new Uint8Array(32);
  neutral[0] = 1;
  const { leaf } = home.owner.credential;
  const signature = concatBytes(neutral, new Uint8Array(32)); // Valid for every message where such keys are allowed.
  const forged = { ...leaf, issuer: keyIdOf(crypto, neutral), signature };

  t.false(isSignedBy(crypto, forged, neutral));
});

test('extensions come in ascending order, each once', t => {
  const read = (...ids: readonly number[]): boolean => {
    const reader = new Reader(Uint8Array.from([ids.length, ...ids.flatMap(id => [id, 0, 0])]));
    readExtensions(reader);
    return reader.complete;
  };

  t.true(read());
  t.true(read(1, 2, 9));
  t.false(read(1, 1));
  t.false(read(2, 1));
});
