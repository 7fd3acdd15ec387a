import test from 'ava';
import fc from 'fast-check';
import {
  PACKET_KINDS,
  datagramKind,
  dataKeyPhase,
  dataPacketNumber,
  dataReceiverIndex,
  describeDatagram,
  firstByte,
  isDataPacket,
  isRelayPacket,
  packetFlags,
  packetKind,
  relayChannel,
  writeDataHeader,
  writeRelayHeader,
} from '../../src/wire/index.js';

const uint32 = fc.nat({ max: 0xffff_ffff });

test('every kind has a first byte of its own, clear of STUN, DTLS, TURN and RTP', t => {
  const bytes = new Set<number>();
  for (const kind of PACKET_KINDS) {
    for (let flags = 0; flags < 4; flags++) {
      const byte = firstByte(kind, flags);
      bytes.add(byte);
      t.is(packetKind(byte), kind);
      t.is(packetFlags(byte), flags);
      t.true(byte >= 192);
    }
  }

  t.is(bytes.size, 4 * PACKET_KINDS.length);
  for (let byte = 0; byte < 256; byte++) if (!bytes.has(byte)) t.is(packetKind(byte), undefined);
});

test('a data header is read as it was written', t => {
  fc.assert(
    fc.property(uint32, uint32, fc.constantFrom(0 as const, 1 as const), (index, number, phase) => {
      const packet = new Uint8Array(40);

      t.is(writeDataHeader(packet, phase, index, number), 9);

      t.true(isDataPacket(packet));
      t.deepEqual(
        [dataReceiverIndex(packet), dataPacketNumber(packet), dataKeyPhase(packet)],
        [index, number, phase],
      );
    }),
  );
});

test('a relay header is read as it was written, and the packet inside described', t => {
  const datagram = new Uint8Array(45);
  const inside = writeRelayHeader(datagram, 0xfedcba98);
  writeDataHeader(datagram.subarray(inside), 0, 0x01020304, 77);

  t.true(isRelayPacket(datagram));
  t.is(relayChannel(datagram), 0xfedcba98);
  t.is(describeDatagram(datagram), 'relay channel=fedcba98 [data index=01020304 number=…77 frames=15 B]');
});

test('any bytes have a kind or none and can be described', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
      t.is(typeof describeDatagram(bytes), 'string');
      t.is(datagramKind(bytes), bytes.length === 0 ? undefined : packetKind(bytes[0]!));
    }),
  );
  t.false(
    isDataPacket(new Uint8Array(25).fill(firstByte('data'))),
    'a data packet has at least one byte of frames',
  );
  t.false(isRelayPacket(new Uint8Array(5).fill(firstByte('relay'))), 'a relay packet has something inside');
});
