import { ClusterError, type Duration, type Instant } from '../base/index.js';
import {
  type FrameReader,
  FrameType,
  INITIAL_SESSION_CREDIT,
  INITIAL_STREAM_CREDIT,
  INITIAL_STREAMS,
  LOWEST_PRIORITY,
} from '../wire/index.js';
import type { EventQueue } from './event-queue.js';
import { IncomingStream, type StreamChunk } from './incoming-stream.js';
import { OutgoingStream } from './outgoing-stream.js';
import type { PacketContents } from './packet-contents.js';
import { ReceiveWindow } from './receive-window.js';
import { StreamControl, type StreamNotices } from './stream-control.js';
import { isOneWay, streamId, streamOpener, type StreamOpener, streamOrdinal } from './stream-id.js';
import type { StreamMemory } from './stream-memory.js';
import { StreamTurns } from './stream-turns.js';

/** Bytes that one stream keeps until they are acknowledged, at least; more where the path's window is larger. */
export const STREAM_BUFFER: number = 256 * 1_024;

/** What the window of all streams together may grow to: 200 Mbit/s at a round trip of 600 ms. */
const MAX_SESSION_WINDOW: number = 16 * 1_024 * 1_024;

/** The peer may open so many streams of each kind at once; it hears of new ones when half of them were used. */
const MAX_OPEN_STREAMS = INITIAL_STREAMS;

const DEFAULT_PRIORITY = 4;
const MAX_CODE = 0xffff_ffff;

/** Why a stream was reset or stopped; below 0x100 the protocol's, the others the application's (session, section 11). */
export const StreamCode = {
  /** Its user has no more use for it. */
  cancelled: 0x00,
  /** Nobody here takes streams of that service. */
  refused: 0x01,
} as const;

/** What a stream is opened for. */
export interface StreamOptions {
  /** The service that takes it at the other end, 0 to 2^32 − 1. */
  readonly service: number;
  /** 0 (first) to 7 (last), among streams and messages alike; 4 unless given. */
  readonly priority?: number;
  /** Only this side sends. */
  readonly oneWay?: boolean;
}

/** What the streams of a session need to know of it. */
export interface StreamSurroundings {
  readonly role: StreamOpener;
  readonly memory: StreamMemory;
  readonly events: EventQueue;
  /** Whether the peer may open streams; if not, they are refused one by one. */
  readonly accept: () => boolean;
  /** The smoothed round trip of the active path. */
  readonly roundTrip: () => Duration;
  /** Bytes that the active path's congestion window lets out at once. */
  readonly window: () => number;
}

interface Stream {
  readonly id: number;
  /** Undefined on a one-way stream of the peer. */
  readonly outgoing: OutgoingStream | undefined;
  /** Undefined on our own one-way stream. */
  readonly incoming: IncomingStream | undefined;
  /** Whether its service is known here: by our opening or by the peer's. */
  opened: boolean;
  /** An event told that it can be read, and it was not read empty since. */
  announced: boolean;
  /** A write was cut short, and no event told yet that there is room. */
  full: boolean;
}

/**
 * All streams of one session: credit in both directions, turns, and what is told of them
 * (docs/spec/03-session.md, section 11).
 */
export class SessionStreams {
  readonly #surroundings: StreamSurroundings;
  readonly #streams = new Map<number, Stream>();
  readonly #turns = new StreamTurns();
  readonly #control: StreamControl;
  readonly #window = new ReceiveWindow(INITIAL_SESSION_CREDIT, MAX_SESSION_WINDOW);
  /** Bytes of the peer's that count against the window. */
  #received = 0;
  /** Bytes that we may send since the beginning, and that we sent. */
  #credit = INITIAL_SESSION_CREDIT;
  #sent = 0;
  /** Two-way and one-way streams: opened by us, allowed to us, opened by the peer, allowed to it, ended of the peer's. */
  readonly #opened: [number, number] = [0, 0];
  readonly #allowed: [number, number] = [INITIAL_STREAMS, INITIAL_STREAMS];
  readonly #seen: [number, number] = [0, 0];
  readonly #granted: [number, number] = [INITIAL_STREAMS, INITIAL_STREAMS];
  readonly #ended: [number, number] = [0, 0];
  /** An open was refused for want of credit, and no event told yet that there is some. */
  #wanting = false;

  constructor(surroundings: StreamSurroundings) {
    this.#surroundings = surroundings;
    const notices: StreamNotices = {
      streamCredit: id => {
        const incoming = this.#streams.get(id)?.incoming;
        return incoming?.state === 'open' ? incoming.window.limit : undefined;
      },
      sessionCredit: () => ({
        credit: this.#window.limit,
        streams: this.#granted[0],
        oneWayStreams: this.#granted[1],
      }),
      reset: id => {
        const outgoing = this.#streams.get(id)?.outgoing;
        if (outgoing?.state.kind !== 'reset') return undefined;
        return { code: outgoing.state.code, finalSize: outgoing.sentBytes };
      },
      resetArrived: id => {
        const stream = this.#streams.get(id);
        stream?.outgoing?.finish();
        if (stream !== undefined) this.#retire(stream);
      },
    };
    this.#control = new StreamControl(notices);
  }

  /** Streams that have not ended both ways. */
  get size(): number {
    return this.#streams.size;
  }

  /** Whether anything may be sent now. */
  get sendable(): boolean {
    return this.#control.due || this.#turns.mask !== 0;
  }

  /** A bit for each priority at which a stream may send. */
  get readyPriorities(): number {
    return this.#turns.mask;
  }

  // What the application wants.

  /** Opens a stream; the peer hears of it with its first bytes or at once. Throws when the peer allows no more now. */
  open(options: StreamOptions): number {
    const { service, priority = DEFAULT_PRIORITY, oneWay = false } = options;
    checkNumber('the service', service, MAX_CODE);
    checkNumber('the priority', priority, LOWEST_PRIORITY);
    const kind = oneWay ? 1 : 0;
    if (this.#opened[kind] >= this.#allowed[kind]) {
      this.#wanting = true;
      throw new ClusterError(
        'QUEUE_FULL',
        `the peer allows ${MAX_OPEN_STREAMS} streams at once; wait for the event streamsAvailable, or end some`,
      );
    }
    const id = streamId(this.#surroundings.role, oneWay, this.#opened[kind]++);
    const stream = this.#add(id, service, priority, true);
    this.#surroundings.events.trace?.stream(id, 'open');
    this.#offer(stream);
    return id;
  }

  /**
   * Writes as many bytes as there is room for, as copies, and returns how many; where it is less than all,
   * `streamWritable` follows. Throws when the stream is not open for writing.
   */
  write(id: number, bytes: Uint8Array): number {
    const stream = this.#writable(id);
    const { outgoing } = stream;
    const length = Math.max(0, Math.min(bytes.length, this.#capacity() - outgoing.buffered));
    outgoing.write(length === bytes.length ? bytes : bytes.subarray(0, length));
    stream.full ||= length < bytes.length;
    this.#offer(stream);
    return length;
  }

  /** Ends our half behind what was written; `streamFinished` follows when the peer has all of it. */
  end(id: number): void {
    const stream = this.#writable(id);
    stream.outgoing.end();
    this.#surroundings.events.trace?.stream(id, 'data_sent', 'sending');
    this.#offer(stream);
  }

  /** Gives our half up: the peer hears `code` and loses what it has not yet. No effect on one that has ended. */
  reset(id: number, code: number): void {
    checkNumber('the code', code, MAX_CODE);
    const stream = this.#streams.get(id);
    if (stream?.outgoing?.reset(code) !== true) return;
    this.#turns.leave(stream.outgoing);
    this.#control.reset(id);
  }

  /** Reads no more of the peer's half; it is asked to stop with `code`. No effect on one that has ended. */
  stop(now: Instant, id: number, code: number): void {
    checkNumber('the code', code, MAX_CODE);
    const stream = this.#streams.get(id);
    if (stream?.incoming?.state !== 'open') return;
    this.#discard(now, stream, code);
    this.#retire(stream);
  }

  /** Takes what can be read now, a part at a time; `undefined` when nothing can: `streamReadable` follows. */
  read(now: Instant, id: number): StreamChunk | undefined {
    const stream = this.#streams.get(id);
    if (stream?.incoming === undefined || !stream.opened) return undefined;
    const chunk = stream.incoming.read();
    if (!stream.incoming.hasNews) stream.announced = false;
    if (chunk === undefined) return undefined;
    this.#consume(now, stream, chunk.bytes.length);
    if (chunk.end) this.#retire(stream);
    return chunk;
  }

  // What the peer says. A string is the rule that it broke.

  /** Whether the frame must not be acknowledged now, because there is no room for the gap that it leaves. */
  crowded(frame: FrameReader): boolean {
    return this.#streams.get(frame.streamId)?.incoming?.crowded(frame.offset) === true;
  }

  /** Takes one frame of streams. */
  take(now: Instant, frame: FrameReader): string | undefined {
    if (frame.type === FrameType.sessionCredit) {
      this.#takeSessionCredit(frame);
      return undefined;
    }
    const { role } = this.#surroundings;
    const id = frame.streamId;
    if (streamOpener(id) !== role) {
      const refused = this.#see(now, id);
      if (refused !== undefined) return refused;
    } else if (streamOrdinal(id) >= this.#opened[isOneWay(id) ? 1 : 0]) {
      return `it names stream ${id}, which was never opened`;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return undefined; // It has ended: a late repetition.
    switch (frame.type) {
      case FrameType.streamCredit:
        return this.#takeCredit(stream, frame);
      case FrameType.streamReset:
        return this.#takeReset(now, stream, frame);
      case FrameType.streamStop:
        return this.#takeStop(stream, frame);
      default:
        return this.#takeData(now, stream, frame);
    }
  }

  // What goes out.

  /** Writes credits, resets and stops; returns the offset behind them. */
  writeControl(into: Uint8Array, offset: number, limit: number, contents: PacketContents): number {
    return this.#control.write(into, offset, limit, contents);
  }

  /** Writes streams of one priority in turns, a frame each; returns the offset behind them. */
  writeData(
    into: Uint8Array,
    offset: number,
    limit: number,
    priority: number,
    contents: PacketContents,
  ): number {
    let at = offset;
    for (let next = this.#turns.next(priority); next !== undefined; next = this.#turns.next(priority)) {
      const before = next.sentBytes;
      const end = next.writeFrame(into, at, limit, this.#credit - this.#sent, contents);
      this.#sent += next.sentBytes - before;
      const more = next.sendable(this.#credit - this.#sent);
      if (end === at && more) return at;
      at = end;
      if (more) this.#turns.rotate(next);
      else this.#turns.leave(next);
    }
    return at;
  }

  /** Forgets everything: the session is closed. */
  clear(): void {
    for (const { outgoing, incoming } of this.#streams.values()) {
      outgoing?.finish();
      incoming?.clear();
    }
    this.#streams.clear();
    this.#turns.clear();
    this.#control.clear();
  }

  #add(id: number, service: number, priority: number, ours: boolean): Stream {
    const { memory } = this.#surroundings;
    const sends = ours || !isOneWay(id);
    const receives = !ours || !isOneWay(id);
    const owner = {
      revived: () => {
        this.#offer(stream);
      },
      completed: () => {
        this.#surroundings.events.push({ kind: 'streamFinished', stream: id });
        this.#retire(stream);
      },
      drained: () => {
        if (!stream.full || stream.outgoing!.buffered > this.#capacity() / 2) return;
        stream.full = false;
        this.#surroundings.events.push({ kind: 'streamWritable', stream: id });
      },
    };
    const outgoing = sends
      ? new OutgoingStream(id, service, priority, ours, INITIAL_STREAM_CREDIT, memory, owner)
      : undefined;
    const incoming = receives ? new IncomingStream(memory) : undefined;
    const stream: Stream = { id, outgoing, incoming, opened: ours, announced: false, full: false };
    this.#streams.set(id, stream);
    return stream;
  }

  /** The peer names a stream of its own: it and all before it exist now. */
  #see(now: Instant, id: number): string | undefined {
    const kind = isOneWay(id) ? 1 : 0;
    const ordinal = streamOrdinal(id);
    if (ordinal >= this.#granted[kind])
      return `it opened stream ${id}, beyond the ${this.#granted[kind]} allowed`;
    const { role, accept } = this.#surroundings;
    const opener = role === 'initiator' ? 'responder' : 'initiator';
    for (let next = this.#seen[kind]; next <= ordinal; next++) {
      this.#seen[kind] = next + 1;
      const stream = this.#add(streamId(opener, kind === 1, next), 0, DEFAULT_PRIORITY, false);
      if (!accept()) this.#refuse(now, stream);
    }
    return undefined;
  }

  #refuse(now: Instant, stream: Stream): void {
    this.#discard(now, stream, StreamCode.refused);
    if (stream.outgoing?.reset(StreamCode.refused) === true) this.#control.reset(stream.id);
  }

  #discard(now: Instant, stream: Stream, code: number): void {
    const unread = stream.incoming!.discard();
    this.#control.stop(stream.id, code);
    this.#consume(now, stream, unread);
  }

  #takeData(now: Instant, stream: Stream, frame: FrameReader): string | undefined {
    const { incoming, id } = stream;
    if (incoming === undefined) return `it sends on stream ${id}, which is ours alone`;
    const { data, offset, fin } = frame;
    const end = offset + data.length;
    if (end > incoming.window.limit)
      return `it sends stream ${id} beyond its credit of ${incoming.window.limit}`;
    if (incoming.contradicts(end, fin)) return `it changes the length of stream ${id}`;
    const added = incoming.take(offset, data, fin);
    const broken = this.#count(added);
    if (broken !== undefined) return broken;
    if (incoming.state !== 'open') {
      this.#consume(now, stream, added);
      this.#retire(stream);
      return undefined;
    }
    if (frame.type === FrameType.streamOpen || frame.type === FrameType.streamOpenEnd)
      this.#announce(stream, frame);
    this.#tellReadable(stream);
    return undefined;
  }

  #announce(stream: Stream, { service, priority }: FrameReader): void {
    if (stream.opened) return;
    stream.opened = true;
    stream.outgoing?.adopt(service, priority);
    const { id } = stream;
    this.#surroundings.events.push({
      kind: 'streamOpened',
      stream: id,
      service,
      priority,
      oneWay: isOneWay(id),
    });
  }

  #tellReadable(stream: Stream): void {
    if (stream.announced || !stream.opened || !stream.incoming!.hasNews) return;
    stream.announced = true;
    this.#surroundings.events.push({ kind: 'streamReadable', stream: stream.id });
  }

  #takeReset(now: Instant, stream: Stream, frame: FrameReader): string | undefined {
    const { incoming, id } = stream;
    if (incoming === undefined) return `it resets stream ${id}, which is ours alone`;
    if (incoming.state === 'finished') return undefined;
    const { finalSize, streamCode } = frame;
    if (
      finalSize > incoming.window.limit ||
      finalSize < incoming.highest ||
      incoming.contradicts(finalSize, true)
    )
      return `it changes the length of stream ${id}`;
    const broken = this.#count(finalSize - incoming.highest);
    if (broken !== undefined) return broken;
    const wanted = incoming.state === 'open' && stream.opened;
    this.#consume(now, stream, incoming.reset(finalSize));
    if (wanted) this.#surroundings.events.push({ kind: 'streamReset', stream: id, code: streamCode });
    // Who never heard of the stream has nothing to say on it.
    if (!stream.opened && stream.outgoing?.reset(StreamCode.cancelled) === true) this.#control.reset(id);
    this.#retire(stream);
    return undefined;
  }

  #takeStop(stream: Stream, frame: FrameReader): string | undefined {
    const { outgoing, id } = stream;
    if (outgoing === undefined) return `it stops stream ${id}, which is its own`;
    if (!outgoing.reset(frame.streamCode)) return undefined;
    this.#turns.leave(outgoing);
    this.#control.reset(id);
    if (stream.opened)
      this.#surroundings.events.push({ kind: 'streamStopped', stream: id, code: frame.streamCode });
    return undefined;
  }

  #takeCredit(stream: Stream, frame: FrameReader): string | undefined {
    if (stream.outgoing === undefined) return `it gives credit for stream ${stream.id}, which is its own`;
    stream.outgoing.raiseCredit(frame.credit);
    this.#offer(stream);
    return undefined;
  }

  #takeSessionCredit(frame: FrameReader): void {
    const { credit, streams, oneWayStreams } = frame;
    const more = streams > this.#allowed[0] || oneWayStreams > this.#allowed[1];
    this.#allowed[0] = Math.max(this.#allowed[0], streams);
    this.#allowed[1] = Math.max(this.#allowed[1], oneWayStreams);
    if (more && this.#wanting) {
      this.#wanting = false;
      this.#surroundings.events.push({ kind: 'streamsAvailable' });
    }
    if (credit <= this.#credit) return;
    this.#credit = credit;
    for (const stream of this.#streams.values()) this.#offer(stream);
  }

  /** Counts new bytes of the peer against the credit of the session. */
  #count(added: number): string | undefined {
    this.#received += added;
    return this.#received > this.#window.limit
      ? `it sends beyond the session's credit of ${this.#window.limit}`
      : undefined;
  }

  #consume(now: Instant, { id, incoming }: Stream, bytes: number): void {
    if (bytes === 0) return;
    const { roundTrip, memory } = this.#surroundings;
    if (incoming!.consumed(now, bytes, roundTrip(), memory.roomy)) this.#control.streamCredit(id);
    if (this.#window.consume(now, bytes, roundTrip(), memory.roomy)) this.#control.sessionCredit();
  }

  /** Bytes that a stream may keep: enough for one window in flight and one to follow it. */
  #capacity(): number {
    return Math.max(STREAM_BUFFER, 2 * this.#surroundings.window());
  }

  /** Puts a stream into its turn if it has something to send. */
  #offer({ outgoing }: Stream): void {
    if (outgoing?.sendable(this.#credit - this.#sent) === true) this.#turns.join(outgoing);
  }

  /** Forgets a stream that has ended both ways, and lets the peer open another one in its place. */
  #retire(stream: Stream): void {
    const { id, outgoing, incoming } = stream;
    if (outgoing !== undefined && outgoing.state.kind !== 'finished') return;
    if (incoming !== undefined && incoming.state !== 'finished') return;
    if (!this.#streams.delete(id)) return;
    this.#surroundings.events.trace?.stream(id, 'closed');
    if (streamOpener(id) === this.#surroundings.role) return;
    const kind = isOneWay(id) ? 1 : 0;
    this.#ended[kind]++;
    const allowed = this.#ended[kind] + MAX_OPEN_STREAMS;
    if (this.#granted[kind] - this.#seen[kind] > MAX_OPEN_STREAMS / 2 || allowed <= this.#granted[kind])
      return;
    this.#granted[kind] = allowed;
    this.#control.sessionCredit();
  }

  #writable(id: number): Stream & { readonly outgoing: OutgoingStream } {
    const stream = this.#streams.get(id);
    if (stream?.outgoing?.state.kind === 'open')
      return stream as Stream & { readonly outgoing: OutgoingStream };
    throw new ClusterError(
      'INVALID_STATE',
      `stream ${id} is not open for writing: it was ended, reset, stopped by the peer, or is the peer's alone`,
    );
  }
}

function checkNumber(what: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= most) return;
  throw new ClusterError(
    'INVALID_ARGUMENT',
    `${what} of a stream is ${value}; give an integer from 0 to ${most}`,
  );
}
