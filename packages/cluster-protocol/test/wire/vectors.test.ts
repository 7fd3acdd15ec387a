import { readFileSync } from 'node:fs';
import test from 'ava';
import { fromHex, toHex } from '../../src/base/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import {
  DATA_HEADER,
  Reader,
  addressScope,
  dataPacketNumber,
  dataReceiverIndex,
  decodeStun,
  encodeFrames,
  encodeStun,
  firstByte,
  isDataPacket,
  parseSocketAddress,
  readFrames,
  readSocketAddress,
  readVarint,
  relayChannel,
  varintLength,
  writeVarint,
  type Frame,
  type PacketKind,
} from '../../src/wire/index.js';

interface Vectors {
  readonly varints: readonly { readonly value: number; readonly hex: string }[];
  readonly varintsRefused: readonly string[];
  readonly firstBytes: Readonly<Record<PacketKind, string>>;
  readonly addresses: readonly { readonly text: string; readonly scope: string; readonly hex: string }[];
  readonly addressesRefused: readonly string[];
  readonly relay: { readonly channel: number; readonly hex: string };
  readonly frames: readonly { readonly frames: readonly Record<string, unknown>[]; readonly hex: string }[];
  readonly framesRefused: readonly string[];
  readonly packets: {
    readonly key: string;
    readonly packets: readonly {
      readonly number: number;
      readonly receiverIndex: number;
      readonly frames: string;
      readonly packet: string;
    }[];
  };
  readonly stun: {
    readonly request: { readonly transactionId: string; readonly hex: string };
    readonly success: { readonly transactionId: string; readonly address: string; readonly hex: string };
  };
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../test-vectors/wire.json', import.meta.url), 'utf8'),
) as Vectors;
const bytesOf = (hex: string): Uint8Array => fromHex(hex)!;

test('integers are as in the vectors, and have no other form', t => {
  for (const { value, hex } of vectors.varints) {
    const bytes = new Uint8Array(varintLength(value));
    writeVarint(bytes, 0, value);
    t.is(toHex(bytes), hex);
    t.is(readVarint(bytes, 0), value);
  }
  for (const hex of vectors.varintsRefused) t.is(readVarint(bytesOf(hex), 0), -1, hex);
});

test('first bytes and headers are as in the vectors', t => {
  for (const [kind, hex] of Object.entries(vectors.firstBytes)) {
    t.is(toHex(Uint8Array.of(firstByte(kind as PacketKind))), hex);
  }
  t.is(relayChannel(bytesOf(vectors.relay.hex)), vectors.relay.channel);
});

test('addresses are as in the vectors', t => {
  for (const { text, scope, hex } of vectors.addresses) {
    const address = readSocketAddress(new Reader(bytesOf(hex)))!;
    t.is(address.key, text);
    t.is(addressScope(address), scope as never);
  }
  for (const hex of vectors.addressesRefused) {
    const reader = new Reader(bytesOf(hex));
    t.true(readSocketAddress(reader) === undefined || !reader.complete, hex);
  }
});

test('frames are as in the vectors, both ways', t => {
  for (const { frames, hex } of vectors.frames) {
    const expected = frames.map(frame =>
      typeof frame.bytes === 'string' ? { ...frame, bytes: bytesOf(frame.bytes) } : frame,
    ) as unknown as readonly Frame[];
    const read = readFrames(bytesOf(hex));

    t.is(toHex(encodeFrames(expected)), hex);
    t.true(read.ok);
    if (read.ok) t.deepEqual(read.value, expected);
  }
  for (const hex of vectors.framesRefused) t.false(readFrames(bytesOf(hex)).ok, hex);
});

test('data packets open as in the vectors', async t => {
  const provider = await createCryptoProvider();
  const key = provider.aeadKey(bytesOf(vectors.packets.key));
  for (const { number, receiverIndex, frames, packet } of vectors.packets.packets) {
    const bytes = bytesOf(packet);
    t.true(isDataPacket(bytes));
    t.is(dataReceiverIndex(bytes), receiverIndex);
    t.is(dataPacketNumber(bytes), number % 2 ** 32);

    const length = key.openInPlace(
      Math.floor(number / 2 ** 32),
      number >>> 0,
      bytes,
      DATA_HEADER,
      bytes.length,
    );

    t.is(toHex(bytes.subarray(DATA_HEADER, DATA_HEADER + length)), frames);
  }
});

test('STUN messages are as in the vectors', t => {
  const { request, success } = vectors.stun;
  const address = parseSocketAddress(success.address)!;

  t.is(toHex(encodeStun({ kind: 'request', transactionId: bytesOf(request.transactionId) })), request.hex);
  t.is(
    toHex(encodeStun({ kind: 'success', transactionId: bytesOf(success.transactionId), address })),
    success.hex,
  );
  t.is(decodeStun(bytesOf(request.hex))?.kind, 'request');
  t.like(decodeStun(bytesOf(success.hex)), { kind: 'success', address });
});
