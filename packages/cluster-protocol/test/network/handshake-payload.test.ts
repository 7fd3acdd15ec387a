import test from 'ava';
import fc from 'fast-check';
import { sameBytes } from '../../src/base/index.js';
import {
  decodeHandshakePayload,
  encodeHandshakePayload,
  type HandshakePayload,
  MAX_HANDSHAKE_CREDENTIAL,
} from '../../src/network/index.js';
import { MAX_HANDSHAKE_PAYLOAD } from '../../src/session/index.js';
import { MAX_VARINT } from '../../src/wire/index.js';

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const empty = fc.constant(new Uint8Array(0));
const varint = fc.oneof(fc.nat(), fc.constant(MAX_VARINT));
const common = {
  network: bytes(16),
  bootCounter: varint,
  uptime: varint,
  features: varint,
  epoch: varint,
  authorityNumber: varint,
  stateVersion: varint,
  outboxIncarnation: bytes(8),
  inboxIncarnation: bytes(8),
};
const credential = fc.oneof(
  fc.uint8Array({ maxLength: MAX_HANDSHAKE_CREDENTIAL }),
  bytes(MAX_HANDSHAKE_CREDENTIAL),
);
const payload: fc.Arbitrary<HandshakePayload> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('member', 'join', 'nmn', 'catchUp'),
    ...common,
    credential,
    claimId: empty,
    rootKey: fc.oneof(empty, bytes(32)),
  }),
  fc.record({
    kind: fc.constant('join' as const),
    ...common,
    credential: empty,
    claimId: bytes(16),
    rootKey: empty,
  }),
);

test('every payload comes back from its bytes, and the longest fits message 1', t => {
  fc.assert(
    fc.property(payload, value => {
      const encoded = encodeHandshakePayload(value);
      const decoded = decodeHandshakePayload(encoded);
      if (!decoded.ok || encoded.length > MAX_HANDSHAKE_PAYLOAD) return false;
      return decoded.value.kind === value.kind && sameBytes(encodeHandshakePayload(decoded.value), encoded);
    }),
  );
  t.pass();
});

test('the bound is reached by the longest payload there is, and by none other', t => {
  const [longest] = fc.sample(
    fc.record({
      kind: fc.constant('join' as const),
      ...common,
      credential: bytes(MAX_HANDSHAKE_CREDENTIAL),
      claimId: empty,
      rootKey: bytes(32),
    }),
    1,
  );
  const most = Object.fromEntries(
    ['bootCounter', 'uptime', 'features', 'epoch', 'authorityNumber', 'stateVersion'].map(name => [
      name,
      MAX_VARINT,
    ]),
  );

  t.is(encodeHandshakePayload({ ...longest!, ...most }).length, MAX_HANDSHAKE_PAYLOAD);
});

test('any bytes are a payload or malformed, and never throw', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_000 }), random => {
      const decoded = decodeHandshakePayload(random);
      return decoded.ok || decoded.reason === 'malformed';
    }),
  );
  t.pass();
});

test('a credential longer than a handshake has room for is malformed', t => {
  const [value] = fc.sample(payload, 1);
  const encoded = encodeHandshakePayload({
    ...value!,
    credential: new Uint8Array(0),
    claimId: new Uint8Array(0),
    rootKey: new Uint8Array(0),
  });
  const long = new Uint8Array(encoded.length + MAX_HANDSHAKE_CREDENTIAL + 10);
  long.set(encoded.subarray(0, -3));
  const at = encoded.length - 3;
  const length = MAX_HANDSHAKE_CREDENTIAL + 1;
  long.set([0x40 | (length >> 8), length & 0xff], at);

  t.deepEqual(decodeHandshakePayload(long), { ok: false, reason: 'malformed' });
});
