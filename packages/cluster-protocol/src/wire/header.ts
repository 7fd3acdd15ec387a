import {
  DATA_HEADER,
  FLAG_KEY_PHASE,
  MIN_DATA_PACKET,
  RELAY_HEADER,
  firstByte,
  packetFlags,
  packetKind,
} from './constants.js';

/*
 * data     0        1               5                9                              −16
 *          +--------+---------------+----------------+-------------------------------+-----+
 *          | kind,f | receiver index| packet number  | frames, encrypted             | tag |
 *          +--------+---------------+----------------+-------------------------------+-----+
 *           \_______________ associated data _______/
 *
 * relay    0        1               5
 *          +--------+---------------+-----------------------------+
 *          | kind   | channel       | a packet between two peers  |
 *          +--------+---------------+-----------------------------+
 */
const DataField = { first: 0, receiverIndex: 1, packetNumber: 5, end: DATA_HEADER } as const;
const RelayField = { first: 0, channel: 1, end: RELAY_HEADER } as const;

const DATA = firstByte('data');
const RELAY = firstByte('relay');

/** Reads four bytes, big-endian, without a check: for offsets inside a header whose length was checked. */
export function readUint32(from: Uint8Array, offset: number): number {
  return (
    ((from[offset]! << 24) | (from[offset + 1]! << 16) | (from[offset + 2]! << 8) | from[offset + 3]!) >>> 0
  );
}

/** Writes four bytes, big-endian; `value` is an unsigned 32-bit integer. */
export function writeUint32(into: Uint8Array, offset: number, value: number): void {
  into[offset] = value >>> 24;
  into[offset + 1] = value >>> 16;
  into[offset + 2] = value >>> 8;
  into[offset + 3] = value;
}

/** Writes the 9 bytes of a data header; `packetNumberLow` are the low 32 bits. Returns where the frames begin. */
export function writeDataHeader(
  into: Uint8Array,
  keyPhase: 0 | 1,
  receiverIndex: number,
  packetNumberLow: number,
): number {
  into[DataField.first] = DATA | keyPhase;
  writeUint32(into, DataField.receiverIndex, receiverIndex);
  writeUint32(into, DataField.packetNumber, packetNumberLow);
  return DataField.end;
}

/** Whether `packet` is long enough for, and begins like, a data packet. The other accessors below require it. */
export function isDataPacket(packet: Uint8Array): boolean {
  return packet.length >= MIN_DATA_PACKET && (packet[DataField.first]! & ~FLAG_KEY_PHASE) === DATA;
}

/** The index by which the receiver finds its session. */
export const dataReceiverIndex = (packet: Uint8Array): number => readUint32(packet, DataField.receiverIndex);

/** The low 32 bits of the packet number. */
export const dataPacketNumber = (packet: Uint8Array): number => readUint32(packet, DataField.packetNumber);

/** The key phase, 0 or 1. */
export const dataKeyPhase = (packet: Uint8Array): number =>
  packetFlags(packet[DataField.first]!) & FLAG_KEY_PHASE;

/** Writes the 5 bytes of a relay header. Returns where the packet between the two peers begins. */
export function writeRelayHeader(into: Uint8Array, channel: number): number {
  into[RelayField.first] = RELAY;
  writeUint32(into, RelayField.channel, channel);
  return RelayField.end;
}

/** Whether `packet` is a relay packet with something inside. {@link relayChannel} requires it. */
export function isRelayPacket(packet: Uint8Array): boolean {
  return packet.length > RelayField.end && packet[RelayField.first] === RELAY;
}

/** The channel of a relay packet; what it carries begins at `RELAY_HEADER`. */
export const relayChannel = (packet: Uint8Array): number => readUint32(packet, RelayField.channel);

/** What a datagram claims to be, or `undefined` when it is empty or not one of ours. */
export const datagramKind = (datagram: Uint8Array): ReturnType<typeof packetKind> =>
  datagram.length === 0 ? undefined : packetKind(datagram[0]!);
