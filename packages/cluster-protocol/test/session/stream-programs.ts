import type { SessionEvent } from '../../src/session/index.js';
import type { SessionPair, Side } from './pair.js';

/** Bytes of a stream that tell its place and its number apart. */
export function streamBytes(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (seed * 37 + i * 11 + (i >> 8) * 5 + (i >> 16)) & 0xff;
  return bytes;
}

/** One half of a stream as its reader sees it. */
export interface Received {
  readonly chunks: Uint8Array[];
  readonly bytes: Uint8Array;
  ended: boolean;
  reset: number | undefined;
}

/** Two programs on a pair of sessions: each writes what it was given as room comes, and reads what is readable. */
export class StreamPrograms {
  readonly #pair: SessionPair;
  readonly #cursor: Record<Side, number> = { a: 0, b: 0 };
  readonly #writing: Record<Side, Map<number, { rest: Uint8Array; end: boolean }>> = {
    a: new Map(),
    b: new Map(),
  };
  /** What a side received, by stream. */
  readonly received: Record<Side, Map<number, Received>> = { a: new Map(), b: new Map() };
  /** Streams that a side stopped or will not read. */
  readonly paused: Record<Side, Set<number>> = { a: new Set(), b: new Set() };
  /** What a side does when the peer opens a stream. */
  opened: (side: Side, event: SessionEvent & { kind: 'streamOpened' }) => void = () => undefined;
  /** How many bytes a side read, in total. */
  readonly bytes: Record<Side, number> = { a: 0, b: 0 };

  constructor(pair: SessionPair) {
    this.#pair = pair;
    pair.onDrained = side => this.#serve(side);
  }

  /** Writes bytes to a stream as there is room, then ends it if asked to. */
  write(side: Side, stream: number, bytes: Uint8Array, end = true): void {
    const before = this.#writing[side].get(stream)?.rest ?? new Uint8Array(0);
    const rest = new Uint8Array(before.length + bytes.length);
    rest.set(before);
    rest.set(bytes, before.length);
    this.#writing[side].set(stream, { rest, end });
    this.#push(side, stream);
  }

  /** Reads all that a side has for a stream. */
  read(side: Side, stream: number): void {
    const session = this.#pair.sides[side];
    const half = this.half(side, stream);
    for (;;) {
      const chunk = session.streams.read(this.#pair.now, stream);
      if (chunk === undefined) return;
      half.chunks.push(chunk.bytes);
      this.bytes[side] += chunk.bytes.length;
      half.ended ||= chunk.end;
    }
  }

  /** What a side received on a stream so far. */
  half(side: Side, stream: number): Received {
    const known = this.received[side].get(stream);
    if (known !== undefined) return known;
    const chunks: Uint8Array[] = [];
    const fresh: Received = {
      chunks,
      get bytes() {
        return new Uint8Array(Buffer.concat(chunks));
      },
      ended: false,
      reset: undefined,
    };
    this.received[side].set(stream, fresh);
    return fresh;
  }

  /** Whether everything that was given to be written was taken. */
  get allWritten(): boolean {
    return this.#writing.a.size === 0 && this.#writing.b.size === 0;
  }

  #push(side: Side, stream: number): void {
    const writing = this.#writing[side].get(stream);
    if (writing === undefined) return;
    const { streams } = this.#pair.sides[side];
    const taken = streams.write(stream, writing.rest);
    writing.rest = writing.rest.subarray(taken);
    if (writing.rest.length > 0) return;
    this.#writing[side].delete(stream);
    if (writing.end) streams.end(stream);
  }

  #serve(side: Side): boolean {
    const events = this.#pair.events[side];
    const from = this.#cursor[side];
    for (; this.#cursor[side] < events.length; this.#cursor[side]++) {
      const event = events[this.#cursor[side]]!;
      if (event.kind === 'streamOpened') this.opened(side, event);
      else if (event.kind === 'streamReadable') {
        if (!this.paused[side].has(event.stream)) this.read(side, event.stream);
      } else if (event.kind === 'streamWritable') this.#push(side, event.stream);
      else if (event.kind === 'streamReset') this.half(side, event.stream).reset = event.code;
      else if (event.kind === 'streamStopped') this.#writing[side].delete(event.stream);
    }
    return from !== this.#cursor[side];
  }
}
