import type { TraceValue } from '../base/index.js';
import { type FrameReader, FrameType } from '../wire/index.js';

/** Frames of one packet that are told of; the rest of a hostile packet would tell nothing new. */
const MAX_TOLD = 256;

/** What the frames of a readable packet are, in the words of qlog: lengths and places, never contents. */
export function tracedFrames(
  reader: FrameReader,
  packet: Uint8Array,
  start: number,
  end: number,
): readonly TraceValue[] {
  const frames: TraceValue[] = [];
  reader.reset(packet, start, end);
  while (frames.length < MAX_TOLD) {
    const left = reader.left;
    if (!reader.next()) break;
    frames.push(traced(reader, left - reader.left));
  }
  return frames;
}

/** QUIC's words where it has the frame, ours where it has not. `length`: of the whole frame. */
function traced(reader: FrameReader, length: number): TraceValue {
  const raw = { length, payload_length: reader.dataEnd - reader.dataStart };
  switch (reader.type) {
    case FrameType.padding:
      return { frame_type: 'padding', raw: { length } };
    case FrameType.ping:
      return { frame_type: 'ping' };
    case FrameType.immediateAck:
      return { frame_type: 'immediate_ack' };
    case FrameType.ack:
      return { frame_type: 'ack', ack_delay: reader.ackDelay, acked_ranges: ranges(reader) };
    case FrameType.ackFrequency:
      return {
        frame_type: 'ack_frequency',
        sequence_number: reader.ackRequest,
        ack_eliciting_threshold: reader.ackEvery,
        requested_max_ack_delay: reader.ackDelay,
      };
    case FrameType.firstFragment: {
      const { sequence, total, service, floor, priority } = reader;
      return { frame_type: 'coconet_message', sequence, offset: 0, total, service, floor, priority, raw };
    }
    case FrameType.fragment:
      return { frame_type: 'coconet_message', sequence: reader.sequence, offset: reader.offset, raw };
    case FrameType.messageGrant:
      return { frame_type: 'coconet_message_grant', sequence: reader.sequence };
    case FrameType.messageRepeat:
      return { frame_type: 'coconet_message_repeat', sequence: reader.sequence };
    case FrameType.messageAbandon:
      return { frame_type: 'coconet_message_abandon', sequence: reader.sequence, floor: reader.floor };
    case FrameType.datagram:
      return { frame_type: 'datagram', service: reader.service, raw };
    case FrameType.control:
      return {
        frame_type: 'coconet_control',
        number: reader.controlNumber,
        control_type: reader.controlType,
        raw,
      };
    case FrameType.rekeyOffer:
      return { frame_type: 'coconet_rekey_offer', generation: reader.generation };
    case FrameType.rekeyAnswer:
      return { frame_type: 'coconet_rekey_answer', generation: reader.generation };
    case FrameType.pathChallenge:
      return { frame_type: 'path_challenge' };
    case FrameType.pathResponse:
      return { frame_type: 'path_response' };
    case FrameType.close:
      return { frame_type: 'connection_close', error_code: reader.closeCode, reason: reader.closeReason };
    case FrameType.streamOpen:
    case FrameType.streamOpenEnd: {
      const { streamId, service, priority, fin } = reader;
      return { frame_type: 'stream', stream_id: streamId, offset: 0, fin, service, priority, raw };
    }
    case FrameType.stream:
    case FrameType.streamEnd: {
      const { streamId, offset, fin } = reader;
      return { frame_type: 'stream', stream_id: streamId, offset, fin, raw };
    }
    case FrameType.streamCredit:
      return { frame_type: 'max_stream_data', stream_id: reader.streamId, maximum: reader.credit };
    case FrameType.sessionCredit:
      return {
        frame_type: 'max_data',
        maximum: reader.credit,
        streams_bidirectional: reader.streams,
        streams_unidirectional: reader.oneWayStreams,
      };
    case FrameType.streamReset: {
      const { streamId, streamCode, finalSize } = reader;
      return {
        frame_type: 'reset_stream',
        stream_id: streamId,
        error_code: streamCode,
        final_size: finalSize,
      };
    }
    case FrameType.streamStop:
      return { frame_type: 'stop_sending', stream_id: reader.streamId, error_code: reader.streamCode };
    default:
      return { frame_type: 'unknown', frame_type_bytes: reader.type, raw };
  }
}

function ranges(reader: FrameReader): readonly TraceValue[] {
  const list: TraceValue[] = [];
  for (let i = 0; i < reader.ackRanges; i++) list.push([reader.ackFirst[i]!, reader.ackLast[i]!]);
  return list;
}
