import type { Duration, Instant } from '../base/index.js';
import {
  INITIAL_WINDOW_PACKETS,
  MAX_WINDOW,
  MINIMUM_WINDOW_PACKETS,
  type CongestionController,
} from './congestion.js';
import { HyStart } from './hystart.js';
import type { RttEstimator } from './rtt-estimator.js';

/** RFC 9438, section 4.1: how steeply the window grows, in packets per second cubed. */
const C = 0.4;

/** RFC 9438, section 4.6: what a loss leaves of the window. */
const BETA = 0.7;

/** RFC 9438, section 4.3: the additive growth that, with {@link BETA}, gives Reno's average window. */
const RENO_ALPHA: number = (3 * (1 - BETA)) / (1 + BETA);

/** RFC 9438, section 4.7: who lost before the old maximum was reached leaves room for others. */
const FAST_CONVERGENCE: number = (1 + BETA) / 2;

/** RFC 9438, section 4.4: the window grows by half in a round trip at most. */
const MAX_GROWTH = 1.5;

/** C counts in seconds, we in milliseconds. */
const CUBIC_MILLISECONDS = 1e9;

/** What a congestion event changes and {@link Cubic.undo} restores. Bytes and milliseconds. */
interface State {
  window: number;
  /** Slow start ends here: `ssthresh`. */
  threshold: number;
  /** Where the plateau of the cubic curve lies: `W_max`. */
  maximum: number;
  /** The window just before the threshold was last set: `cwnd_prior`. */
  prior: number;
  /** What Reno's window would be: `W_est`. */
  reno: number;
  /** When on the clock the curve reaches its plateau: `K`. */
  plateauAt: number;
  /** Time since this congestion avoidance began, as far as the window was in use; `undefined`: none is under way. */
  clock: number | undefined;
  recoveryStart: number;
}

/** CUBIC after RFC 9438, with HyStart++ (RFC 9406) for the first slow start, as its section 4.10 advises. */
export class Cubic implements CongestionController {
  #packet: number;
  readonly #rtt: RttEstimator;
  readonly #hystart = new HyStart();
  readonly #state: State;
  #before: State | undefined;
  /** When the last ack came, and whether the window was in use then. */
  #acknowledgedAt = 0;
  #wasLimited = false;

  /** `packet` is the size of a full packet in bytes, `rtt` the round trip of the same path. */
  constructor(packet: number, rtt: RttEstimator) {
    this.#packet = packet;
    this.#rtt = rtt;
    this.#state = {
      window: INITIAL_WINDOW_PACKETS * packet,
      threshold: Infinity,
      maximum: 0,
      prior: 0,
      reno: 0,
      plateauAt: 0,
      clock: undefined,
      recoveryStart: -Infinity,
    };
  }

  get window(): number {
    return this.#state.window;
  }

  get slowStart(): boolean {
    return this.#state.window < this.#state.threshold;
  }

  sampled(latest: Duration): void {
    if (this.#state.threshold === Infinity) this.#hystart.sampled(latest);
  }

  acknowledged(now: Instant, bytes: number, sentAt: Instant, limited: boolean): void {
    const state = this.#state;
    // Time in which the application did not fill the window is no time for the curve (RFC 9438, section 5.8).
    const passed = limited && this.#wasLimited ? now - this.#acknowledgedAt : 0;
    this.#wasLimited = limited;
    this.#acknowledgedAt = now;
    if (state.clock !== undefined) state.clock += passed;
    if (!limited || sentAt <= state.recoveryStart || state.window >= MAX_WINDOW) return;
    if (this.slowStart) this.#grow(now, bytes, sentAt);
    else this.#avoid(bytes);
    state.window = Math.min(state.window, MAX_WINDOW);
  }

  lost(now: Instant, sentAt: Instant): boolean {
    const state = this.#state;
    // One reduction a round trip: what was sent before the last one is part of the same congestion.
    if (sentAt <= state.recoveryStart) return false;
    this.#before = { ...state };
    const { window } = state;
    state.maximum = window < state.maximum ? window * FAST_CONVERGENCE : window;
    state.prior = window;
    state.threshold = Math.max(window * BETA, MINIMUM_WINDOW_PACKETS * this.#packet);
    state.window = state.threshold;
    state.clock = undefined;
    state.recoveryStart = now;
    return true;
  }

  collapsed(): void {
    const state = this.#state;
    state.window = MINIMUM_WINDOW_PACKETS * this.#packet;
    // The old plateau is history: the curve begins where slow start ends (RFC 9438, section 4.8).
    state.maximum = 0;
    state.clock = undefined;
    state.recoveryStart = -Infinity;
  }

  undo(): void {
    if (this.#before === undefined) return;
    const window = Math.max(this.#state.window, this.#before.window);
    Object.assign(this.#state, this.#before, { window });
    this.#before = undefined;
  }

  resize(packet: number): void {
    const state = this.#state;
    this.#packet = packet;
    const untouched = state.threshold === Infinity;
    const least = (untouched ? INITIAL_WINDOW_PACKETS : MINIMUM_WINDOW_PACKETS) * packet;
    state.window = Math.max(state.window, least);
  }

  /** Slow start; the first one ends by HyStart++, later ones at the threshold that a loss has set. */
  #grow(now: Instant, bytes: number, sentAt: Instant): void {
    const state = this.#state;
    if (state.threshold !== Infinity) {
      state.window += bytes;
      return;
    }
    state.window += this.#hystart.acknowledged(now, bytes, sentAt);
    if (!this.#hystart.finished) return;
    state.threshold = state.window;
    state.prior = state.window;
  }

  /** Congestion avoidance (RFC 9438, sections 4.2 to 4.5). */
  #avoid(bytes: number): void {
    const state = this.#state;
    state.clock ??= this.#begin();
    const { window, maximum, plateauAt, clock } = state;
    const steepness = (C * this.#packet) / CUBIC_MILLISECONDS;
    const alpha = state.reno >= state.prior ? 1 : RENO_ALPHA;
    state.reno += (alpha * this.#packet * bytes) / window;
    if (steepness * cubed(clock - plateauAt) + maximum < state.reno) {
      state.window = Math.max(window, state.reno);
      return;
    }
    const ahead = steepness * cubed(clock + this.#rtt.smoothed - plateauAt) + maximum;
    const target = Math.min(Math.max(ahead, window), MAX_GROWTH * window);
    state.window += ((target - window) * bytes) / window;
  }

  /** Congestion avoidance begins now: where the curve starts and when it reaches its plateau. Returns its time. */
  #begin(): number {
    const state = this.#state;
    state.reno = state.window;
    if (state.maximum <= state.window) {
      state.maximum = state.window;
      state.plateauAt = 0;
    } else {
      const packets = (state.maximum - state.window) / this.#packet;
      state.plateauAt = 1_000 * Math.cbrt(packets / C);
    }
    return 0;
  }
}

const cubed = (value: number): number => value * value * value;
