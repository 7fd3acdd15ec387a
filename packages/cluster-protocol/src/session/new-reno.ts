import type { Instant } from '../base/index.js';
import type { CongestionController } from './congestion.js';

/** RFC 9002, section 7.2: ten packets to begin with, two at least; section 7.3.2: halved by a loss. */
const INITIAL_PACKETS = 10;
const MINIMUM_PACKETS = 2;
const LOSS_REDUCTION = 0.5;

/** The window never grows beyond this: 100 ms at 1 Gbit/s, and what the table of sent packets can hold. */
const MAX_WINDOW = 8 * 1_024 * 1_024;

/** NewReno after RFC 9002, section 7 and appendix B. */
export class NewReno implements CongestionController {
  readonly #packet: number;
  #window: number;
  #threshold = Infinity;
  #recoveryStart: number = -Infinity;
  /** Bytes acknowledged since the window last grew in congestion avoidance. */
  #credit = 0;

  /** `packet` is the size of a full packet in bytes. */
  constructor(packet: number) {
    this.#packet = packet;
    this.#window = INITIAL_PACKETS * packet;
  }

  get window(): number {
    return this.#window;
  }

  get slowStart(): boolean {
    return this.#window < this.#threshold;
  }

  acknowledged(bytes: number, sentAt: Instant, limited: boolean): void {
    if (!limited || sentAt <= this.#recoveryStart || this.#window >= MAX_WINDOW) return;
    if (this.slowStart) {
      this.#window += bytes;
      return;
    }
    this.#credit += bytes;
    if (this.#credit >= this.#window) {
      this.#credit -= this.#window;
      this.#window += this.#packet;
    }
  }

  lost(now: Instant, sentAt: Instant): void {
    // One reduction a round trip: what was sent before the last one is part of the same congestion.
    if (sentAt <= this.#recoveryStart) return;
    this.#recoveryStart = now;
    this.#window = Math.max(this.#window * LOSS_REDUCTION, MINIMUM_PACKETS * this.#packet);
    this.#threshold = this.#window;
    this.#credit = 0;
  }

  collapsed(): void {
    this.#window = MINIMUM_PACKETS * this.#packet;
    this.#recoveryStart = -Infinity;
    this.#credit = 0;
  }
}
