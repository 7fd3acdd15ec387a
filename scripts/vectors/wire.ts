/**
 * Computes test-vectors/wire.json: integers, addresses, headers, frames, whole data packets, STUN.
 *
 *   npx tsx --conditions=coconet-source scripts/vectors/wire.ts > test-vectors/wire.json
 */
import { toHex } from '../../packages/cluster-protocol/src/base/index.js';
import type { AeadKey } from '../../packages/cluster-protocol/src/crypto/index.js';
import { createCryptoProvider } from '../../packages/cluster-protocol/src/nodejs/crypto-provider.js';
import {
  DATA_HEADER,
  PACKET_KINDS,
  TAG,
  addressScope,
  encodeFrames,
  encodeStun,
  encodeWith,
  firstByte,
  parseSocketAddress,
  socketAddress,
  writeDataHeader,
  writeRelayHeader,
  writeSocketAddress,
  writeVarint,
  varintLength,
  type Frame,
} from '../../packages/cluster-protocol/src/wire/index.js';

const provider = await createCryptoProvider();

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
const written = (length: number, write: (into: Uint8Array) => void): string => {
  const bytes = new Uint8Array(length);
  write(bytes);
  return toHex(bytes);
};
/** A frame with its bytes as hexadecimal text. */
const readable = (frame: Frame): object =>
  'bytes' in frame ? { ...frame, bytes: toHex(frame.bytes) } : frame;

const frames: readonly (readonly Frame[])[] = [
  [{ type: 'ping' }],
  [{ type: 'ping' }, { type: 'padding', length: 3 }],
  [{ type: 'ack', delay: 0, ranges: [{ first: 0, last: 0 }] }],
  [
    {
      type: 'ack',
      delay: 25,
      ranges: [
        { first: 90, last: 100 },
        { first: 70, last: 80 },
        { first: 5, last: 5 },
      ],
    },
  ],
  [
    {
      type: 'firstFragment',
      sequence: 300,
      total: 3,
      service: 4,
      floor: 298,
      priority: 4,
      bytes: Uint8Array.of(1, 2, 3),
    },
  ],
  [
    {
      type: 'firstFragment',
      sequence: 0,
      total: 0,
      service: 0x8000,
      floor: 0,
      priority: 7,
      bytes: new Uint8Array(0),
    },
  ],
  [{ type: 'fragment', sequence: 2 ** 40, offset: 1_100, bytes: filled(5, 0xaa) }],
  [{ type: 'datagram', service: 9, bytes: Uint8Array.of(0xff) }],
  [{ type: 'pathChallenge', high: 0x01020304, low: 0x05060708 }],
  [{ type: 'pathResponse', high: 0xfffefdfc, low: 0xfbfaf9f8 }],
  [{ type: 'close', code: 0x100, reason: 'größer' }],
  [{ type: 'control', number: 64, control: 2, bytes: filled(4, 0x77) }],
  [{ type: 'ackFrequency', request: 3, every: 8, delay: 5 }],
  [{ type: 'ackFrequency', request: 70, every: 255, delay: 25 }, { type: 'immediateAck' }],
  [{ type: 'rekeyOffer', generation: 1, bytes: filled(48, 0x6f) }],
  [{ type: 'rekeyAnswer', generation: 70, bytes: filled(48, 0x70) }, { type: 'ping' }],
  [{ type: 'streamOpen', id: 0, service: 9, priority: 4, fin: false, bytes: filled(3, 0x5a) }],
  [{ type: 'streamOpen', id: 6, service: 0x8001, priority: 0, fin: true, bytes: new Uint8Array(0) }],
  [{ type: 'stream', id: 1, offset: 2 ** 33, fin: false, bytes: filled(4, 0x5b) }],
  [{ type: 'stream', id: 1, offset: 70_000, fin: true, bytes: new Uint8Array(0) }],
  [{ type: 'streamCredit', id: 5, credit: 262_144 }],
  [{ type: 'sessionCredit', credit: 1_048_576, streams: 192, oneWayStreams: 128 }],
  [{ type: 'streamReset', id: 5, code: 0x100, finalSize: 65_536 }],
  [{ type: 'streamStop', id: 7, code: 1 }],
  [{ type: 'messageGrant', sequence: 70 }],
  [{ type: 'messageRepeat', sequence: 2 ** 33 }],
  [{ type: 'messageAbandon', sequence: 1_100, floor: 77 }],
  [{ type: 'unknown', number: 0x41, bytes: filled(2, 0x33) }, { type: 'ping' }],
];

const key: AeadKey = provider.aeadKey(filled(32, 0x42));
const packets = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7].map(number => {
  const plaintext = encodeFrames([
    { type: 'ping' },
    { type: 'datagram', service: 1, bytes: filled(4, 0x11) },
  ]);
  const packet = new Uint8Array(DATA_HEADER + plaintext.length + TAG);
  writeDataHeader(packet, 0, 0xcafef00d, number % 2 ** 32);
  packet.set(plaintext, DATA_HEADER);
  key.sealInPlace(Math.floor(number / 2 ** 32), number >>> 0, packet, DATA_HEADER, plaintext.length);
  return { number, receiverIndex: 0xcafef00d, frames: toHex(plaintext), packet: toHex(packet) };
});

const texts = [
  '192.0.2.1:80',
  '[2001:db8::1]:65535',
  '[::1]:1',
  '[fe80::1]:5353',
  '10.0.0.1:9',
  '100.64.0.1:9',
  '8.8.8.8:53',
];
const transactionId = Uint8Array.from({ length: 12 }, (_, i) => i);

console.log(
  JSON.stringify(
    {
      description: 'Our wire, docs/spec/01-wire.md and 03-session.md. All bytes are hexadecimal.',
      varints: [0, 63, 64, 16_383, 16_384, 2 ** 30 - 1, 2 ** 30, Number.MAX_SAFE_INTEGER].map(value => ({
        value,
        hex: written(varintLength(value), into => writeVarint(into, 0, value)),
      })),
      varintsRefused: ['4000', '403f', '80000000', 'c000000000000001', 'c020000000000000', '40', 'ff'],
      firstBytes: Object.fromEntries(PACKET_KINDS.map(kind => [kind, toHex(Uint8Array.of(firstByte(kind)))])),
      addresses: texts.map(text => {
        const address = parseSocketAddress(text)!;
        return {
          text,
          scope: addressScope(address),
          hex: toHex(encodeWith(19, writer => writeSocketAddress(writer, address))),
        };
      }),
      addressesRefused: [
        '00',
        '05c000020100500000',
        '04c00002010000',
        '0600000000000000000000ffffc00002010050',
      ],
      relay: { channel: 0x01020304, hex: written(5, into => writeRelayHeader(into, 0x01020304)) },
      frames: frames.map(list => ({ frames: list.map(readable), hex: toHex(encodeFrames(list)) })),
      framesRefused: [
        '',
        '10',
        '20',
        '0a',
        '0c',
        '0c014001',
        `0d014101${'00'.repeat(257)}`,
        '0e',
        '0a010000',
        '0a01410000',
        '0205000106',
        '03010001ff',
        '06010203',
        '400501',
        '1000',
        '12000100',
        '1200000141',
        '1300000000',
        '1000040800',
        '150101',
        '1600',
        '18',
        '1a0506',
        '1a4400',
      ],
      packets: { key: toHex(filled(32, 0x42)), packets },
      stun: {
        request: {
          transactionId: toHex(transactionId),
          hex: toHex(encodeStun({ kind: 'request', transactionId })),
        },
        success: {
          transactionId: toHex(transactionId),
          address: '203.0.113.5:40000',
          hex: toHex(
            encodeStun({ kind: 'success', transactionId, address: socketAddress('203.0.113.5', 40_000)! }),
          ),
        },
      },
    },
    undefined,
    2,
  ),
);
