import type { DropReason, Instant } from '../base/index.js';
import { DATA_HEADER, FrameReader, FrameType } from '../wire/index.js';
import type { Reassembler } from './reassembler.js';
import type { SessionStreams } from './session-streams.js';

/** One for all sessions: a packet is read to its end before anything else happens. */
const reader = new FrameReader();

/** Looks at the whole of a decrypted packet before anything in it takes effect: all of a packet counts, or nothing. */
export class PacketInspector {
  /** Whether the packet asks for an ack. */
  eliciting = false;
  /** Whether it carries nothing but path frames and padding, which moves nobody: a peer may probe without going there. */
  probing = false;
  /** Whether the packet carries something of the layers above. */
  data = false;

  /** Why the packet cannot be taken, or `undefined`. `nextNumber` is the first number that no ack may name yet. */
  refuses(
    now: Instant,
    packet: Uint8Array,
    end: number,
    nextNumber: number,
    reassembler: Reassembler,
    streams: SessionStreams | undefined,
  ): DropReason | undefined {
    reader.reset(packet, DATA_HEADER, end);
    this.eliciting = false;
    this.probing = true;
    this.data = false;
    let floor = -1;
    let fragments = 0;
    let crowded = false;
    while (reader.next()) {
      const { type } = reader;
      if (type === FrameType.ack && reader.ackLast[0]! >= nextNumber) return 'badAck';
      if (type === FrameType.firstFragment) floor = Math.max(floor, reader.floor);
      if (isFragment(type)) fragments++;
      if (isStreamData(type) && streams?.crowded(reader) === true) crowded = true;
      if (!isProbing(type)) this.probing = false;
      if (isEliciting(type)) this.eliciting = true;
      if (isData(type)) this.data = true;
    }
    if (reader.failed) return 'malformed';
    if (crowded) return 'reassemblyFull';
    if (fragments === 0) return undefined;
    // The floor is true whether or not there is room for what came with it, and may be what makes the room.
    reassembler.raiseFloor(floor);
    reassembler.beginPacket();
    reader.reset(packet, DATA_HEADER, end);
    while (reader.next()) {
      const refused = isFragment(reader.type) ? reassembler.refuses(now, reader) : undefined;
      if (refused !== undefined) return refused;
    }
    return undefined;
  }
}

const isFragment = (type: number): boolean => type === FrameType.firstFragment || type === FrameType.fragment;

const isStreamData = (type: number): boolean => type >= FrameType.streamOpen && type <= FrameType.streamEnd;

const isProbing = (type: number): boolean =>
  type === FrameType.padding || type === FrameType.pathChallenge || type === FrameType.pathResponse;

/** All frames ask for an ack but these: an ack must not be acknowledged for ever, a path frame has its own answer. */
const isEliciting = (type: number): boolean =>
  !isProbing(type) && type !== FrameType.ack && type !== FrameType.close;

const isData = (type: number): boolean =>
  isFragment(type) || isStreamData(type) || type === FrameType.datagram || type === FrameType.control;
