import type { Instant } from '../base/index.js';
import {
  INITIAL_WINDOW_PACKETS,
  MAX_WINDOW,
  MINIMUM_WINDOW_PACKETS,
  type CongestionController,
} from './congestion.js';

/** RFC 9002, section 7.3.2: a loss halves the window. */
const LOSS_REDUCTION = 0.5;

interface State {
  readonly window: number;
  readonly threshold: number;
  readonly recoveryStart: number;
  readonly credit: number;
}

/** NewReno after RFC 9002, section 7 and appendix B. */
export class NewReno implements CongestionController {
  #packet: number;
  #window: number;
  #threshold = Infinity;
  /** When the last congestion event began: what was sent before belongs to it. */
  #recoveryStart: number = -Infinity;
  /** Bytes acknowledged since the window last grew in congestion avoidance. */
  #credit = 0;
  #before: State | undefined;

  /** `packet` is the size of a full packet in bytes. */
  constructor(packet: number) {
    this.#packet = packet;
    this.#window = INITIAL_WINDOW_PACKETS * packet;
  }

  get window(): number {
    return this.#window;
  }

  get slowStart(): boolean {
    return this.#window < this.#threshold;
  }

  sampled(): void {
    // NewReno hears of congestion by losses alone.
  }

  acknowledged(_now: Instant, bytes: number, sentAt: Instant, limited: boolean): void {
    if (!limited || sentAt <= this.#recoveryStart || this.#window >= MAX_WINDOW) return;
    if (this.slowStart) {
      this.#window = Math.min(this.#window + bytes, MAX_WINDOW);
      return;
    }
    this.#credit += bytes;
    if (this.#credit >= this.#window) {
      this.#credit -= this.#window;
      this.#window += this.#packet;
    }
  }

  lost(now: Instant, sentAt: Instant): boolean {
    // One reduction a round trip: what was sent before the last one is part of the same congestion.
    if (sentAt <= this.#recoveryStart) return false;
    this.#before = {
      window: this.#window,
      threshold: this.#threshold,
      recoveryStart: this.#recoveryStart,
      credit: this.#credit,
    };
    this.#recoveryStart = now;
    this.#window = Math.max(this.#window * LOSS_REDUCTION, MINIMUM_WINDOW_PACKETS * this.#packet);
    this.#threshold = this.#window;
    this.#credit = 0;
    return true;
  }

  collapsed(): void {
    this.#window = MINIMUM_WINDOW_PACKETS * this.#packet;
    this.#recoveryStart = -Infinity;
    this.#credit = 0;
  }

  resize(packet: number): void {
    this.#packet = packet;
    const untouched = this.#threshold === Infinity;
    const least = (untouched ? INITIAL_WINDOW_PACKETS : MINIMUM_WINDOW_PACKETS) * packet;
    this.#window = Math.max(this.#window, least);
  }

  undo(): void {
    if (this.#before === undefined) return;
    const { window, threshold, recoveryStart, credit } = this.#before;
    this.#window = Math.max(this.#window, window);
    this.#threshold = threshold;
    this.#recoveryStart = recoveryStart;
    this.#credit = credit;
    this.#before = undefined;
  }
}
