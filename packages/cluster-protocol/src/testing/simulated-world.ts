import { after, ClusterError, milliseconds, wallTime } from '../base/index.js';
import type { Duration, Instant, WallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { LinkConditions } from './link-conditions.js';
import { Recorder } from './recorder.js';
import { SeededRandom } from './seeded-random.js';
import type { Segment } from './segment.js';
import { SimulatedBoard } from './simulated-board.js';
import type { SimulatedHost } from './simulated-host.js';
import { SimulatedNat } from './simulated-nat.js';
import { SimulatedNetwork } from './simulated-network.js';
import { Timeline } from './timeline.js';

/** 2026-01-01T00:00:00Z: any fixed date will do, as long as it is the same in every run. */
const WORLD_START = wallTime(1_767_225_600_000);

/** Options of {@link SimulatedWorld}. */
export interface WorldOptions {
  /** All chance in this world follows from it: the same seed and the same calls give the same run, byte for byte. */
  readonly seed: number;
  /** What the hosts encrypt with. */
  readonly crypto: CryptoProvider;
  /**
   * Lets all promises settle that can; on Node `() => new Promise(setImmediate)`. Needed as soon as a host runs
   * anything that uses promises: a store, `schedule`, or `run`.
   */
  readonly yieldTurn?: () => Promise<void>;
  /** The civil time at the beginning. Default 2026-01-01T00:00:00Z. */
  readonly startsAt?: WallTime;
  /** Where the run is written down. Default: one that keeps no entries, only the hash. */
  readonly recorder?: Recorder;
}

/** Where and how a host is plugged in. */
export interface HostOptions {
  /** Unique in its world. */
  readonly name: string;
  /** Segments, or NATs to be behind. Default: the internet. */
  readonly on?: Segment | SimulatedNat | readonly (Segment | SimulatedNat)[];
  /** Its IPv4 address on the first of these. Default: the next free one. */
  readonly address?: string;
  /** Whether it has an IPv6 address too, on segments that have IPv6. Default false. */
  readonly ipv6?: boolean;
  /** Conditions of its links that differ from their segment's. */
  readonly conditions?: Partial<LinkConditions>;
  /** By how much its civil time is wrong. Default 0. */
  readonly wallClockError?: Duration;
  /** How much faster than true time its clocks run. Default 1. */
  readonly clockRate?: number;
}

/** A world of hosts, networks and one clock that jumps from event to event. */
export class SimulatedWorld {
  readonly seed: number;
  /** For the choices of the test itself. */
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly recorder: Recorder;
  readonly timeline: Timeline = new Timeline();
  readonly #options: WorldOptions;
  readonly #root: SeededRandom;
  readonly #names = new Set<string>();

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#root = new SeededRandom(options.seed);
    this.seed = this.#root.seed;
    this.random = this.#root.fork('test');
    this.recorder = options.recorder ?? new Recorder();
    this.network = new SimulatedNetwork(this.timeline, this.#root.fork('network'), this.recorder);
  }

  /** Milliseconds since the beginning. */
  get now(): Instant {
    return this.timeline.now;
  }

  /** Puts a host into the world and powers it on. */
  host(options: HostOptions): SimulatedHost {
    if (this.#names.has(options.name)) {
      throw new ClusterError('INVALID_ARGUMENT', `there is a host '${options.name}' already`);
    }
    this.#names.add(options.name);
    const { timeline, network, recorder } = this;
    const { crypto, startsAt = WORLD_START } = this.#options;
    const board = new SimulatedBoard(
      options.name,
      this.#root.fork(`host ${options.name}`),
      { timeline, network, recorder, crypto, startsAt },
      { rate: options.clockRate ?? 1, error: options.wallClockError ?? milliseconds(0) },
    );
    const places = options.on === undefined ? [network.internet] : [options.on].flat();
    places.forEach((place, index) => {
      const segment = place instanceof SimulatedNat ? place.inside : place;
      board.plugIn(segment, 4, index === 0 ? options.address : undefined, options.conditions);
      if (options.ipv6 === true && segment.has(6)) board.plugIn(segment, 6, undefined, options.conditions);
    });
    return board.powerOn();
  }

  /** Lets `duration` pass. Whatever a machine or a listener throws comes out here. */
  async run(duration: Duration): Promise<void> {
    const end = after(this.now, duration);
    await this.#settle();
    for (let step = this.timeline.step(end); step !== undefined; step = this.timeline.step(end)) {
      if (step.settled) await this.#settle();
    }
    await this.#settle();
  }

  /** Lets time pass until `condition` holds. An error that names the seed when it does not within `limit`. */
  async until(condition: () => boolean, limit: Duration, what = 'the condition'): Promise<void> {
    const end = after(this.now, limit);
    await this.#settle();
    while (!condition()) {
      const step = this.timeline.step(end);
      if (step?.settled === true) await this.#settle();
      if (step === undefined && !condition()) throw this.#notInTime(what, limit);
    }
  }

  /** {@link run} for worlds without promises: it returns when `duration` has passed. */
  runNow(duration: Duration): void {
    const end = after(this.now, duration);
    for (let step = this.timeline.step(end); step !== undefined; step = this.timeline.step(end)) {
      if (step.settled) throw usesPromises('runNow', 'run');
    }
  }

  /** {@link until} for worlds without promises. */
  untilNow(condition: () => boolean, limit: Duration, what = 'the condition'): void {
    const end = after(this.now, limit);
    while (!condition()) {
      const step = this.timeline.step(end);
      if (step?.settled === true) throw usesPromises('untilNow', 'until');
      if (step === undefined && !condition()) throw this.#notInTime(what, limit);
    }
  }

  async #settle(): Promise<void> {
    const { yieldTurn } = this.#options;
    if (yieldTurn === undefined) {
      throw new ClusterError(
        'INVALID_STATE',
        'this world was made without yieldTurn: pass one, or use attach, runNow and untilNow, which need no promises',
      );
    }
    await yieldTurn();
  }

  #notInTime(what: string, limit: Duration): Error {
    return new Error(`seed ${this.seed}: ${what} did not come true within ${limit} ms (now ${this.now} ms)`);
  }
}

const usesPromises = (called: string, instead: string): ClusterError =>
  new ClusterError('INVALID_STATE', `a host of this world uses promises: call ${instead}, not ${called}`);
