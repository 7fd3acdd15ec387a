import { assert, copyBytes } from '../base/index.js';
import {
  ACK_DELAY_UNIT,
  FrameType,
  LOWEST_PRIORITY,
  MAX_ACK_EVERY,
  MAX_ACK_RANGES,
  MAX_CLOSE_REASON,
  MAX_CONTROL,
  MAX_REKEY_MESSAGE,
  PATH_CHALLENGE,
} from './constants.js';
import { writeUint32 } from './header.js';
import { varintLength, writeVarint } from './varint.js';

/*
 * Writers of single frames: bytes go to `into` from `offset`, the offset behind them is returned. The caller knows
 * from the matching `…Length` that they fit; nothing is allocated.
 */

/** Writes a ping frame, one byte. */
export function writePing(into: Uint8Array, offset: number): number {
  into[offset] = FrameType.ping;
  return offset + 1;
}

/** Writes a request for an ack without delay, one byte. */
export function writeImmediateAck(into: Uint8Array, offset: number): number {
  into[offset] = FrameType.immediateAck;
  return offset + 1;
}

/** What an ack frame tells. Ranges descend and do not touch: `first(i) > last(i + 1) + 1`. */
export interface AckSource {
  /** How many ranges, at least 1; only the first 32 are written. */
  readonly ranges: number;
  first(range: number): number;
  last(range: number): number;
}

/** Writes an ack of the newest ranges that fit into `limit − offset` bytes; nothing when not even one does. */
export function writeAck(
  into: Uint8Array,
  offset: number,
  limit: number,
  source: AckSource,
  delayMilliseconds: number,
): number {
  const largest = source.last(0);
  const delay = delayUnits(delayMilliseconds);
  const first = largest - source.first(0);
  // The count of ranges takes one byte: there are never more than 32.
  let end = offset + 1 + varintLength(largest) + varintLength(delay) + 1 + varintLength(first);
  if (end > limit) return offset;
  let ranges = 1;
  const wanted = Math.min(source.ranges, MAX_ACK_RANGES);
  while (ranges < wanted) {
    const more = varintLength(ackGap(source, ranges)) + varintLength(ackSpan(source, ranges));
    if (end + more > limit) break;
    end += more;
    ranges++;
  }
  into[offset] = FrameType.ack;
  let at = writeVarint(into, offset + 1, largest);
  at = writeVarint(into, at, delay);
  at = writeVarint(into, at, ranges);
  at = writeVarint(into, at, first);
  for (let i = 1; i < ranges; i++) {
    at = writeVarint(into, at, ackGap(source, i));
    at = writeVarint(into, at, ackSpan(source, i));
  }
  return at;
}

const ackGap = (source: AckSource, range: number): number => source.first(range - 1) - source.last(range) - 2;
const ackSpan = (source: AckSource, range: number): number => source.last(range) - source.first(range);

const delayUnits = (milliseconds: number): number => Math.max(0, Math.round(milliseconds / ACK_DELAY_UNIT));

/** Bytes of an ack frequency frame. */
export const ackFrequencyLength = (request: number, every: number, delayMilliseconds: number): number =>
  1 + varintLength(request) + varintLength(every) + varintLength(delayUnits(delayMilliseconds));

/** Writes an ack frequency frame: one ack for `every` packets, 1–255, or after a delay. */
export function writeAckFrequency(
  into: Uint8Array,
  offset: number,
  request: number,
  every: number,
  delayMilliseconds: number,
): number {
  assert(every >= 1 && every <= MAX_ACK_EVERY, 'one ack stands for 1 to 255 packets');
  into[offset] = FrameType.ackFrequency;
  let at = writeVarint(into, offset + 1, request);
  at = writeVarint(into, at, every);
  at = writeVarint(into, at, delayUnits(delayMilliseconds));
  return at;
}

/** Bytes of a fragment frame that is not a message's first. */
export const fragmentLength = (sequence: number, start: number, length: number): number =>
  1 + varintLength(sequence) + varintLength(start) + varintLength(length) + length;

/** Writes `message[start, start + length)` as a later fragment; `start` and `length` are at least 1. */
export function writeFragment(
  into: Uint8Array,
  offset: number,
  sequence: number,
  message: Uint8Array,
  start: number,
  length: number,
): number {
  into[offset] = FrameType.fragment;
  let at = writeVarint(into, offset + 1, sequence);
  at = writeVarint(into, at, start);
  at = writeVarint(into, at, length);
  return copyBytes(into, at, message, start, length);
}

/** Bytes of a first fragment frame with `length` of the message's `total` bytes. */
export const firstFragmentLength = (
  sequence: number,
  floor: number,
  service: number,
  total: number,
  length: number,
): number =>
  2 +
  varintLength(sequence) +
  varintLength(total) +
  varintLength(service) +
  varintLength(sequence - floor) +
  varintLength(length) +
  length;

/** Writes `message[0, length)` as the first fragment; `length` is at least 1 unless the message is empty. */
export function writeFirstFragment(
  into: Uint8Array,
  offset: number,
  sequence: number,
  floor: number,
  service: number,
  priority: number,
  message: Uint8Array,
  length: number,
): number {
  assert(priority >= 0 && priority <= LOWEST_PRIORITY, 'a priority is 0 to 7');
  into[offset] = FrameType.firstFragment;
  let at = writeVarint(into, offset + 1, sequence);
  at = writeVarint(into, at, message.length);
  at = writeVarint(into, at, service);
  at = writeVarint(into, at, sequence - floor);
  into[at++] = priority;
  at = writeVarint(into, at, length);
  return copyBytes(into, at, message, 0, length);
}

/** Bytes of a datagram frame. */
export const datagramLength = (service: number, length: number): number =>
  1 + varintLength(service) + varintLength(length) + length;

/** Writes a datagram frame. */
export function writeDatagram(into: Uint8Array, offset: number, service: number, bytes: Uint8Array): number {
  into[offset] = FrameType.datagram;
  let at = writeVarint(into, offset + 1, service);
  at = writeVarint(into, at, bytes.length);
  return copyBytes(into, at, bytes, 0, bytes.length);
}

/** Bytes of a path challenge or response frame. */
export const PATH_FRAME: number = 1 + PATH_CHALLENGE;

/** Writes a path challenge or response; its 8 bytes are given as two unsigned 32-bit numbers. */
export function writePathFrame(
  into: Uint8Array,
  offset: number,
  type: typeof FrameType.pathChallenge | typeof FrameType.pathResponse,
  high: number,
  low: number,
): number {
  into[offset] = type;
  writeUint32(into, offset + 1, high);
  writeUint32(into, offset + 5, low);
  return offset + PATH_FRAME;
}

/** Writes a close frame; `reason` is UTF-8 of at most 128 bytes. */
export function writeClose(into: Uint8Array, offset: number, code: number, reason: Uint8Array): number {
  assert(reason.length <= MAX_CLOSE_REASON, 'a close reason has at most 128 bytes');
  into[offset] = FrameType.close;
  let at = writeVarint(into, offset + 1, code);
  at = writeVarint(into, at, reason.length);
  return copyBytes(into, at, reason, 0, reason.length);
}

/** Bytes of a control frame. */
export const controlLength = (number: number, type: number, length: number): number =>
  1 + varintLength(number) + varintLength(type) + varintLength(length) + length;

/** Writes a control frame; `number` is what repetitions are known by. */
export function writeControl(
  into: Uint8Array,
  offset: number,
  number: number,
  type: number,
  bytes: Uint8Array,
): number {
  assert(bytes.length <= MAX_CONTROL, 'a control frame carries at most 1024 bytes');
  into[offset] = FrameType.control;
  let at = writeVarint(into, offset + 1, number);
  at = writeVarint(into, at, type);
  at = writeVarint(into, at, bytes.length);
  return copyBytes(into, at, bytes, 0, bytes.length);
}

/** Bytes of a rekey frame. */
export const rekeyLength = (generation: number, length: number): number =>
  1 + varintLength(generation) + varintLength(length) + length;

/** Writes a rekey frame; `generation` counts the keys it is about, `message` is one of the two that make them. */
export function writeRekey(
  into: Uint8Array,
  offset: number,
  type: typeof FrameType.rekeyOffer | typeof FrameType.rekeyAnswer,
  generation: number,
  message: Uint8Array,
): number {
  assert(message.length <= MAX_REKEY_MESSAGE, 'a rekey message has at most 256 bytes');
  into[offset] = type;
  let at = writeVarint(into, offset + 1, generation);
  at = writeVarint(into, at, message.length);
  return copyBytes(into, at, message, 0, message.length);
}

/** Bytes of the frame that opens a stream, without its data. */
export const streamOpenHeader = (id: number, service: number, length: number): number =>
  2 + varintLength(id) + varintLength(service) + varintLength(length);

/** Writes the head of a frame that opens a stream; `length` bytes of data follow, and the stream's end with `fin`. */
export function writeStreamOpen(
  into: Uint8Array,
  offset: number,
  id: number,
  service: number,
  priority: number,
  length: number,
  fin: boolean,
): number {
  assert(priority >= 0 && priority <= LOWEST_PRIORITY, 'a priority is 0 to 7');
  into[offset] = fin ? FrameType.streamOpenEnd : FrameType.streamOpen;
  let at = writeVarint(into, offset + 1, id);
  at = writeVarint(into, at, service);
  into[at++] = priority;
  return writeVarint(into, at, length);
}

/** Bytes of a later frame of a stream, without its data. */
export const streamHeader = (id: number, start: number, length: number): number =>
  1 + varintLength(id) + varintLength(start) + varintLength(length);

/** Writes the head of a later frame of a stream, from byte `start` ≥ 1 on; `length` bytes of data follow. */
export function writeStream(
  into: Uint8Array,
  offset: number,
  id: number,
  start: number,
  length: number,
  fin: boolean,
): number {
  into[offset] = fin ? FrameType.streamEnd : FrameType.stream;
  let at = writeVarint(into, offset + 1, id);
  at = writeVarint(into, at, start);
  return writeVarint(into, at, length);
}

/** Type and two or three varints: as long as credits, resets and stops can be. */
export const MAX_STREAM_CONTROL: number = 1 + 3 * 8;

/** Writes how many bytes of a stream may be sent from its beginning on. */
export function writeStreamCredit(into: Uint8Array, offset: number, id: number, credit: number): number {
  into[offset] = FrameType.streamCredit;
  return writeVarint(into, writeVarint(into, offset + 1, id), credit);
}

/** Writes how many bytes of all streams, and how many streams of both kinds, there may be since the beginning. */
export function writeSessionCredit(
  into: Uint8Array,
  offset: number,
  credit: number,
  streams: number,
  oneWayStreams: number,
): number {
  into[offset] = FrameType.sessionCredit;
  return writeVarint(into, writeVarint(into, writeVarint(into, offset + 1, credit), streams), oneWayStreams);
}

/** Writes that a stream ends without its rest; `finalSize` bytes of it were sent. */
export function writeStreamReset(
  into: Uint8Array,
  offset: number,
  id: number,
  code: number,
  finalSize: number,
): number {
  into[offset] = FrameType.streamReset;
  return writeVarint(into, writeVarint(into, writeVarint(into, offset + 1, id), code), finalSize);
}

/** Writes that nobody reads a stream any more. */
export function writeStreamStop(into: Uint8Array, offset: number, id: number, code: number): number {
  into[offset] = FrameType.streamStop;
  return writeVarint(into, writeVarint(into, offset + 1, id), code);
}

/** Type and two varints: as long as a frame about a message without any of its bytes can be. */
export const MAX_MESSAGE_CONTROL: number = 1 + 8 + 2;

/** Writes that a message may be sent whole. */
export function writeMessageGrant(into: Uint8Array, offset: number, sequence: number): number {
  into[offset] = FrameType.messageGrant;
  return writeVarint(into, offset + 1, sequence);
}

/** Writes that what came of a message was thrown away: it is to be sent again from its beginning. */
export function writeMessageRepeat(into: Uint8Array, offset: number, sequence: number): number {
  into[offset] = FrameType.messageRepeat;
  return writeVarint(into, offset + 1, sequence);
}

/** Writes that a message is given up; `floor` is the lowest sequence that may still be sent. */
export function writeMessageAbandon(
  into: Uint8Array,
  offset: number,
  sequence: number,
  floor: number,
): number {
  into[offset] = FrameType.messageAbandon;
  return writeVarint(into, writeVarint(into, offset + 1, sequence), sequence - floor);
}
