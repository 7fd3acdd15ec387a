import { DropCounters, instant, type Instant } from '../../src/base/index.js';
import type { CryptoProvider } from '../../src/crypto/provider.js';
import {
  KeyRatchet,
  MessageMemory,
  Session,
  StreamMemory,
  type PathId,
  type RekeyNoise,
  type SessionConfig,
  type SessionEvent,
} from '../../src/session/index.js';
import { AuthenticatingProvider } from '../../src/testing/authenticating-provider.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { MAX_DATAGRAM, MAX_RECEIVED_DATAGRAM } from '../../src/wire/index.js';

/** How the link between two sessions treats packets, both ways alike. */
export interface Link {
  /** One way, in milliseconds. */
  delay: number;
  /** Up to so many milliseconds more, each packet for itself: reorders. */
  jitter: number;
  /** Chance that a packet is lost, 0–1. */
  loss: number;
  /** Chance that a packet comes twice. */
  duplication: number;
}

export type Side = 'a' | 'b';

/** A packet on its way. */
export interface Flight {
  readonly from: Side;
  readonly path: PathId;
  readonly bytes: Uint8Array;
  readonly number: number;
}

export interface PairOptions {
  readonly seed?: number;
  readonly link?: Partial<Link>;
  readonly config?: Partial<SessionConfig>;
  /** What is known that the path may carry. */
  readonly pathLimit?: number;
  /** Whether the responder has to learn that the initiator is there. */
  readonly provenPath?: boolean;
  /** What half messages may take at `b`, shared with other pairs. */
  readonly messageMemory?: MessageMemory;
  /** What one side does otherwise than both. */
  readonly configOf?: Partial<Record<Side, Partial<SessionConfig>>>;
  /** What a side makes further keys with, in place of what is given. */
  readonly rekeyNoise?: (side: Side, honest: RekeyNoise) => RekeyNoise | undefined;
  /** Does the cryptography; one that only authenticates unless something else is given. */
  readonly provider?: CryptoProvider;
}

/** The one at the other end. */
export const other = (side: Side): Side => (side === 'a' ? 'b' : 'a');

/** Two sessions, a clock that jumps from one event to the next, and a link that loses, delays, doubles and rebinds. */
export class SessionPair {
  now: Instant = instant(1_000);
  readonly link: Link;
  readonly random: SeededRandom;
  readonly drops: Record<Side, DropCounters> = { a: new DropCounters(), b: new DropCounters() };
  readonly events: Record<Side, SessionEvent[]> = { a: [], b: [] };
  readonly sides: Record<Side, Session>;
  readonly memory: Record<Side, StreamMemory> = { a: new StreamMemory(), b: new StreamMemory() };
  readonly messageMemory: Record<Side, MessageMemory>;
  /** Sequences that {@link sendAll} sent and that are not yet acknowledged. */
  readonly open: Record<Side, Set<number>> = { a: new Set(), b: new Set() };
  /** Packets sent so far by each side. */
  readonly sent: Record<Side, number> = { a: 0, b: 0 };
  /** Every datagram sent, when recording. */
  recorded: Flight[] | undefined;
  /** What the receiver sees as the path of a packet. */
  pathSeen: (flight: Flight) => PathId = flight => flight.path;
  /** Drops what it says, besides the random loss. */
  drop: (flight: Flight) => boolean = () => false;
  /** What a program does after its session was drained; tells whether it did anything. */
  onDrained: (side: Side) => boolean = () => false;
  readonly #queue: { at: Instant; order: number; flight: Flight }[] = [];
  readonly #buffer = new Uint8Array(MAX_RECEIVED_DATAGRAM);
  #order = 0;

  constructor(options: PairOptions = {}) {
    this.random = new SeededRandom(options.seed ?? 1);
    this.link = { delay: 10, jitter: 0, loss: 0, duplication: 0, ...options.link };
    const provider = options.provider ?? new AuthenticatingProvider();
    const key = (label: number) => provider.aeadKey(new Uint8Array(32).fill(label));
    this.messageMemory = { a: new MessageMemory(), b: options.messageMemory ?? new MessageMemory() };
    const statics = {
      a: provider.dhKeyPair(new Uint8Array(32).fill(3)),
      b: provider.dhKeyPair(new Uint8Array(32).fill(4)),
    };
    const indices = { a: 0xa0a0a0a0, b: 0xb0b0b0b0 };
    const build = (side: Side): Session => {
      const honest = new KeyRatchet({
        provider,
        random: this.random.fork(`keys of ${side}`),
        staticKey: statics[side],
        remoteStatic: statics[other(side)].publicKey,
        localIndex: indices[side],
        remoteIndex: indices[other(side)],
        secret: new Uint8Array(32).fill(5),
      });
      const rekeyNoise = options.rekeyNoise === undefined ? honest : options.rekeyNoise(side, honest);
      return new Session({
        role: side === 'a' ? 'initiator' : 'responder',
        sendKey: key(side === 'a' ? 1 : 2),
        receiveKey: key(side === 'a' ? 2 : 1),
        localIndex: indices[side],
        remoteIndex: indices[other(side)],
        path: 0,
        pathValidated: side === 'a' || options.provenPath !== false,
        now: this.now,
        random: this.random.fork(side),
        drops: this.drops[side],
        streamMemory: this.memory[side],
        ...(options.pathLimit !== undefined && { pathLimit: () => options.pathLimit! }),
        messageMemory: this.messageMemory[side],
        config: {
          acceptStreams: () => true,
          maxDatagram: MAX_DATAGRAM,
          ...options.config,
          ...options.configOf?.[side],
        },
        ...(rekeyNoise !== undefined && { rekeyNoise }),
      });
    };
    this.sides = { a: build('a'), b: build('b') };
  }

  get a(): Session {
    return this.sides.a;
  }

  get b(): Session {
    return this.sides.b;
  }

  /** Takes everything that both sides have to say now. */
  drain(): void {
    for (let quiet = false; !quiet;) {
      quiet = true;
      for (const side of ['a', 'b'] as const) {
        if (this.#drainSide(side)) quiet = false;
        if (this.onDrained(side)) quiet = false;
      }
    }
  }

  /** Lets time pass until `end`, jumping from event to event. */
  runUntil(end: Instant): void {
    this.run(() => false, end - this.now);
  }

  /** Lets `duration` milliseconds pass, or less when `done` comes true; tells whether it did. */
  run(done: () => boolean = () => false, duration: number = 60_000): boolean {
    const end = instant(this.now + duration);
    this.drain();
    for (let steps = 0; !done(); steps++) {
      if (steps > 2_000_000) throw new Error('the pair never comes to rest');
      const next = this.#nextInstant();
      if (next === undefined || next > end) {
        this.now = end;
        return done();
      }
      this.now = next > this.now ? next : this.now;
      this.#step();
      this.drain();
    }
    return true;
  }

  /** Puts a datagram on the link as if `from` had sent it. */
  inject(flight: Omit<Flight, 'number'>, delay: number = this.link.delay): void {
    this.#deliver({ ...flight, number: -1 }, delay);
  }

  /** Messages that a side received, in the order they came. */
  messages(side: Side): readonly (SessionEvent & { kind: 'message' })[] {
    return this.events[side].filter(event => event.kind === 'message');
  }

  /** How many events of a kind a side had. */
  count(side: Side, kind: SessionEvent['kind']): number {
    return this.events[side].filter(event => event.kind === kind).length;
  }

  #drainSide(side: Side): boolean {
    const session = this.sides[side];
    let spoke = false;
    for (let event = session.pollEvent(); event !== undefined; event = session.pollEvent()) {
      spoke = true;
      this.events[side].push(event);
      if (event.kind === 'messageAcknowledged') this.open[side].delete(event.sequence);
    }
    for (;;) {
      const transmit = session.pollTransmit(this.now, this.#buffer);
      if (transmit === undefined) return spoke;
      spoke = true;
      this.#launch(side, transmit.path, this.#buffer.slice(0, transmit.length));
    }
  }

  #launch(from: Side, path: PathId, bytes: Uint8Array): void {
    const flight = { from, path, bytes, number: this.sent[from]++ };
    this.recorded?.push({ ...flight, bytes: bytes.slice() });
    const { loss, duplication, delay, jitter } = this.link;
    const lost = this.random.fraction() < loss;
    if (this.drop(flight) || lost) return;
    this.#deliver(flight, delay + jitter * this.random.fraction());
    if (this.random.fraction() < duplication) {
      this.#deliver({ ...flight, bytes: bytes.slice() }, delay + jitter * this.random.fraction());
    }
  }

  #deliver(flight: Flight, delay: number): void {
    this.#queue.push({ at: instant(this.now + delay), order: this.#order++, flight });
    this.#queue.sort((x, y) => x.at - y.at || x.order - y.order);
  }

  #nextInstant(): Instant | undefined {
    const times = [this.#queue[0]?.at, this.a.pollTimeout(), this.b.pollTimeout()];
    const known = times.filter(time => time !== undefined);
    return known.length === 0 ? undefined : instant(Math.min(...known));
  }

  #step(): void {
    while (this.#queue.length > 0 && this.#queue[0]!.at <= this.now) {
      const { flight } = this.#queue.shift()!;
      const to = other(flight.from);
      this.sides[to].handlePacket(this.now, this.pathSeen(flight), flight.bytes);
      this.drain();
    }
    for (const side of ['a', 'b'] as const) {
      const due = this.sides[side].pollTimeout();
      if (due !== undefined && due <= this.now) this.sides[side].handleTimeout(this.now);
    }
  }
}

/** Bytes of a message that tell its number and every place in it apart. */
export function testMessage(sequence: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (sequence * 31 + i * 7 + (i >> 8)) & 0xff;
  return bytes;
}

/**
 * Sends messages of the given lengths from a side, sequences from `first`. The floor is the lowest one that the side has
 * not seen acknowledged.
 */
export function sendAll(pair: SessionPair, side: Side, lengths: readonly number[], first = 0): void {
  lengths.forEach((length, i) => {
    const sequence = first + i;
    pair.open[side].add(sequence);
    const floor = (): number => Math.min(...pair.open[side], sequence);
    pair.sides[side].sendMessage(pair.now, {
      sequence,
      floor,
      service: 7,
      bytes: testMessage(sequence, length),
    });
  });
}
