import test from 'ava';
import fc from 'fast-check';
import {
  decodeRendezvous,
  encodeRendezvous,
  MAX_CARRIED_HANDSHAKE,
  MAX_OBSERVED_ADDRESSES,
  type RendezvousMessage,
} from '../../src/network/index.js';
import { sameBytes } from '../../src/base/index.js';
import { type SocketAddress, socketAddress } from '../../src/wire/index.js';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const count = fc.nat();
const address: fc.Arbitrary<SocketAddress> = fc
  .tuple(fc.oneof(fc.ipV4(), fc.constant('2001:db8::1')), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => socketAddress(host, port)!);
const observed = fc.array(address, { maxLength: MAX_OBSERVED_ADDRESSES });
const token = fc.uint8Array({ minLength: 16, maxLength: 16 });
const lease = { channel: u32, lifetime: count, token };
const handshake = fc.uint8Array({ maxLength: MAX_CARRIED_HANDSHAKE });
const kind = <K extends RendezvousMessage['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);

const message: fc.Arbitrary<RendezvousMessage> = fc.oneof(
  fc.record({ kind: kind('connect'), peer: u32, handshake }),
  fc.record({ kind: kind('punchRequest'), peer: u32 }),
  fc.record({ kind: kind('renewLease'), channel: u32, token }),
  fc.record({ kind: kind('releaseLease'), channel: u32 }),
  fc.record({ kind: kind('granted'), peer: u32, observed, ...lease }),
  fc.record({
    kind: kind('refused'),
    peer: u32,
    reason: fc.constantFrom('unknownPeer', 'away', 'notPermitted', 'rateLimited'),
  }),
  fc.record({ kind: kind('introduction'), peer: u32, observed, handshake, ...lease }),
  fc.record({ kind: kind('punch'), peer: u32, startIn: count, observed }),
  fc.record({
    kind: kind('presence'),
    complete: fc.boolean(),
    entries: fc.array(
      fc.record({ nodeId: u32, online: fc.boolean(), lastSeen: fc.integer({ min: 0, max: 2 ** 48 - 1 }) }),
      { maxLength: 20 },
    ),
  }),
  fc.record({ kind: kind('observed'), address }),
  fc.record({ kind: kind('shaped'), channel: u32, droppedBytes: count, bytesPerSecond: count }),
  fc.record({ kind: kind('renewed'), ...lease }),
);

test('every message comes back from its bytes, in one encoding', t => {
  fc.assert(
    fc.property(message, value => {
      const encoded = encodeRendezvous(value);
      const decoded = decodeRendezvous(encoded);
      return (
        decoded.ok && decoded.value.kind === value.kind && sameBytes(encodeRendezvous(decoded.value), encoded)
      );
    }),
  );
  t.pass();
});

test('any bytes are a message or malformed, and never throw', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 24 }), (bytes, type) => {
      const decoded = decodeRendezvous(Uint8Array.of(type, ...bytes));
      return decoded.ok || decoded.reason === 'malformed';
    }),
  );
  t.pass();
});

test('an introduction at its longest fits one datagram', t => {
  const longest = encodeRendezvous({
    kind: 'introduction',
    peer: 0xffff_ffff,
    channel: 0xffff_ffff,
    lifetime: 86_400,
    token: new Uint8Array(16),
    observed: Array.from({ length: MAX_OBSERVED_ADDRESSES }, () => socketAddress('2001:db8::1', 65_535)!),
    handshake: new Uint8Array(MAX_CARRIED_HANDSHAKE),
  });

  t.log(`${longest.length} bytes`);
  t.true(longest.length <= 1_195 - 25 - 4);
});
