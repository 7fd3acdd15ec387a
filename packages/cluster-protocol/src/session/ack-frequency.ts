import { milliseconds, type Duration } from '../base/index.js';
import { FrameType, ackFrequencyLength, writeAckFrequency } from '../wire/index.js';
import type { PacketContents } from './packet-contents.js';
import type { FrameCarrier } from './sent-frame.js';
import type { SessionPath } from './session-path.js';

/** What holds before anything was asked for (RFC 9000, section 13.2.2). */
const INITIAL_EVERY = 2;

/** More would save less than one packet in thirty-two, and let a lost ack hide too much. */
const MAX_EVERY = 32;

/**
 * Acks for one window in flight: where there are 32 or more, half of them are saved; where fewer than 8 are left, acks
 * become denser. Between them nothing is asked for, so that a window that breathes costs no frames.
 */
const MANY_ACKS = 32;
const FEW_ACKS = 8;

/** Where an ack stands for many packets, it waits for them at most so much of a round trip: the last ones may be few. */
const DELAY_OF_ROUND_TRIP = 1 / 4;

/** The shortest delay worth asking for: what the timers of hosts can measure. */
const LEAST_DELAY: Duration = milliseconds(1);

/**
 * Asks the peer for as many acks as recovery and congestion control need, and no more: every second packet while little is
 * in flight, up to every 32nd in bulk, about eight in a round trip at least. In the spirit of the QUIC extension for ack
 * frequency (draft-ietf-quic-ack-frequency).
 */
export class AckFrequency implements FrameCarrier {
  readonly #maxDelay: Duration;
  #request = 0;
  #every = INITIAL_EVERY;
  #delay: Duration;
  #due = false;

  /** `maxDelay` is the longest wait that a peer may make of it. */
  constructor(maxDelay: Duration) {
    this.#maxDelay = maxDelay;
    this.#delay = maxDelay;
  }

  /** Packets for which the peer is asked to send one ack. */
  get every(): number {
    return this.#every;
  }

  /** Acks came; looks once in each round trip of the active path at how much was in flight. */
  update(path: SessionPath): void {
    if (path.acknowledgedOrdinal < path.roundEnd) return;
    const { peak, rtt } = path;
    path.roundEnd = path.ordinals;
    path.peak = path.packetsInFlight;
    if (peak >= MANY_ACKS * this.#every && this.#every < MAX_EVERY) this.#ask(2 * this.#every, rtt.smoothed);
    else if (peak < FEW_ACKS * this.#every && this.#every > INITIAL_EVERY) {
      let every = this.#every;
      while (every > INITIAL_EVERY && peak < FEW_ACKS * every) every /= 2;
      this.#ask(every, rtt.smoothed);
    }
  }

  /** Writes the request into a packet if one is due. */
  write(into: Uint8Array, offset: number, limit: number, contents: PacketContents): number {
    if (!this.#due) return offset;
    if (offset + ackFrequencyLength(this.#request, this.#every, this.#delay) > limit) return offset;
    this.#due = false;
    contents.carry(FrameType.ackFrequency, this, this.#request, 0);
    return writeAckFrequency(into, offset, this.#request, this.#every, this.#delay);
  }

  acknowledged(): void {
    // The peer acts on it from now on; nothing here depends on that.
  }

  /** Only the newest request is worth repeating. */
  lost(request: number): void {
    if (request === this.#request) this.#due = true;
  }

  #ask(every: number, rtt: Duration): void {
    this.#request++;
    this.#every = every;
    const delay = every === INITIAL_EVERY ? this.#maxDelay : Math.max(DELAY_OF_ROUND_TRIP * rtt, LEAST_DELAY);
    this.#delay = milliseconds(Math.min(delay, this.#maxDelay));
    this.#due = true;
  }
}
