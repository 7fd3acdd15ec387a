import type { Instant, RandomSource } from '../base/index.js';
import type { AeadKey } from '../crypto/provider.js';
import {
  DATA_HEADER,
  DATA_OVERHEAD,
  FrameType,
  PATH_FRAME,
  RELAY_HEADER,
  TAG,
  writeAck,
  writeClose,
  writeDataHeader,
  writeImmediateAck,
  writePathFrame,
  writePing,
} from '../wire/index.js';
import type { FrameCounts } from './frame-counts.js';
import { PacketContents } from './packet-contents.js';
import type { PacketSources } from './packet-sources.js';
import type { Recovery } from './recovery.js';
import type { SentFrame } from './sent-frame.js';
import type { SessionPath } from './session-path.js';

const NONCE_SPAN = 2 ** 32;

/** Below this a packet says nothing worth a datagram: room for a path frame. */
export const MIN_WORTHWHILE: number = DATA_OVERHEAD + PATH_FRAME;

/** Whether a packet carries application data, and what it must have. */
export interface PacketWish {
  /** Acks may go here. */
  ack: boolean;
  /** Control frames, datagrams and messages may go here. */
  data: boolean;
  /** It asks for an ack without delay. */
  urgent: boolean;
  /** It must ask for an ack: a ping goes in where nothing else does. */
  elicit: boolean;
  /** What it carries goes over this path as well: it fits there, and holds nothing that may not come twice. */
  twice: SessionPath | undefined;
}

/** What a packet carried that goes over another path as well. */
interface Repeat {
  readonly path: SessionPath;
  readonly frames: Uint8Array;
  readonly carried: SentFrame | undefined;
}

/** Fills and seals packets. Every packet gets the next number, so that no nonce is ever used twice. */
export class PacketWriter {
  #key: AeadKey;
  #phase: 0 | 1 = 0;
  /** The first number under the key in use. */
  #keyedFrom = 0;
  readonly #remoteIndex: number;
  readonly #random: RandomSource;
  readonly #recovery: Recovery;
  readonly #sources: PacketSources;
  readonly #contents: PacketContents;
  readonly #scratch = new Uint8Array(8);
  /** Datagrams take turns with the rest to be first, and messages with streams. */
  #datagramsFirst = true;
  #streamsFirst = true;
  #repeat: Repeat | undefined;

  sentPackets = 0;
  sentBytes = 0;
  /** When anything was last sent. */
  lastSentAt: Instant;

  constructor(
    key: AeadKey,
    remoteIndex: number,
    random: RandomSource,
    recovery: Recovery,
    sources: PacketSources,
    counts: FrameCounts,
    now: Instant,
  ) {
    this.#key = key;
    this.#remoteIndex = remoteIndex;
    this.#random = random;
    this.#recovery = recovery;
    this.#sources = sources;
    this.#contents = new PacketContents(recovery.packets.pool, counts);
    this.lastSentAt = now;
  }

  /** Whether the packet that was written last asks for an ack. */
  get eliciting(): boolean {
    return this.#contents.eliciting;
  }

  /** Packets sealed under the key in use. */
  get sealed(): number {
    return this.#recovery.packets.next - this.#keyedFrom;
  }

  /** Seals with another key from now on, and overwrites the one before. Owned from now on. */
  useKey(key: AeadKey): void {
    this.#key.destroy();
    this.#key = key;
    this.#phase = this.#phase === 0 ? 1 : 0;
    this.#recovery.trace?.keys('local', this.#phase);
    this.#keyedFrom = this.#recovery.packets.next;
  }

  /** Overwrites the key; nothing can be sealed afterwards. */
  destroy(): void {
    this.#key.destroy();
  }

  /** Writes the next packet for a path; returns its length, 0 when nothing was to be said or fitted. */
  write(now: Instant, into: Uint8Array, path: SessionPath, wish: PacketWish): number {
    const { twice } = wish;
    const room = twice === undefined ? path.packet : Math.min(path.packet, twice.packet);
    const limit = Math.min(room, path.budget, into.length) - TAG;
    if (limit + TAG < MIN_WORTHWHILE) return 0;
    const contents = this.#contents;
    const { acks, control } = this.#sources;
    contents.reset();
    let at = DATA_HEADER;
    if (wish.ack && acks.pending) at = this.#writeAck(now, into, at, limit);
    const full = path.validation.challengeDue && path.validation.full;
    at = this.#writePathFrames(now, into, at, limit, path);
    if (wish.urgent && at < limit) {
      at = writeImmediateAck(into, at);
      contents.wrote(FrameType.immediateAck, true);
    }
    if (wish.data) {
      at = this.#sources.ackFrequency.write(into, at, limit, contents);
      const { rekey } = this.#sources;
      if (rekey !== undefined) at = rekey.write(into, at, limit, contents);
      at = control.write(into, at, limit, contents);
      at = this.#sources.messageControl.write(into, at, limit, contents);
      const { streams } = this.#sources;
      if (streams !== undefined) at = streams.writeControl(into, at, limit, contents);
      at = twice === undefined ? this.#writeData(into, at, limit) : this.#writeReliable(into, at, limit);
    }
    if (wish.elicit && !contents.eliciting && at < limit) {
      at = writePing(into, at);
      contents.wrote(FrameType.ping, true);
    }
    if (at === DATA_HEADER) return 0;
    if (full && at < limit) {
      into.fill(FrameType.padding, at, limit);
      contents.wrote(FrameType.padding, false);
      at = limit;
    }
    if (twice !== undefined && contents.eliciting) {
      this.#repeat = {
        path: twice,
        frames: into.slice(DATA_HEADER, at),
        carried: contents.copyFrames(),
      };
    }
    return this.#seal(now, into, at, path);
  }

  /**
   * Writes what the last packet carried into one of its own for the other path that was wished for; returns its length, 0
   * when there is none. The other packet answers for the frames: when this one is lost they are not sent again.
   */
  writeRepeat(now: Instant, into: Uint8Array): number {
    const repeat = this.#repeat;
    if (repeat === undefined) return 0;
    this.#repeat = undefined;
    if (DATA_OVERHEAD + repeat.frames.length > into.length) return 0;
    const contents = this.#contents;
    contents.reset();
    contents.frames = repeat.carried;
    contents.eliciting = true;
    contents.covered = true;
    into.set(repeat.frames, DATA_HEADER);
    return this.#seal(now, into, DATA_HEADER + repeat.frames.length, repeat.path);
  }

  /** The path of the packet that {@link writeRepeat} writes; `undefined`: there is none to write. */
  get repeatsOn(): SessionPath | undefined {
    return this.#repeat?.path;
  }

  /** Writes a packet with a close frame; returns its length, 0 when the path may not carry it. */
  writeClose(now: Instant, into: Uint8Array, path: SessionPath, code: number, reason: Uint8Array): number {
    if (path.budget < path.packet) return 0;
    this.#contents.reset();
    this.#contents.wrote(FrameType.close, false);
    return this.#seal(now, into, writeClose(into, DATA_HEADER, code, reason), path);
  }

  /** Writes a packet that only tries whether the path carries datagrams of `size` bytes; returns its length. */
  writeSizeProbe(now: Instant, into: Uint8Array, path: SessionPath, size: number): number {
    const contents = this.#contents;
    const end = size - RELAY_HEADER - TAG;
    contents.reset();
    into[DATA_HEADER] = FrameType.ping;
    into.fill(FrameType.padding, DATA_HEADER + 1, end);
    contents.carry(FrameType.ping, path.sizeProbe, size, 0);
    contents.sizing = true;
    path.mtu.probed(now);
    return this.#seal(now, into, end, path);
  }

  #writeAck(now: Instant, into: Uint8Array, offset: number, limit: number): number {
    const { acks } = this.#sources;
    const end = writeAck(into, offset, limit, acks, acks.delay(now));
    if (end === offset) return offset;
    this.#contents.acknowledges = acks.largest;
    this.#contents.wrote(FrameType.ack, false);
    acks.sent();
    return end;
  }

  #writePathFrames(now: Instant, into: Uint8Array, offset: number, limit: number, path: SessionPath): number {
    const { validation } = path;
    let at = offset;
    let paid = 0;
    while (paid < validation.owed && at + PATH_FRAME <= limit) {
      const high = validation.owedHigh(paid);
      at = writePathFrame(into, at, FrameType.pathResponse, high, validation.owedLow(paid));
      this.#contents.wrote(FrameType.pathResponse, false);
      paid++;
    }
    if (paid > 0) validation.paid(paid);
    if (validation.challengeDue && at + PATH_FRAME <= limit) {
      validation.makeChallenge(now, this.#random, this.#scratch);
      at = writePathFrame(
        into,
        at,
        FrameType.pathChallenge,
        validation.challengeHigh,
        validation.challengeLow,
      );
      this.#contents.wrote(FrameType.pathChallenge, false);
    }
    return at;
  }

  #writeData(into: Uint8Array, offset: number, limit: number): number {
    const { datagrams } = this.#sources;
    const contents = this.#contents;
    this.#datagramsFirst = !this.#datagramsFirst;
    if (this.#datagramsFirst) {
      return this.#writeReliable(into, datagrams.write(into, DATA_HEADER, offset, limit, contents), limit);
    }
    return datagrams.write(into, DATA_HEADER, this.#writeReliable(into, offset, limit), limit, contents);
  }

  /** Messages and streams, by priority; within one they take turns, packet by packet. */
  #writeReliable(into: Uint8Array, offset: number, limit: number): number {
    const { messages, streams } = this.#sources;
    const contents = this.#contents;
    const ofMessages = messages.sendable ? messages.readyPriorities : 0;
    let at = offset;
    for (let left = ofMessages | (streams?.readyPriorities ?? 0); left !== 0; left &= left - 1) {
      const priority = 31 - Math.clz32(left & -left);
      this.#streamsFirst = !this.#streamsFirst;
      if (streams !== undefined && this.#streamsFirst)
        at = streams.writeData(into, at, limit, priority, contents);
      at = messages.write(into, at, limit, priority, contents);
      if (streams !== undefined && !this.#streamsFirst)
        at = streams.writeData(into, at, limit, priority, contents);
    }
    return at;
  }

  #seal(now: Instant, into: Uint8Array, end: number, path: SessionPath): number {
    const number = this.#recovery.packets.next;
    writeDataHeader(into, this.#phase, this.#remoteIndex, number % NONCE_SPAN);
    const high = Math.floor(number / NONCE_SPAN);
    const { frames, eliciting, acknowledges, sizing, covered } = this.#contents;
    this.#recovery.trace?.sent(path.id, number, into, end, end + TAG, sizing);
    const length = this.#key.sealInPlace(high, number >>> 0, into, DATA_HEADER, end - DATA_HEADER);
    if (eliciting) this.#recovery.sent(now, path, length, frames, acknowledges, sizing, covered);
    else this.#recovery.sentUnanswered(now);
    if (eliciting) path.pacer.spend(length);
    path.sentBytes += length;
    this.sentPackets++;
    this.sentBytes += length;
    this.lastSentAt = now;
    return length;
  }
}
