import { assert, ClusterError, instant, milliseconds, wallTime } from '../base/index.js';
import type { Duration, Instant, RandomSource, TraceSink, WallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type {
  Host,
  Link,
  LinkId,
  LinkOptions,
  LocalAddress,
  Machine,
  RunningMachine,
  SendError,
} from '../interface/machine.js';
import { socketAddress } from '../wire/index.js';
import type { SocketAddress } from '../wire/index.js';
import type { SimulatedBoard } from './simulated-board.js';
import { SimulatedDriver } from './simulated-driver.js';
import { SimulatedStore } from './simulated-store.js';
import type { SimulatedDisk } from './simulated-store.js';
import type { Packet } from './segment.js';

/** Ports given to sockets that want any (RFC 6056, section 2.1: the dynamic ports). */
const FIRST_DYNAMIC_PORT = 49_152;
const DYNAMIC_PORTS = 0x1_0000 - FIRST_DYNAMIC_PORT;

/** One way between two programs of one machine. */
const LOOPBACK_DELAY = milliseconds(0.05);

/** The largest payload of a UDP datagram over IPv4. */
const MAX_PAYLOAD = 65_507;

/** Added to a wake-up that rounding put before its deadline: far above the rounding error, far below anything measured. */
const ROUNDING = 1e-6;

/** A driver without its type of events. */
type AnyDriver = Pick<SimulatedDriver<unknown>, 'deliver' | 'failSend' | 'updateLinks' | 'turn' | 'detach'>;

interface Binding {
  readonly driver: AnyDriver;
  readonly link: LinkId;
  readonly family: 4 | 6;
  readonly port: number;
  /** The addresses it hears; `undefined`: all of its family. */
  readonly hosts: readonly string[] | undefined;
  /** The address that its datagrams come from, by the host part. */
  readonly sources: Map<string, SocketAddress>;
}

/** One life of a simulated machine, from power-on to crash: what {@link Host} promises, under virtual time. */
export class SimulatedHost implements Host {
  readonly random: RandomSource;
  readonly crypto: CryptoProvider;
  /** What outlives this life. */
  readonly board: SimulatedBoard;
  #monotonicStart: number;
  readonly #bindings = new Map<string, Binding>();
  readonly #drivers = new Set<AnyDriver>();
  #alive = true;

  /** `life`: how often the board was powered on before. */
  constructor(board: SimulatedBoard, crypto: CryptoProvider, life: number) {
    this.board = board;
    this.crypto = crypto;
    const random = board.random.fork(`life ${life}`);
    this.random = random;
    // Instants of one life mean nothing in the next: a clock that starts anywhere shows who mixes them up.
    this.#monotonicStart = random.below(1_000_000_000);
  }

  get name(): string {
    return this.board.name;
  }

  /** Whether it has not crashed. */
  get alive(): boolean {
    return this.#alive;
  }

  /** The first address of a family, with `port`, as others of its segment see it. */
  address(port: number, family: 4 | 6 = 4): SocketAddress {
    const host = this.board.attachments.find(attachment => attachment.family === family)?.host;
    const address = socketAddress(host ?? '', port);
    assert(address !== undefined, `${this.name} has an IPv${family} address and ${port} is a port`);
    return address;
  }

  now(): Instant {
    return instant(this.#monotonicStart + this.board.timeline.now * this.board.clockRate);
  }

  wallTime(): WallTime {
    return wallTime(Math.floor(this.board.worldStart + this.board.timeline.now + this.board.wallClockError));
  }

  trace(title: string): TraceSink | undefined {
    return this.board.trace(title);
  }

  schedule(delay: Duration, action: () => void): () => void {
    const callOff = this.board.timeline.after(milliseconds(Math.max(0, delay) / this.board.clockRate), () => {
      if (this.#alive) action();
      return true;
    });
    return callOff;
  }

  /** As the interface says; the world lets promises settle after each event that this machine tells. */
  async run<Event>(
    machine: Machine<Event>,
    options: LinkOptions,
    listener: (event: Event) => void,
  ): Promise<RunningMachine> {
    if (!this.#alive) return new Promise(() => undefined);
    return this.#start(machine, options, listener, true);
  }

  /** The same without promises, for machines whose listeners use none: these worlds run at full speed. */
  attach<Event>(
    machine: Machine<Event>,
    options: LinkOptions = {},
    listener: (event: Event) => void = () => undefined,
  ): RunningMachine {
    if (!this.#alive)
      throw new ClusterError('INVALID_STATE', `${this.name} has crashed; attach to what restart() gives`);
    return this.#start(machine, options, listener, false);
  }

  /** What lies on its flash memory under `name`; the same for every life. */
  disk(name = 'store'): SimulatedDisk {
    return this.board.disk(name);
  }

  /** Opens a durable store. */
  openStore(name = 'store'): SimulatedStore {
    return new SimulatedStore(this.disk(name), () => this.#alive);
  }

  /** The power fails: machines end without a goodbye, actions are forgotten, writes under way may be lost. */
  crash(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.board.powerOff();
    for (const driver of [...this.#drivers]) driver.detach();
  }

  /** Powers the machine on again, after {@link crash} if it still runs: same addresses, same disks, a new clock. */
  restart(): SimulatedHost {
    this.crash();
    return this.board.powerOn();
  }

  /** Moves the civil clock, forwards or back. */
  jumpWallClock(by: Duration): void {
    this.board.wallClockError += by;
    this.board.note(`clock jumps by ${by} ms`);
  }

  /** The monotonic clock leaps forwards, as where it counts the time that the machine or its program was suspended. */
  leapMonotonicClock(by: Duration): void {
    assert(by >= 0, 'a monotonic clock never goes back');
    this.#monotonicStart += by;
    this.board.note(`monotonic clock leaps by ${by} ms`);
    for (const driver of this.#drivers) driver.turn();
  }

  /** Tells all machines that addresses came or went. */
  updateLinks(): void {
    for (const driver of this.#drivers) driver.updateLinks();
  }

  /** A packet came in over a link or the loopback. */
  accept(packet: Packet): boolean {
    const { destination, source, bytes } = packet;
    const binding = this.#bindings.get(portKey(destination.family, destination.port));
    if (binding?.hosts?.includes(destination.host) === false || binding === undefined) {
      this.board.record(packet, 'noListener');
      return false;
    }
    this.board.record(packet, 'delivered');
    return binding.driver.deliver(binding.link, source, bytes);
  }

  #start<Event>(
    machine: Machine<Event>,
    options: LinkOptions,
    listener: (event: Event) => void,
    asynchronous: boolean,
  ): SimulatedDriver<Event> {
    const wanted = this.#wantedLinks(options);
    const bindings: Binding[] = [];
    const driver = new SimulatedDriver(machine, listener, asynchronous, {
      timeline: this.board.timeline,
      now: () => this.now(),
      worldInstant: due => this.#worldInstant(due),
      describeLinks: () => bindings.map(binding => this.#describe(binding)),
      transmit: (link, remote, bytes) =>
        this.#transmit(
          bindings.find(binding => binding.link === link),
          remote,
          bytes,
        ),
      release: () => {
        this.#drivers.delete(driver);
        for (const { family, port } of bindings) this.#bindings.delete(portKey(family, port));
      },
    });
    for (const { family, hosts } of wanted) {
      const port = this.#choosePort(family, options, bindings[0]?.port);
      const binding = {
        driver,
        link: bindings.length + 1,
        family,
        port,
        hosts,
        sources: new Map<string, SocketAddress>(),
      };
      bindings.push(binding);
      this.#bindings.set(portKey(family, port), binding);
    }
    this.#drivers.add(driver);
    driver.updateLinks();
    return driver;
  }

  #wantedLinks({
    bind = [],
  }: LinkOptions): readonly { family: 4 | 6; hosts: readonly string[] | undefined }[] {
    const families = ([4, 6] as const).filter(
      family => family === 4 || this.board.attachments.some(attachment => attachment.family === family),
    );
    if (bind.length === 0) return families.map(family => ({ family, hosts: undefined }));
    return families.flatMap(family => {
      const hosts = bind.filter(host => host.includes(':') === (family === 6));
      const everywhere = hosts.includes('0.0.0.0') || hosts.includes('::');
      return hosts.length === 0 ? [] : [{ family, hosts: everywhere ? undefined : hosts }];
    });
  }

  #choosePort(
    family: 4 | 6,
    { port = 0, whenTaken = 'fail' }: LinkOptions,
    sibling: number | undefined,
  ): number {
    if (port !== 0) {
      if (!this.#bindings.has(portKey(family, port))) return port;
      if (whenTaken === 'fail') {
        throw new ClusterError(
          'PORT_IN_USE',
          `UDP port ${port} of ${this.name} is in use by another machine of this host`,
        );
      }
    } else if (sibling !== undefined && !this.#bindings.has(portKey(family, sibling))) {
      return sibling;
    }
    const first = this.board.random.below(DYNAMIC_PORTS);
    for (let i = 0; i < DYNAMIC_PORTS; i++) {
      const candidate = FIRST_DYNAMIC_PORT + ((first + i) % DYNAMIC_PORTS);
      if (!this.#bindings.has(portKey(family, candidate))) return candidate;
    }
    throw new ClusterError('PORT_IN_USE', `${this.name} has no free UDP port`);
  }

  #describe({ link, family, port, hosts }: Binding): Link {
    const addresses = this.#localAddresses(family).filter(({ host }) => hosts?.includes(host) ?? true);
    return { id: link, kind: 'udp', family, port, addresses };
  }

  #localAddresses(family: 4 | 6): readonly LocalAddress[] {
    const loopback = {
      host: LOOPBACK[family],
      prefixLength: family === 4 ? 8 : 128,
      interfaceName: 'lo',
      internal: true,
    };
    const others = this.board.attachments.filter(attachment => attachment.family === family);
    return [
      loopback,
      ...others.map(({ host, segment }) => ({
        host,
        // An address of the internet at large is on no link with its neighbours.
        prefixLength:
          segment.prefixLength(family) === 0 ? (family === 4 ? 32 : 128) : segment.prefixLength(family),
        interfaceName: segment.name,
        internal: false,
      })),
    ];
  }

  #transmit(binding: Binding | undefined, remote: SocketAddress, bytes: Uint8Array): void {
    // A link that is gone: on a real machine the socket is closed and takes nothing.
    if (binding?.family !== remote.family) return;
    const { board } = this;
    const isLocal =
      remote.host === LOOPBACK[remote.family] || board.attachments.some(({ host }) => host === remote.host);
    const attachment = board.routeTo(remote);
    const error = this.#sendError(remote, bytes, isLocal || attachment !== undefined);
    if (error !== undefined) {
      board.timeline.at(board.timeline.now, () => binding.driver.failSend(binding.link, remote, error));
      return;
    }
    const from = isLocal ? remote.host : (attachment?.host ?? '');
    const source = binding.sources.get(from) ?? socketAddress(from, binding.port)!;
    binding.sources.set(from, source);
    const packet: Packet = {
      source,
      destination: remote,
      bytes,
      origin: board.name,
      target: remote,
      hops: 0,
    };
    if (!isLocal) {
      attachment?.send(packet);
      return;
    }
    const copy = new Uint8Array(bytes);
    board.timeline.after(LOOPBACK_DELAY, () => this.#alive && this.accept({ ...packet, bytes: copy }));
  }

  #sendError(remote: SocketAddress, bytes: Uint8Array, isReachable: boolean): SendError | undefined {
    if (this.board.sendError !== undefined) return this.board.sendError;
    const header = remote.family === 4 ? 28 : 48;
    if (bytes.length > MAX_PAYLOAD || bytes.length + header > this.board.interfaceMtu)
      return 'messageTooLong';
    return isReachable ? undefined : 'unreachable';
  }

  #worldInstant(due: Instant): Instant {
    const { clockRate } = this.board;
    const world = (due - this.#monotonicStart) / clockRate;
    return instant(this.#monotonicStart + world * clockRate < due ? world + ROUNDING : world);
  }
}

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;

const portKey = (family: 4 | 6, port: number): string => `${family}:${port}`;
