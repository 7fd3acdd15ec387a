import { createRequire } from 'node:module';
import test from 'ava';
import fc from 'fast-check';
import { fromHex } from '../../src/base/index.js';
import {
  decodeStun,
  encodeStun,
  isStun,
  parseSocketAddress,
  socketAddressOfBytes,
} from '../../src/wire/index.js';

interface StunPeer {
  readonly constants: { readonly STUN_BINDING_REQUEST: number; readonly STUN_BINDING_RESPONSE: number };
  createMessage(type: number): StunPeerMessage;
  encode(message: StunPeerMessage): Buffer;
  decode(bytes: Buffer): StunPeerMessage;
  validateFingerprint(message: StunPeerMessage): boolean;
}
interface StunPeerMessage {
  readonly type: number;
  readonly transactionId: Buffer;
  addFingerprint(): void;
  addSoftware(text: string): void;
  addXorAddress(address: string, port: number): void;
  addAddress(address: string, port: number): void;
  getXorAddress(): { address: string; port: number; family: string };
}
const peer = createRequire(import.meta.url)('stun') as StunPeer;

/** RFC 5769, sections 2.1 to 2.3. */
const REQUEST =
  '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf';
const RESPONSE_4 =
  '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96';
const RESPONSE_6 =
  '010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c';
const TRANSACTION = fromHex('b7e7a701bc34d686fa87dfae')!;

const transactionIds = fc.uint8Array({ minLength: 12, maxLength: 12 });
const addresses = fc
  .tuple(
    fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
    fc.integer({ min: 1, max: 65_535 }),
  )
  .map(([bytes, port]) => socketAddressOfBytes(bytes, port)!);

test('the sample messages of RFC 5769 are understood', t => {
  t.deepEqual(decodeStun(fromHex(REQUEST)!), {
    kind: 'request',
    transactionId: TRANSACTION,
    software: 'STUN test client',
  });
  t.deepEqual(decodeStun(fromHex(RESPONSE_4)!), {
    kind: 'success',
    transactionId: TRANSACTION,
    address: parseSocketAddress('192.0.2.1:32853')!,
    software: 'test vector',
  });
  t.deepEqual(decodeStun(fromHex(RESPONSE_6)!), {
    kind: 'success',
    transactionId: TRANSACTION,
    address: parseSocketAddress('[2001:db8:1234:5678:11:2233:4455:6677]:32853')!,
    software: 'test vector',
  });
});

test('a flipped bit of a sample message is noticed, or hides the fingerprint and changes nothing else', t => {
  const sample = fromHex(RESPONSE_4)!;
  for (let bit = 0; bit < 8 * sample.length; bit++) {
    const changed = sample.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    const decoded = decodeStun(changed);
    if (decoded !== undefined) t.deepEqual(decoded, decodeStun(sample), `bit ${bit}`);
  }
});

test('what is written is read again', t => {
  fc.assert(
    fc.property(
      transactionIds,
      addresses,
      fc.option(fc.string({ maxLength: 40 }), { nil: undefined }),
      (transactionId, address, text) => {
        const software =
          text === undefined ? {} : { software: new TextDecoder().decode(new TextEncoder().encode(text)) };

        t.deepEqual(decodeStun(encodeStun({ kind: 'request', transactionId, ...software })), {
          kind: 'request',
          transactionId,
          ...software,
        });
        const success = { kind: 'success' as const, transactionId, address, ...software };
        t.deepEqual(decodeStun(encodeStun(success)), success);
      },
    ),
  );
});

test('any bytes are a message or none', t => {
  const header = fromHex('010100002112a442')!;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, likely) => {
      if (likely && noise.length >= 20) {
        noise.set(header);
        noise[3] = noise.length - 20;
      }
      t.notThrows(() => decodeStun(noise));
      t.is(isStun(new Uint8Array(noise.length)), false);
    }),
    { numRuns: 2_000 },
  );
});

test('another implementation reads what we write', t => {
  fc.assert(
    fc.property(transactionIds, addresses, (transactionId, address) => {
      const request = peer.decode(Buffer.from(encodeStun({ kind: 'request', transactionId })));
      t.is(request.type, peer.constants.STUN_BINDING_REQUEST);
      t.deepEqual(new Uint8Array(request.transactionId), transactionId);
      t.true(peer.validateFingerprint(request));

      const success = peer.decode(Buffer.from(encodeStun({ kind: 'success', transactionId, address })));
      const seen = success.getXorAddress();
      t.is(
        parseSocketAddress(
          address.family === 4 ? `${seen.address}:${seen.port}` : `[${seen.address}]:${seen.port}`,
        )?.key,
        address.key,
      );
      t.true(peer.validateFingerprint(success));
    }),
  );
});

test('we read what another implementation writes, XOR-MAPPED-ADDRESS or the old MAPPED-ADDRESS', t => {
  for (const [host, port] of [
    ['198.51.100.7', 4_242],
    ['2001:db8::42', 65_535],
  ] as const) {
    for (const add of ['addXorAddress', 'addAddress'] as const) {
      const message = peer.createMessage(peer.constants.STUN_BINDING_RESPONSE);
      message.addSoftware('peer');
      message[add](host, port);
      message.addFingerprint();

      const decoded = decodeStun(peer.encode(message));

      t.is(decoded?.kind === 'success' ? decoded.address.host : undefined, host);
      t.is(decoded?.software, 'peer');
    }
  }
});

test('a response without an address, or with an unknown attribute that must be understood, is none', t => {
  t.is(decodeStun(fromHex('010100002112a442b7e7a701bc34d686fa87dfae')!), undefined);
  t.is(decodeStun(fromHex('000100042112a442b7e7a701bc34d686fa87dfae00030000')!), undefined);
  t.deepEqual(decodeStun(fromHex('000100042112a442b7e7a701bc34d686fa87dfae80030000')!), {
    kind: 'request',
    transactionId: TRANSACTION,
  });
});
