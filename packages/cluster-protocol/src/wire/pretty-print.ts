import { toHex } from '../base/index.js';
import { DATA_OVERHEAD, RELAY_HEADER, packetKind } from './constants.js';
import type { Frame } from './frame.js';
import {
  dataKeyPhase,
  dataPacketNumber,
  dataReceiverIndex,
  isDataPacket,
  isRelayPacket,
  relayChannel,
} from './header.js';

/** One line for a datagram as it travels: what can be seen without keys. Any bytes are fine. */
export function describeDatagram(datagram: Uint8Array): string {
  if (datagram.length === 0) return 'empty';
  if (isDataPacket(datagram)) {
    const index = dataReceiverIndex(datagram).toString(16).padStart(8, '0');
    const phase = dataKeyPhase(datagram) === 0 ? '' : ' phase=1';
    return `data index=${index} number=…${dataPacketNumber(datagram)}${phase} frames=${datagram.length - DATA_OVERHEAD} B`;
  }
  if (isRelayPacket(datagram)) {
    const channel = relayChannel(datagram).toString(16).padStart(8, '0');
    return `relay channel=${channel} [${describeDatagram(datagram.subarray(RELAY_HEADER))}]`;
  }
  const kind = packetKind(datagram[0]!);
  return kind === undefined
    ? `foreign first=0x${toHex(datagram.subarray(0, 1))} ${datagram.length} B`
    : `${kind} ${datagram.length} B`;
}

/** One word or two for a frame; contents are told by their length only, so that logs hold no plaintext. */
export function describeFrame(frame: Frame): string {
  switch (frame.type) {
    case 'ping':
    case 'immediateAck':
      return frame.type;
    case 'ackFrequency':
      return `ackFrequency(#${frame.request} every ${frame.every}, ${frame.delay.toFixed(1)} ms)`;
    case 'padding':
      return `padding(${frame.length})`;
    case 'ack':
      return `ack(${frame.ranges.map(range => `${range.first}-${range.last}`).join(' ')}, ${frame.delay.toFixed(1)} ms)`;
    case 'fragment':
      return `message(#${frame.sequence} ${frame.offset}+${frame.bytes.length})`;
    case 'firstFragment':
      return `message(#${frame.sequence} 0+${frame.bytes.length} of ${frame.total}, service ${frame.service}, floor ${frame.floor}, priority ${frame.priority})`;
    case 'datagram':
      return `datagram(service ${frame.service}, ${frame.bytes.length} B)`;
    case 'pathChallenge':
    case 'pathResponse':
      return `${frame.type}(${hex32(frame.high)}${hex32(frame.low)})`;
    case 'close':
      return `close(${frame.code}, ${JSON.stringify(frame.reason)})`;
    case 'control':
      return `control(#${frame.number} type ${frame.control}, ${frame.bytes.length} B)`;
    case 'rekeyOffer':
    case 'rekeyAnswer':
      return `${frame.type}(generation ${frame.generation}, ${frame.bytes.length} B)`;
    case 'streamOpen':
      return `streamOpen(${frame.id} service ${frame.service}, 0+${frame.bytes.length}${frame.fin ? ', end' : ''})`;
    case 'stream':
      return `stream(${frame.id} ${frame.offset}+${frame.bytes.length}${frame.fin ? ', end' : ''})`;
    case 'streamCredit':
      return `streamCredit(${frame.id} ${frame.credit} B)`;
    case 'sessionCredit':
      return `sessionCredit(${frame.credit} B, ${frame.streams} streams, ${frame.oneWayStreams} one-way)`;
    case 'streamReset':
      return `streamReset(${frame.id} code ${frame.code} at ${frame.finalSize})`;
    case 'streamStop':
      return `streamStop(${frame.id} code ${frame.code})`;
    case 'messageGrant':
    case 'messageRepeat':
      return `${frame.type}(#${frame.sequence})`;
    case 'messageAbandon':
      return `messageAbandon(#${frame.sequence}, floor ${frame.floor})`;
    case 'unknown':
      return `unknown(0x${frame.number.toString(16)}, ${frame.bytes.length} B)`;
  }
}

const hex32 = (value: number): string => value.toString(16).padStart(8, '0');
