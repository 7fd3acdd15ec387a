import { assert } from '../base/index.js';
import type { Instant } from '../base/index.js';
import type { Link, LinkId, Machine, RunningMachine, SendError } from '../interface/machine.js';
import type { SocketAddress } from '../wire/index.js';
import type { SimulatedSleeper, Timeline } from './timeline.js';

/** Datagrams of one drain, after which a machine is taken to send without end: far above any congestion window. */
const MAX_TRANSMITS = 100_000;

/** What a driver needs of the host it runs on. */
export interface DriverSurroundings {
  readonly timeline: Timeline;
  /** The clock of the host. */
  now(): Instant;
  /** The instant of the world at which the host's clock shows `due`, or a little later. */
  worldInstant(due: Instant): Instant;
  describeLinks(): readonly Link[];
  transmit(link: LinkId, remote: SocketAddress, bytes: Uint8Array): void;
  /** The driver is closed: its ports are free. */
  release(): void;
}

/** Turns one machine under virtual time, as the driver of Node does under real time. */
export class SimulatedDriver<Event> implements RunningMachine, SimulatedSleeper {
  /** Whether promises may hang on its events: then the world lets them run before it goes on. */
  readonly asynchronous: boolean;
  readonly #machine: Machine<Event>;
  readonly #listener: (event: Event) => void;
  readonly #surroundings: DriverSurroundings;
  #links: readonly Link[] = [];
  #turnWanted = false;
  #draining = false;
  #closed = false;

  constructor(
    machine: Machine<Event>,
    listener: (event: Event) => void,
    asynchronous: boolean,
    surroundings: DriverSurroundings,
  ) {
    this.#machine = machine;
    this.#listener = listener;
    this.asynchronous = asynchronous;
    this.#surroundings = surroundings;
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  /** Tells the machine its links, at the start and after every change. */
  updateLinks(): void {
    if (this.#closed) return;
    this.#links = this.#surroundings.describeLinks();
    this.#machine.handleLinks(this.#surroundings.now(), this.#links);
    this.turn();
  }

  turn(): void {
    if (this.#turnWanted || this.#closed) return;
    this.#turnWanted = true;
    const { timeline } = this.#surroundings;
    timeline.at(timeline.now, () => {
      if (!this.#turnWanted) return false;
      return this.#drain();
    });
  }

  wake(): boolean {
    if (this.#closed) return false;
    this.#machine.handleTimeout(this.#surroundings.now());
    return this.#drain();
  }

  /** A datagram arrived; `bytes` are the machine's. Returns whether promises may have been settled. */
  deliver(link: LinkId, remote: SocketAddress, bytes: Uint8Array): boolean {
    if (this.#closed) return false;
    this.#machine.handleDatagram(this.#surroundings.now(), link, remote, bytes);
    return this.#drain();
  }

  /** A datagram did not leave. */
  failSend(link: LinkId, remote: SocketAddress, error: SendError): boolean {
    if (this.#closed) return false;
    this.#machine.handleSendError(this.#surroundings.now(), link, remote, error);
    return this.#drain();
  }

  async close(): Promise<void> {
    if (!this.#closed && this.#turnWanted) this.#transmit();
    this.detach();
  }

  /** Ends without a goodbye, as at a crash. */
  detach(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#surroundings.timeline.setDeadline(this, undefined);
    this.#surroundings.release();
  }

  #drain(): boolean {
    if (this.#draining || this.#closed) return false;
    this.#draining = true;
    this.#turnWanted = false;
    let told = false;
    try {
      this.#transmit();
      for (let event = this.#machine.pollEvent(); event !== undefined; event = this.#machine.pollEvent()) {
        told = true;
        this.#listener(event);
        if (this.#isClosed()) break;
      }
      if (!this.#isClosed()) this.#armDeadline();
    } finally {
      this.#draining = false;
    }
    return told && this.asynchronous;
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #armDeadline(): void {
    const due = this.#machine.pollTimeout();
    const { timeline } = this.#surroundings;
    timeline.setDeadline(this, due === undefined ? undefined : this.#surroundings.worldInstant(due));
  }

  #transmit(): void {
    const now = this.#surroundings.now();
    for (let count = 0; ; count++) {
      assert(count < MAX_TRANSMITS, 'a machine has nothing more to send at last');
      const transmit = this.#machine.pollTransmit(now);
      if (transmit === undefined) return;
      this.#surroundings.transmit(transmit.link, transmit.remote, transmit.bytes);
    }
  }
}
