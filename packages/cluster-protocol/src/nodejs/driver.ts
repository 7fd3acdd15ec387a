import type { Instant } from '../base/index.js';
import { elapsed, seconds } from '../base/index.js';
import type { Link, LinkId, LocalAddress, Machine, RunningMachine, SendError } from '../interface/machine.js';
import type { SocketAddress } from '../wire/index.js';
import { monotonicNow } from './clock.js';
import type { AlarmClock, Sleeper } from './clock.js';
import { FragmentWatch } from './fragment-watch.js';
import { readLocalAddresses, sameAddresses } from './interfaces.js';
import type { UdpListener, UdpSocket } from './udp-socket.js';

/** Datagrams sent in one go. A send loop without a pause starves the receiver: nothing is read while it runs. */
const BATCH = 64;

/** Datagrams still sent by `close`: room for a goodbye to every peer, and an end. */
const MAX_FAREWELL = 1_024;

/** How often the interfaces are read while there is traffic; an idle machine never asks. */
const INTERFACES_EVERY = seconds(30);

/** How soon they may be read again because a send found no way out. */
const INTERFACES_AFTER_FAILURE = seconds(1);

/**
 * The only loop of a process: hands what the sockets and the clock say to one machine, and what the machine says to the
 * sockets, the clock and the application. What the machine or the listener throws is a bug and is not caught here.
 */
export class Driver<Event> implements RunningMachine, Sleeper {
  readonly #machine: Machine<Event>;
  readonly #sockets: ReadonlyMap<LinkId, UdpSocket>;
  readonly #alarm: AlarmClock;
  readonly #listener: (event: Event) => void;
  readonly #fragments = new FragmentWatch();
  #localAddresses = readLocalAddresses();
  #addressesRead = monotonicNow();
  #links: readonly Link[];
  #turnWanted = false;
  #draining = false;
  #batchWaiting: NodeJS.Immediate | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    machine: Machine<Event>,
    sockets: readonly UdpSocket[],
    alarm: AlarmClock,
    listener: (event: Event) => void,
  ) {
    this.#machine = machine;
    this.#sockets = new Map(sockets.map((socket, index) => [index + 1, socket]));
    this.#alarm = alarm;
    this.#listener = listener;
    this.#links = this.#describeLinks();
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  /** Tells the machine its links and begins. No event comes before the current turn of the event loop is over. */
  start(): void {
    this.#machine.handleLinks(monotonicNow(), this.#links);
    for (const [id, socket] of this.#sockets) socket.listen(this.#listenerOf(id));
    this.#continueLater();
  }

  turn(): void {
    if (this.#turnWanted || this.#closing !== undefined) return;
    this.#turnWanted = true;
    // A microtask: all verbs of one turn of the event loop share datagrams, and none waits for the next turn.
    queueMicrotask(() => {
      if (this.#turnWanted) this.#drain();
    });
  }

  wake(now: Instant): void {
    if (this.#closing !== undefined) return;
    this.#machine.handleTimeout(now);
    this.#drain();
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      if (this.#turnWanted || this.#batchWaiting !== undefined) this.#transmit(monotonicNow(), MAX_FAREWELL);
      clearImmediate(this.#batchWaiting);
      this.#alarm.set(this, undefined);
      this.#closing = Promise.all([...this.#sockets.values()].map(socket => socket.close())).then(
        () => undefined,
      );
    }
    return this.#closing;
  }

  #listenerOf(id: LinkId): UdpListener {
    return {
      handleDatagram: (remote: SocketAddress, bytes: Uint8Array) => {
        this.#machine.handleDatagram(monotonicNow(), id, remote, bytes);
        this.#drain();
      },
      handleSendError: (remote: SocketAddress, error: SendError) => {
        const now = monotonicNow();
        if (error === 'unreachable') this.#readInterfaces(now, INTERFACES_AFTER_FAILURE);
        this.#machine.handleSendError(now, id, remote, error);
        this.#drain();
      },
    };
  }

  #drain(): void {
    // The listener may call a verb, whose turn then comes after this drain.
    if (this.#draining || this.#closing !== undefined) return;
    this.#draining = true;
    this.#turnWanted = false;
    try {
      const now = monotonicNow();
      this.#readInterfaces(now, INTERFACES_EVERY);
      if (this.#batchWaiting === undefined && !this.#transmit(now, BATCH)) this.#continueLater();
      for (let event = this.#machine.pollEvent(); event !== undefined; event = this.#machine.pollEvent()) {
        this.#listener(event);
        if (this.#isClosed()) return;
      }
      this.#alarm.set(this, this.#machine.pollTimeout());
    } finally {
      this.#draining = false;
    }
  }

  /** Whether the listener closed us meanwhile: the compiler cannot see that it may. */
  #isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Sends up to `limit` datagrams; whether that was all. */
  #transmit(now: Instant, limit: number): boolean {
    for (let left = limit; left > 0; left--) {
      const transmit = this.#machine.pollTransmit(now);
      if (transmit === undefined) {
        this.#lookForFragments(now);
        return true;
      }
      const { link, remote, bytes } = transmit;
      const { length } = bytes;
      const watched = this.#fragments.sends(remote, length);
      this.#sockets.get(link)?.send(remote, bytes);
      if (watched && this.#fragments.sent(remote, link, length))
        this.#machine.handleSendError(now, link, remote, 'fragmented');
    }
    this.#lookForFragments(now);
    return false;
  }

  #lookForFragments(now: Instant): void {
    for (const { link, remote } of this.#fragments.look(now)) {
      this.#machine.handleSendError(now, link, remote, 'fragmented');
      // What is to be sent otherwise now follows at once.
      this.#continueLater();
    }
  }

  #continueLater(): void {
    this.#batchWaiting ??= setImmediate(() => {
      this.#batchWaiting = undefined;
      this.#drain();
    });
  }

  /** Reads the interfaces again unless that was done within `interval`; tells the machine when something changed. */
  #readInterfaces(now: Instant, interval: number): void {
    if (elapsed(this.#addressesRead, now) < interval) return;
    this.#addressesRead = now;
    const addresses = readLocalAddresses();
    if (sameAddresses(addresses, this.#localAddresses)) return;
    this.#localAddresses = addresses;
    this.#links = this.#describeLinks();
    this.#machine.handleLinks(now, this.#links);
  }

  #describeLinks(): readonly Link[] {
    return [...this.#sockets].map(([id, socket]) => ({
      id,
      kind: 'udp',
      family: socket.family,
      port: socket.port,
      addresses: this.#localAddresses.filter(address => isReachedBy(address, socket)),
    }));
  }
}

/** Whether datagrams to `address` arrive at `socket`. */
function isReachedBy(address: LocalAddress, socket: UdpSocket): boolean {
  const family = address.host.includes(':') ? 6 : 4;
  return family === socket.family && (isWildcard(socket.host) || socket.host === address.host);
}

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';
