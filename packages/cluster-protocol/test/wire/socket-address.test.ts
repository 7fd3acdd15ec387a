import test from 'ava';
import fc from 'fast-check';
import {
  Reader,
  addressBytes,
  addressScope,
  encodeWith,
  parseSocketAddress,
  readSocketAddress,
  samePrefix,
  socketAddress,
  socketAddressOfBytes,
  writeSocketAddress,
} from '../../src/wire/index.js';

const anyAddress = fc
  .tuple(
    fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc
        .tuple(
          fc.uint8Array({ minLength: 16, maxLength: 16 }),
          fc.uint8Array({ minLength: 16, maxLength: 16 }),
        )
        .map(([bytes, mask]) => bytes.map((byte, i) => (mask[i]! > 128 ? 0 : byte))),
    ),
    fc.integer({ min: 1, max: 65_535 }),
  )
  .map(([bytes, port]) => socketAddressOfBytes(bytes, port)!);

test('an address has one text, which is read again as the same address', t => {
  fc.assert(
    fc.property(anyAddress, address => {
      t.deepEqual(parseSocketAddress(address.key), address);
      t.deepEqual(socketAddress(address.host, address.port), address);
      t.deepEqual(socketAddressOfBytes(addressBytes(address), address.port), address);
    }),
  );
});

test('an address has one encoding, which is read again as the same address', t => {
  fc.assert(
    fc.property(anyAddress, address => {
      const encoded = encodeWith(19, writer => writeSocketAddress(writer, address));
      const reader = new Reader(encoded);

      t.deepEqual(readSocketAddress(reader), address);
      t.true(reader.complete);
      t.is(encoded.length, address.family === 4 ? 7 : 19);
    }),
  );
});

test('any bytes are an address or fail the reader', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), fc.constantFrom(0, 4, 5, 6), (bytes, family) => {
      if (bytes.length > 0) bytes[0] = family;
      const reader = new Reader(bytes);
      t.is(readSocketAddress(reader) === undefined, reader.failed);
    }),
  );
  const mapped = [6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1, 0, 80];
  t.is(readSocketAddress(new Reader(Uint8Array.from(mapped))), undefined, 'one address, one encoding');
});

test('any text is an address or none', t => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({ unit: fc.constantFrom('0', '1', '2', '5', '9', 'a', 'f', ':', '.', '[', ']', '%') }),
      ),
      text => {
        const address = parseSocketAddress(text);
        if (address !== undefined) t.deepEqual(parseSocketAddress(address.key), address);
        t.notThrows(() => socketAddress(text, 1));
      },
    ),
    { numRuns: 500 },
  );
});

test('texts become canonical by RFC 5952', t => {
  const forms: readonly (readonly [string, string | undefined])[] = [
    ['192.0.2.1:80', '192.0.2.1:80'],
    ['[::ffff:192.0.2.1]:80', '192.0.2.1:80'],
    ['[2001:DB8:0:0:0:0:0:1]:80', '[2001:db8::1]:80'],
    ['[2001:db8:0:1:0:0:0:1]:80', '[2001:db8:0:1::1]:80'],
    ['[2001:0:0:1:0:0:0:1]:80', '[2001:0:0:1::1]:80'],
    ['[2001:db8:0:0:1:0:0:1]:80', '[2001:db8::1:0:0:1]:80'],
    ['[2001:db8:0:1:1:1:1:1]:80', '[2001:db8:0:1:1:1:1:1]:80'],
    ['[::]:1', '[::]:1'],
    ['[1::]:1', '[1::]:1'],
    ['[64:ff9b::192.0.2.33]:1', '[64:ff9b::c000:221]:1'],
    ['[fe80::1%eth0]:9', '[fe80::1%eth0]:9'],
    ['[2001:db8::1%eth0]:9', undefined],
    ['192.0.2.1', undefined],
    ['192.0.2.01:80', undefined],
    ['192.0.2.256:80', undefined],
    ['192.0.2:80', undefined],
    ['192.0.2.1:0', undefined],
    ['192.0.2.1:65536', undefined],
    ['[192.0.2.1]:80', undefined],
    ['[1:2:3:4:5:6:7]:80', undefined],
    ['[1:2:3:4:5:6:7:8:9]:80', undefined],
    ['[1::2::3]:80', undefined],
    ['[1:2:3:4:5:6:7::8]:80', undefined],
    ['[:::]:80', undefined],
    ['[12345::]:80', undefined],
    ['[::1.2.3.4:5]:80', undefined],
    ['localhost:80', undefined],
  ];

  for (const [text, expected] of forms) t.is(parseSocketAddress(text)?.key, expected, text);
});

test('addresses are classified by the registries', t => {
  const scopes = {
    '0.0.0.0': 'unspecified',
    '0.1.2.3': 'reserved',
    '127.0.0.1': 'loopback',
    '127.255.0.1': 'loopback',
    '10.1.2.3': 'private',
    '172.15.0.1': 'global',
    '172.16.0.1': 'private',
    '172.31.255.255': 'private',
    '172.32.0.0': 'global',
    '192.168.1.1': 'private',
    '169.254.1.1': 'private',
    '100.64.0.1': 'private',
    '100.128.0.1': 'global',
    '192.0.2.9': 'documentation',
    '198.51.100.9': 'documentation',
    '203.0.113.9': 'documentation',
    '198.18.0.1': 'reserved',
    '224.0.0.1': 'multicast',
    '239.255.255.250': 'multicast',
    '240.0.0.1': 'reserved',
    '255.255.255.255': 'broadcast',
    '8.8.8.8': 'global',
    '::': 'unspecified',
    '::1': 'loopback',
    '::2': 'reserved',
    '::ffff:127.0.0.1': 'loopback',
    'fe80::1': 'private',
    'fd00::1': 'private',
    'ff02::1': 'multicast',
    '2001:db8::1': 'documentation',
    '3fff::1': 'documentation',
    '2606:4700::1': 'global',
    '64:ff9b::8.8.8.8': 'global',
    '64:ff9b::10.0.0.1': 'private',
    '100::1': 'reserved',
  };

  for (const [host, scope] of Object.entries(scopes))
    t.is(addressScope(socketAddress(host, 1)!), scope as never, host);
});

test('a prefix is shared bit by bit', t => {
  const at = (host: string) => socketAddress(host, 1)!;

  t.true(samePrefix(at('192.168.1.1'), at('192.168.1.254'), 24));
  t.false(samePrefix(at('192.168.1.1'), at('192.168.2.1'), 24));
  t.true(samePrefix(at('192.168.2.1'), at('192.168.3.1'), 23));
  t.true(samePrefix(at('1.2.3.4'), at('9.9.9.9'), 0));
  t.false(samePrefix(at('1.2.3.4'), at('1.2.3.5'), 32));
  t.true(samePrefix(at('2001:db8::1'), at('2001:db8::ffff'), 64));
  t.false(samePrefix(at('2001:db8::1'), at('192.0.2.1'), 0));
  t.false(samePrefix(at('1.2.3.4'), at('1.2.3.4'), 33));
});
