import { assert, encodeText, malformed, parsed, type Parsed } from '../base/index.js';
import { FrameType, LOWEST_PRIORITY, MAX_PACKET } from './constants.js';
import { FrameReader } from './frame-reader.js';
import {
  writeAck,
  writeAckFrequency,
  writeClose,
  writeControl,
  writeDatagram,
  writeImmediateAck,
  writeMessageAbandon,
  writeMessageGrant,
  writeMessageRepeat,
  writePathFrame,
  writePing,
  writeRekey,
  writeSessionCredit,
  writeStream,
  writeStreamCredit,
  writeStreamOpen,
  writeStreamReset,
  writeStreamStop,
} from './frame-writer.js';
import { writeVarint } from './varint.js';

/** Packet numbers from `first` to `last`, both included. */
export interface AckRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The meaning of one frame. Sessions use the reader and the writers directly; this form is for tools, tests, vectors and
 * whatever is not on the hot path.
 */
export type Frame =
  | { readonly type: 'padding'; readonly length: number }
  | { readonly type: 'ping' | 'immediateAck' }
  /** Ranges descend; `delay` is in milliseconds. */
  | { readonly type: 'ack'; readonly delay: number; readonly ranges: readonly AckRange[] }
  /** `delay` is in milliseconds. */
  | {
      readonly type: 'ackFrequency';
      readonly request: number;
      readonly every: number;
      readonly delay: number;
    }
  | {
      readonly type: 'fragment';
      readonly sequence: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly type: 'firstFragment';
      readonly sequence: number;
      readonly total: number;
      readonly service: number;
      readonly floor: number;
      readonly priority: number;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'datagram'; readonly service: number; readonly bytes: Uint8Array }
  | { readonly type: 'pathChallenge' | 'pathResponse'; readonly high: number; readonly low: number }
  | { readonly type: 'close'; readonly code: number; readonly reason: string }
  | {
      readonly type: 'control';
      readonly number: number;
      readonly control: number;
      readonly bytes: Uint8Array;
    }
  /** Noise message 1 or 2 of the exchange that makes the keys of a generation. */
  | {
      readonly type: 'rekeyOffer' | 'rekeyAnswer';
      readonly generation: number;
      readonly bytes: Uint8Array;
    }
  /** The beginning of a stream, from byte 0 on. */
  | {
      readonly type: 'streamOpen';
      readonly id: number;
      readonly service: number;
      readonly priority: number;
      readonly fin: boolean;
      readonly bytes: Uint8Array;
    }
  | {
      readonly type: 'stream';
      readonly id: number;
      readonly offset: number;
      readonly fin: boolean;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'streamCredit'; readonly id: number; readonly credit: number }
  | {
      readonly type: 'sessionCredit';
      readonly credit: number;
      readonly streams: number;
      readonly oneWayStreams: number;
    }
  | {
      readonly type: 'streamReset';
      readonly id: number;
      readonly code: number;
      readonly finalSize: number;
    }
  | { readonly type: 'streamStop'; readonly id: number; readonly code: number }
  /** A message may be sent whole; or it is to be sent again from its beginning. */
  | { readonly type: 'messageGrant' | 'messageRepeat'; readonly sequence: number }
  /** A message is given up. */
  | { readonly type: 'messageAbandon'; readonly sequence: number; readonly floor: number }
  /** A frame of a later minor version; `number` is its type, 0x40–0x7f. */
  | { readonly type: 'unknown'; readonly number: number; readonly bytes: Uint8Array };

/** The frames of a decrypted packet, all or none. Their bytes are views. */
export function readFrames(bytes: Uint8Array): Parsed<readonly Frame[]> {
  const reader = new FrameReader();
  reader.reset(bytes, 0, bytes.length);
  const frames: Frame[] = [];
  for (let left = bytes.length; reader.next(); left = reader.left) {
    frames.push(frameOf(reader, left - reader.left));
  }
  return reader.failed || frames.length === 0 ? malformed : parsed(frames);
}

/** Writes one frame; returns the offset behind it. The buffer must have room. */
export function writeFrame(into: Uint8Array, offset: number, frame: Frame): number {
  switch (frame.type) {
    case 'padding':
      into.fill(FrameType.padding, offset, offset + frame.length);
      return offset + frame.length;
    case 'ping':
      return writePing(into, offset);
    case 'immediateAck':
      return writeImmediateAck(into, offset);
    case 'ackFrequency':
      return writeAckFrequency(into, offset, frame.request, frame.every, frame.delay);
    case 'ack': {
      const source = {
        ranges: frame.ranges.length,
        first: (i: number): number => frame.ranges[i]!.first,
        last: (i: number): number => frame.ranges[i]!.last,
      };
      return writeAck(into, offset, into.length, source, frame.delay);
    }
    case 'fragment': {
      into[offset] = FrameType.fragment;
      const at = writeVarint(into, offset + 1, frame.sequence);
      return writeBlock(into, writeVarint(into, at, frame.offset), frame.bytes);
    }
    case 'firstFragment': {
      const { sequence, total, floor, service, priority, bytes } = frame;
      assert(priority <= LOWEST_PRIORITY, 'a priority is 0 to 7');
      into[offset] = FrameType.firstFragment;
      let at = writeVarint(into, offset + 1, sequence);
      at = writeVarint(into, at, total);
      at = writeVarint(into, at, service);
      at = writeVarint(into, at, sequence - floor);
      into[at] = priority;
      return writeBlock(into, at + 1, bytes);
    }
    case 'datagram':
      return writeDatagram(into, offset, frame.service, frame.bytes);
    case 'pathChallenge':
    case 'pathResponse':
      return writePathFrame(into, offset, FrameType[frame.type], frame.high, frame.low);
    case 'close':
      return writeClose(into, offset, frame.code, encodeText(frame.reason));
    case 'control':
      return writeControl(into, offset, frame.number, frame.control, frame.bytes);
    case 'rekeyOffer':
    case 'rekeyAnswer':
      return writeRekey(into, offset, FrameType[frame.type], frame.generation, frame.bytes);
    case 'streamOpen': {
      const { id, service, priority, bytes, fin } = frame;
      return put(into, writeStreamOpen(into, offset, id, service, priority, bytes.length, fin), bytes);
    }
    case 'stream':
      return put(
        into,
        writeStream(into, offset, frame.id, frame.offset, frame.bytes.length, frame.fin),
        frame.bytes,
      );
    case 'streamCredit':
      return writeStreamCredit(into, offset, frame.id, frame.credit);
    case 'sessionCredit':
      return writeSessionCredit(into, offset, frame.credit, frame.streams, frame.oneWayStreams);
    case 'streamReset':
      return writeStreamReset(into, offset, frame.id, frame.code, frame.finalSize);
    case 'streamStop':
      return writeStreamStop(into, offset, frame.id, frame.code);
    case 'messageGrant':
      return writeMessageGrant(into, offset, frame.sequence);
    case 'messageRepeat':
      return writeMessageRepeat(into, offset, frame.sequence);
    case 'messageAbandon':
      return writeMessageAbandon(into, offset, frame.sequence, frame.floor);
    case 'unknown':
      into[offset] = frame.number;
      return writeBlock(into, offset + 1, frame.bytes);
  }
}

/** All frames one after the other, in a new array; together they fit a packet. */
export function encodeFrames(frames: readonly Frame[]): Uint8Array {
  const buffer = new Uint8Array(2 * MAX_PACKET);
  const end = frames.reduce((offset, frame) => writeFrame(buffer, offset, frame), 0);
  assert(end <= buffer.length, 'the frames fit a packet');
  return buffer.slice(0, end);
}

function writeBlock(into: Uint8Array, offset: number, bytes: Uint8Array): number {
  return put(into, writeVarint(into, offset, bytes.length), bytes);
}

function put(into: Uint8Array, offset: number, bytes: Uint8Array): number {
  into.set(bytes, offset);
  return offset + bytes.length;
}

function frameOf(reader: FrameReader, length: number): Frame {
  switch (reader.type) {
    case FrameType.padding:
      return { type: 'padding', length };
    case FrameType.ping:
      return { type: 'ping' };
    case FrameType.immediateAck:
      return { type: 'immediateAck' };
    case FrameType.ackFrequency: {
      const { ackRequest, ackEvery, ackDelay } = reader;
      return { type: 'ackFrequency', request: ackRequest, every: ackEvery, delay: ackDelay };
    }
    case FrameType.ack: {
      const ranges = Array.from({ length: reader.ackRanges }, (_, i) => ({
        first: reader.ackFirst[i]!,
        last: reader.ackLast[i]!,
      }));
      return { type: 'ack', delay: reader.ackDelay, ranges };
    }
    case FrameType.fragment:
      return { type: 'fragment', sequence: reader.sequence, offset: reader.offset, bytes: reader.data };
    case FrameType.firstFragment: {
      const { sequence, total, service, floor, priority, data } = reader;
      return { type: 'firstFragment', sequence, total, service, floor, priority, bytes: data };
    }
    case FrameType.datagram:
      return { type: 'datagram', service: reader.service, bytes: reader.data };
    case FrameType.pathChallenge:
      return { type: 'pathChallenge', high: reader.challengeHigh, low: reader.challengeLow };
    case FrameType.pathResponse:
      return { type: 'pathResponse', high: reader.challengeHigh, low: reader.challengeLow };
    case FrameType.close:
      return { type: 'close', code: reader.closeCode, reason: reader.closeReason };
    case FrameType.control: {
      const { controlNumber, controlType, data } = reader;
      return { type: 'control', number: controlNumber, control: controlType, bytes: data };
    }
    case FrameType.rekeyOffer:
      return { type: 'rekeyOffer', generation: reader.generation, bytes: reader.data };
    case FrameType.rekeyAnswer:
      return { type: 'rekeyAnswer', generation: reader.generation, bytes: reader.data };
    case FrameType.streamOpen:
    case FrameType.streamOpenEnd: {
      const { streamId: id, service, priority, fin, data } = reader;
      return { type: 'streamOpen', id, service, priority, fin, bytes: data };
    }
    case FrameType.stream:
    case FrameType.streamEnd:
      return {
        type: 'stream',
        id: reader.streamId,
        offset: reader.offset,
        fin: reader.fin,
        bytes: reader.data,
      };
    case FrameType.streamCredit:
      return { type: 'streamCredit', id: reader.streamId, credit: reader.credit };
    case FrameType.sessionCredit: {
      const { credit, streams, oneWayStreams } = reader;
      return { type: 'sessionCredit', credit, streams, oneWayStreams };
    }
    case FrameType.streamReset:
      return {
        type: 'streamReset',
        id: reader.streamId,
        code: reader.streamCode,
        finalSize: reader.finalSize,
      };
    case FrameType.streamStop:
      return { type: 'streamStop', id: reader.streamId, code: reader.streamCode };
    case FrameType.messageGrant:
      return { type: 'messageGrant', sequence: reader.sequence };
    case FrameType.messageRepeat:
      return { type: 'messageRepeat', sequence: reader.sequence };
    case FrameType.messageAbandon:
      return { type: 'messageAbandon', sequence: reader.sequence, floor: reader.floor };
    default:
      return { type: 'unknown', number: reader.type, bytes: reader.data };
  }
}
