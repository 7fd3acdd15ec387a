/**
 * Every number of the wire, once. Sections name `docs/spec/01-wire.md` (wire) and `docs/spec/03-session.md` (session)
 * unless an RFC is named.
 */

/** The major version of the wire; it is in the prologue of every handshake (wire, section 2). */
export const WIRE_VERSION = 1;

/**
 * The two top bits of the first byte of every datagram of ours. Kinds follow in four bits, flags in the last two:
 * 0xC0–0xFF stays clear of STUN (0–3), DTLS (20–63), TURN channels (64–79) and RTP (128–191), so that any of them may
 * share our socket (RFC 9443, section 2; only QUIC's long headers lie in our range). Wire, section 2.
 */
export const FIRST_BYTE_MARK = 0xc0;

/** What a datagram is; the number is on the wire (wire, section 2). */
export const PACKET_KINDS = [
  'initiation',
  'response',
  'finish',
  'retry',
  'cookie',
  'data',
  'reset',
  'relay',
  'refusal',
  'versionRefusal',
  'beacon',
  'checkIn',
] as const;

/** One of {@link PACKET_KINDS}. */
export type PacketKind = (typeof PACKET_KINDS)[number];

/** Flag of a data packet: the key phase, which changes with every rekey (wire, section 3). */
export const FLAG_KEY_PHASE = 0x1;

/** The kind that a first byte tells, or `undefined` when the datagram is not one of ours. */
export function packetKind(byte: number): PacketKind | undefined {
  return (byte & 0xc0) === FIRST_BYTE_MARK ? PACKET_KINDS[(byte >> 2) & 0xf] : undefined;
}

/** The first byte of a datagram of `kind`; `flags` are two bits. */
export function firstByte(kind: PacketKind, flags: number = 0): number {
  return FIRST_BYTE_MARK | (PACKET_KINDS.indexOf(kind) << 2) | (flags & 0x3);
}

/** The two flag bits of a first byte. */
export const packetFlags = (byte: number): number => byte & 0x3;

/**
 * Bytes of UDP payload that every path carries: QUIC's minimum (RFC 9000, section 14). Nothing larger is sent on a path
 * that was not probed for it.
 */
export const MAX_DATAGRAM = 1_200;

/**
 * Bytes of UDP payload that are left to a path which proved too narrow for {@link MAX_DATAGRAM}; paths below are no use to
 * anybody (session, section 12).
 */
export const MIN_PATH_DATAGRAM = 1_024;

/**
 * The largest UDP payload that is tried where nobody proved what the link carries: Ethernet's 1,500 bytes less the headers of
 * IPv6 and UDP (session, section 12). A relay carries no more.
 */
export const MAX_UNPROVED_DATAGRAM = 1_452;

/** The largest UDP payload there is: 65,535 bytes less the headers of IPv4 and UDP. Only loopback carries it. */
export const MAX_RECEIVED_DATAGRAM = 65_507;

/** First byte and channel of a relay packet, outside the packet that two peers exchange (wire, section 4). */
export const RELAY_HEADER = 5;

/** First byte, receiver index and packet number of a data packet: its associated data (wire, section 3). */
export const DATA_HEADER = 9;

/** A Poly1305 tag (RFC 8439, section 2.8). */
export const TAG = 16;

/** Bytes that a data packet adds to its frames: 25 (wire, section 3). */
export const DATA_OVERHEAD: number = DATA_HEADER + TAG;

/** The shortest data packet: one frame of one byte. A packet without a frame says nothing and is malformed. */
export const MIN_DATA_PACKET: number = DATA_OVERHEAD + 1;

/**
 * The largest packet between two peers: room for a relay header is always left, so that a packet built for a direct path
 * still fits when the path becomes a relayed one.
 */
export const MAX_PACKET: number = MAX_DATAGRAM - RELAY_HEADER;

/** A reset token: MAC over the receiver index (wire, section 5). */
export const RESET_TOKEN = 16;

/** Packet numbers end here, far below the 2^64 of the nonce and 2^53 of a double: the session closes first (session, section 2). */
export const MAX_PACKET_NUMBER: number = 2 ** 48;

/** Types of frames (session, section 4). 0x20 is reserved. */
export const FrameType = {
  padding: 0x00,
  ping: 0x01,
  ack: 0x02,
  fragment: 0x03,
  firstFragment: 0x04,
  datagram: 0x05,
  pathChallenge: 0x06,
  pathResponse: 0x07,
  close: 0x08,
  control: 0x09,
  ackFrequency: 0x0a,
  immediateAck: 0x0b,
  rekeyOffer: 0x0c,
  rekeyAnswer: 0x0d,
  streamOpen: 0x10,
  streamOpenEnd: 0x11,
  stream: 0x12,
  streamEnd: 0x13,
  streamCredit: 0x14,
  sessionCredit: 0x15,
  streamReset: 0x16,
  streamStop: 0x17,
  messageGrant: 0x18,
  messageRepeat: 0x19,
  messageAbandon: 0x1a,
} as const;

/** Frames of later minor versions: a varint length follows the type, and who does not know them skips them (session, section 4). */
export const SKIPPABLE_FRAMES = { first: 0x40, last: 0x7f } as const;

/** Ranges in one ack frame: 32 cover any loss pattern between two acks; more would only cost the parser (session, section 5). */
export const MAX_ACK_RANGES = 32;

/** The most packets for which one ack may be asked: more would leave a sender blind for a whole window (session, section 5). */
export const MAX_ACK_EVERY = 255;

/** An ack delay is counted in units of 8 µs, QUIC's default exponent of 3 (RFC 9000, section 18.2). */
export const ACK_DELAY_UNIT = 0.008;

/** The longest message: 16 MiB, for its receiver keeps all of it until it is whole. Larger things are streams (session, section 7). */
export const MAX_MESSAGE: number = 16 * 1_024 * 1_024;

/**
 * Bytes of a message that may be sent before the receiver has granted it: what a program usually has to say goes without
 * a round trip, and endless beginnings cost a receiver no more than this each (session, section 7).
 */
export const UNGRANTED_MESSAGE: number = 64 * 1_024;

/** Messages that take several packets and are under way at once: together at most 2 MiB without a grant (session, section 7). */
export const MAX_MESSAGES_UNDER_WAY = 32;

/** A sender's unfinished messages lie less than this above its floor (session, section 7). */
export const MESSAGE_WINDOW = 1_024;

/** Message priorities are 0 (first) to 7 (last). */
export const LOWEST_PRIORITY = 7;

/**
 * Bytes of one stream that its sender may send before the first credit came: a round trip of 10 ms at 100 Mbit/s
 * (session, section 11).
 */
export const INITIAL_STREAM_CREDIT: number = 128 * 1_024;

/** Bytes of all streams together that a sender may send before the first credit came (session, section 11). */
export const INITIAL_SESSION_CREDIT: number = 256 * 1_024;

/** Streams of each kind that may be opened before the first credit came; an empty one costs some hundred bytes (session, section 11). */
export const INITIAL_STREAMS = 128;

/** A stream ends here at the latest: its last byte and its end have numbers that a varint holds. */
export const MAX_STREAM_LENGTH: number = Number.MAX_SAFE_INTEGER - 1;

/** The longest content of a control frame: it fits the narrowest path, and a list of candidates fits well (session, section 8). */
export const MAX_CONTROL = 960;

/**
 * The longest message inside a rekey frame. Both have 48 bytes; a later minor version may put a payload behind them
 * (session, section 13).
 */
export const MAX_REKEY_MESSAGE = 256;

/** Control frames in flight span fewer numbers than this, which bounds the receiver's memory of them (session, section 8). */
export const CONTROL_WINDOW = 256;

/** A path challenge or response: enough that nobody off the path guesses it (RFC 9000, section 8.2.1). */
export const PATH_CHALLENGE = 8;

/** Bytes of UTF-8 in the reason of a close frame: one sentence. */
export const MAX_CLOSE_REASON = 128;

/** Close codes below 0x100 are the protocol's, the others the application's (session, section 10). */
export const CloseCode = {
  /** Nothing is wrong, the sender has no more use for the session. */
  done: 0x00,
  /** The peer broke a rule of the protocol inside an authenticated packet. */
  protocolViolation: 0x01,
  /** The packet numbers are used up, or the keys are worn and the peer changes none. */
  keysExhausted: 0x02,
  /** Another session with the same peer took over. */
  replaced: 0x03,
  /** The peer's membership was revoked or has ended. */
  revoked: 0x04,
  /** Nothing was acknowledged for the idle time-out. Local only, never on the wire. */
  idle: 0x05,
  /** The peer lost its state. Local only, never on the wire. */
  reset: 0x06,
} as const;
