import { decodeText } from '../base/index.js';
import {
  ACK_DELAY_UNIT,
  FrameType,
  LOWEST_PRIORITY,
  MAX_ACK_EVERY,
  MAX_ACK_RANGES,
  MAX_CLOSE_REASON,
  MAX_CONTROL,
  MAX_MESSAGE,
  MAX_REKEY_MESSAGE,
  MAX_STREAM_LENGTH,
  MESSAGE_WINDOW,
  PATH_CHALLENGE,
  SKIPPABLE_FRAMES,
} from './constants.js';
import { readUint32 } from './header.js';
import { readVarint, varintLength } from './varint.js';

/**
 * Walks over the frames of a decrypted packet without allocating: each {@link FrameReader.next} overwrites the fields
 * of the frame before. Lengths, ranges and rules of one frame are all checked here, so that who reads the fields need
 * not. Every packet is walked twice, once to see that all of it is well-formed and once to act on it.
 */
export class FrameReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;
  #end = 0;

  /** Whether the walk ended at something malformed. */
  failed = false;
  /** Type of the frame; a run of padding is one frame. */
  type: number = FrameType.padding;

  /** Fragments and the frames about a message: which one. */
  sequence = 0;
  /** Fragments, streams: where the data lies in the message or stream; 0 in a first fragment and in an opening frame. */
  offset = 0;
  /** First fragment: length of the whole message. */
  total = 0;
  /** First fragment, abandoned message: the lowest sequence that the sender may still send. */
  floor = 0;
  /** First fragment, opening frame of a stream: 0–7. */
  priority = 0;
  /** First fragment, datagram, opening frame of a stream: the service. */
  service = 0;
  /** Frames of streams: which one. */
  streamId = 0;
  /** Stream data: whether the stream ends behind it. */
  fin = false;
  /** Stream credit, session credit: bytes that may be sent from the beginning on. */
  credit = 0;
  /** Session credit: how many streams that go both ways may have been opened since the beginning. */
  streams = 0;
  /** Session credit: how many one-way streams may have been opened since the beginning. */
  oneWayStreams = 0;
  /** Reset of a stream: its length as far as it was sent. */
  finalSize = 0;
  /** Reset and stop of a stream: why. */
  streamCode = 0;
  /** Control: its number, by which repetitions are known. */
  controlNumber = 0;
  /** Control: what it is about. */
  controlType = 0;
  /** Rekey: which keys, counted from those of the handshake, 0. */
  generation = 0;
  /** Path challenge and response: the first four bytes. */
  challengeHigh = 0;
  /** Path challenge and response: the last four bytes. */
  challengeLow = 0;
  /** Close: the code. */
  closeCode = 0;
  /** Close: the reason. */
  closeReason = '';
  /** Ack: milliseconds between the arrival of the largest number and the ack. Ack frequency: the longest that is wanted. */
  ackDelay = 0;
  /** Ack frequency: its number, by which an older one is known. */
  ackRequest = 0;
  /** Ack frequency: packets for one ack, 1–255. */
  ackEvery = 0;
  /** Ack: how many ranges, 1–32. */
  ackRanges = 0;
  /** Ack: first number of each range; ranges descend. */
  readonly ackFirst: Float64Array = new Float64Array(MAX_ACK_RANGES);
  /** Ack: last number of each range; the first entry is the largest number of all. */
  readonly ackLast: Float64Array = new Float64Array(MAX_ACK_RANGES);
  /** Fragments, datagram, control, rekey, skipped frames: where the data begins in the bytes. */
  dataStart = 0;
  /** Where the data ends. */
  dataEnd = 0;

  /** Begins a walk over `bytes[start, end)`. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.failed = false;
  }

  /** Bytes behind the current frame. */
  get left(): number {
    return this.#end - this.#position;
  }

  /** The data of the frame as a view: valid as long as the bytes under it. */
  get data(): Uint8Array {
    return this.#bytes.subarray(this.dataStart, this.dataEnd);
  }

  /** Steps to the next frame. `false` at the end and at the first malformed frame, which {@link FrameReader.failed} tells. */
  next(): boolean {
    if (this.#position >= this.#end || this.failed) return false;
    this.type = this.#bytes[this.#position++]!;
    switch (this.type) {
      case FrameType.padding:
        while (this.#position < this.#end && this.#bytes[this.#position] === FrameType.padding) {
          this.#position++;
        }
        break;
      case FrameType.ping:
      case FrameType.immediateAck:
        break;
      case FrameType.ack:
        this.#ack();
        break;
      case FrameType.ackFrequency:
        this.#ackFrequency();
        break;
      case FrameType.fragment:
        this.#fragment();
        break;
      case FrameType.firstFragment:
        this.#firstFragment();
        break;
      case FrameType.datagram:
        this.service = this.#varint();
        this.#data(this.#varint(), Infinity);
        break;
      case FrameType.pathChallenge:
      case FrameType.pathResponse:
        this.#challenge();
        break;
      case FrameType.close:
        this.#close();
        break;
      case FrameType.control:
        this.controlNumber = this.#varint();
        this.controlType = this.#varint();
        this.#data(this.#varint(), MAX_CONTROL);
        break;
      case FrameType.rekeyOffer:
      case FrameType.rekeyAnswer:
        this.generation = this.#varint();
        this.#data(this.#varint(), MAX_REKEY_MESSAGE);
        break;
      case FrameType.streamOpen:
      case FrameType.streamOpenEnd:
      case FrameType.stream:
      case FrameType.streamEnd:
        this.#stream();
        break;
      case FrameType.streamCredit:
        this.streamId = this.#varint();
        this.credit = this.#varint();
        break;
      case FrameType.sessionCredit:
        this.credit = this.#varint();
        this.streams = this.#varint();
        this.oneWayStreams = this.#varint();
        break;
      case FrameType.streamReset:
        this.streamId = this.#varint();
        this.streamCode = this.#varint();
        this.finalSize = this.#varint();
        break;
      case FrameType.streamStop:
        this.streamId = this.#varint();
        this.streamCode = this.#varint();
        break;
      case FrameType.messageGrant:
      case FrameType.messageRepeat:
        this.sequence = this.#varint();
        break;
      case FrameType.messageAbandon:
        this.sequence = this.#varint();
        this.#floor();
        break;
      default:
        if (this.type < SKIPPABLE_FRAMES.first || this.type > SKIPPABLE_FRAMES.last) this.failed = true;
        else this.#data(this.#varint(), Infinity);
    }
    return !this.failed;
  }

  #ack(): void {
    const largest = this.#varint();
    this.ackDelay = this.#varint() * ACK_DELAY_UNIT;
    const ranges = this.#varint();
    if (ranges < 1 || ranges > MAX_ACK_RANGES) this.failed = true;
    this.ackRanges = ranges;
    let last = largest;
    for (let i = 0; i < ranges && !this.failed; i++) {
      // A gap counts the numbers between two ranges less one, for there is at least one (RFC 9000, section 19.3.1).
      if (i > 0) last = this.ackFirst[i - 1]! - this.#varint() - 2;
      const first = last - this.#varint();
      if (first < 0) this.failed = true;
      this.ackFirst[i] = first;
      this.ackLast[i] = last;
    }
  }

  #ackFrequency(): void {
    this.ackRequest = this.#varint();
    this.ackEvery = this.#varint();
    this.ackDelay = this.#varint() * ACK_DELAY_UNIT;
    if (this.ackEvery < 1 || this.ackEvery > MAX_ACK_EVERY) this.failed = true;
  }

  #fragment(): void {
    this.sequence = this.#varint();
    this.offset = this.#varint();
    const length = this.#varint();
    // The first byte of a message travels in a first fragment only.
    if (this.offset < 1 || length < 1 || this.offset + length > MAX_MESSAGE) this.failed = true;
    this.#data(length, MAX_MESSAGE);
  }

  #firstFragment(): void {
    this.sequence = this.#varint();
    this.offset = 0;
    this.total = this.#varint();
    this.service = this.#varint();
    this.#floor();
    this.priority = this.#uint8();
    const length = this.#varint();
    if (this.total > MAX_MESSAGE || length > this.total || (length === 0 && this.total > 0))
      this.failed = true;
    if (this.priority > LOWEST_PRIORITY) this.failed = true;
    this.#data(length, MAX_MESSAGE);
  }

  #floor(): void {
    const aboveFloor = this.#varint();
    this.floor = this.sequence - aboveFloor;
    if (aboveFloor >= MESSAGE_WINDOW || this.floor < 0) this.failed = true;
  }

  #stream(): void {
    this.streamId = this.#varint();
    this.fin = (this.type & 1) !== 0;
    this.offset = 0;
    if (this.type === FrameType.streamOpen || this.type === FrameType.streamOpenEnd) {
      this.service = this.#varint();
      this.priority = this.#uint8();
      if (this.priority > LOWEST_PRIORITY) this.failed = true;
    } else {
      this.offset = this.#varint();
    }
    const length = this.#varint();
    // The first byte travels in an opening frame; another frame without bytes can only tell the end.
    if (this.type === FrameType.stream && length === 0) this.failed = true;
    if (this.type !== FrameType.streamOpen && this.type !== FrameType.streamOpenEnd && this.offset === 0)
      this.failed = true;
    if (this.offset + length > MAX_STREAM_LENGTH) this.failed = true;
    this.#data(length, Infinity);
  }

  #challenge(): void {
    if (this.#end - this.#position < PATH_CHALLENGE) {
      this.failed = true;
      return;
    }
    this.challengeHigh = readUint32(this.#bytes, this.#position);
    this.challengeLow = readUint32(this.#bytes, this.#position + 4);
    this.#position += PATH_CHALLENGE;
  }

  #close(): void {
    this.closeCode = this.#varint();
    this.#data(this.#varint(), MAX_CLOSE_REASON);
    if (this.failed) return;
    const reason = decodeText(this.data);
    if (reason === undefined) this.failed = true;
    this.closeReason = reason ?? '';
  }

  #uint8(): number {
    if (this.#position >= this.#end) this.failed = true;
    return this.failed ? 0 : this.#bytes[this.#position++]!;
  }

  #varint(): number {
    if (this.failed) return 0;
    const value = this.#position < this.#end ? readVarint(this.#bytes, this.#position) : -1;
    if (value < 0 || this.#position + varintLength(value) > this.#end) {
      this.failed = true;
      return 0;
    }
    this.#position += varintLength(value);
    return value;
  }

  #data(length: number, limit: number): void {
    if (this.failed || length > limit || length > this.#end - this.#position) {
      this.failed = true;
      return;
    }
    this.dataStart = this.#position;
    this.#position += length;
    this.dataEnd = this.#position;
  }
}
