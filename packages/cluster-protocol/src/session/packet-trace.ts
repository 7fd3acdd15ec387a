import type { DropReason, TraceValue } from '../base/index.js';
import { dataKeyPhase, dataReceiverIndex, isDataPacket, type PacketKind, packetKind } from '../wire/index.js';

/** Eight hexadecimal digits. */
export const hex32 = (value: number): string => value.toString(16).padStart(8, '0');

/** What the clear header of a packet tells: QUIC's word where it has the kind, else ours. */
export function tracedHeader(packet: Uint8Array): Readonly<Record<string, TraceValue>> {
  const kind = packet.length === 0 ? undefined : packetKind(packet[0]!);
  const packet_type = kind === undefined ? 'unknown' : (PACKET_TYPES[kind] ?? kind);
  if (!isDataPacket(packet)) return { packet_type };
  return { packet_type, dcid: hex32(dataReceiverIndex(packet)), key_phase: dataKeyPhase(packet) };
}

const PACKET_TYPES: Partial<Record<PacketKind, string>> = {
  data: '1RTT',
  retry: 'retry',
  reset: 'stateless_reset',
  versionRefusal: 'version_negotiation',
};

/** QUIC's categories of why a packet was dropped; `invalid` where none is named. Our own reason stands beside it. */
export const DROP_TRIGGERS: Partial<Record<DropReason, string>> = {
  unknownKind: 'unsupported',
  unknownVersion: 'unsupported',
  unknownIndex: 'connection_unknown',
  unknownChannel: 'connection_unknown',
  badTag: 'decryption_failure',
  handshakeFailed: 'decryption_failure',
  replayed: 'duplicate',
  tooOld: 'duplicate',
  staleInitiation: 'duplicate',
  refusedPeer: 'rejected',
  wrongNetwork: 'rejected',
  certificateRefused: 'rejected',
  cookieAsked: 'rejected',
  pendingFull: 'rejected',
  sessionsFull: 'rejected',
  rateLimited: 'rejected',
  wouldAmplify: 'rejected',
  reassemblyFull: 'rejected',
  queueFull: 'rejected',
  notPermitted: 'rejected',
  wrongState: 'general',
  unexpected: 'general',
};
