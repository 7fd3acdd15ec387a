import type { Duration, Instant, RandomSource, TraceSink, WallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { SocketAddress } from '../wire/socket-address.js';

/** A way in and out of this process: one UDP socket of one address family, later also a WebSocket. */
export type LinkId = number;

/** One address of an interface of this machine. */
export interface LocalAddress {
  readonly host: string;
  readonly prefixLength: number;
  readonly interfaceName: string;
  readonly internal: boolean;
  /** The largest IP packet that the interface takes, in bytes; absent where the platform does not tell. */
  readonly mtu?: number;
}

/** A link that is open. Its addresses change when interfaces come and go; its port does not. */
export interface Link {
  readonly id: LinkId;
  readonly kind: 'udp';
  readonly family: 4 | 6;
  /** The local port. */
  readonly port: number;
  readonly addresses: readonly LocalAddress[];
}

/** A datagram to send. The object and the bytes are reused: valid until the next call into the machine. */
export interface Transmit {
  readonly link: LinkId;
  readonly remote: SocketAddress;
  readonly bytes: Uint8Array;
}

/**
 * Why a send failed, as far as it matters to the core. `fragmented`: it left in pieces, which only datagrams of more than
 * 1,200 bytes are told of.
 */
export type SendError = 'messageTooLong' | 'fragmented' | 'unreachable' | 'refused' | 'other';

/**
 * A pure state machine that a driver turns. After every `handle…` call and after every verb of the application the
 * driver drains `pollTransmit`, then `pollEvent`, then arms one timer for `pollTimeout`.
 */
export interface Machine<Event> {
  /** `bytes` is only valid during the call and may be overwritten by it. Never throws. */
  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void;
  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void;
  /** The complete list of links, at the start and after every change of addresses. */
  handleLinks(now: Instant, links: readonly Link[]): void;
  /** Early and repeated calls are harmless. */
  handleTimeout(now: Instant): void;
  pollTransmit(now: Instant): Transmit | undefined;
  pollEvent(): Event | undefined;
  /** When `handleTimeout` is due; `undefined`: nothing is scheduled. */
  pollTimeout(): Instant | undefined;
}

/** A machine in the hands of a driver. */
export interface RunningMachine {
  /** To be called after any verb: drains the machine before the current turn of the event loop ends. */
  turn(): void;
  /** Detaches the machine and closes its links; nothing is sent or delivered afterwards. */
  close(): Promise<void>;
  readonly links: readonly Link[];
}

/** Options of {@link Host.run}. */
export interface LinkOptions {
  /** UDP port wanted; 0 or absent: any. */
  readonly port?: number;
  /** When the port is taken: fail with `PORT_IN_USE`, or take another one. Default `fail`. */
  readonly whenTaken?: 'fail' | 'any';
  /** Addresses to bind; default all of each family the machine has (`0.0.0.0` and `::`). */
  readonly bind?: readonly string[];
}

/** The world as a machine and an SDK see it: clocks, timers, chance, cryptography and sockets. */
export interface Host {
  readonly random: RandomSource;
  readonly crypto: CryptoProvider;
  now(): Instant;
  wallTime(): WallTime;
  /** Where what happens inside an endpoint of this name is to be told; absent or `undefined`: nowhere. */
  readonly trace?: ((title: string) => TraceSink | undefined) | undefined;
  /** Runs `action` once, not before `delay` has passed. Returns how to call it off. */
  schedule(delay: Duration, action: () => void): () => void;
  /** Opens links and turns `machine` until closed; events go to `listener`, in order, never re-entrantly. */
  run<Event>(
    machine: Machine<Event>,
    options: LinkOptions,
    listener: (event: Event) => void,
  ): Promise<RunningMachine>;
}

/**
 * Key of an entry that a store makes when it finds that writes it had confirmed are lost, as when its file was damaged.
 * It stays until somebody deletes it who has drawn the conclusions; the value says nothing.
 */
export const DAMAGED_KEY = 'store/damaged';

/** Small durable storage of one node: keys are short ASCII names, values bytes. */
export interface Store {
  /** Whether what it holds outlives the process. */
  readonly durable: boolean;
  read(key: string): Promise<Uint8Array | undefined>;
  /** Keys that begin with `prefix`, sorted. */
  list(prefix: string): Promise<readonly string[]>;
  /** All changes or none, in the order of calls; resolves when they are durable. `undefined` deletes. */
  write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void>;
  close(): Promise<void>;
}
