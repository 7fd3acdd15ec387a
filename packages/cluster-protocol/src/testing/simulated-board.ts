import type { Duration, TraceSink, WallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { SendError } from '../interface/machine.js';
import type { SocketAddress } from '../wire/index.js';
import type { LinkConditions } from './link-conditions.js';
import type { Recorder } from './recorder.js';
import type { SeededRandom } from './seeded-random.js';
import type { Attachment, Packet, Segment, Station } from './segment.js';
import { SimulatedHost } from './simulated-host.js';
import type { SimulatedNetwork } from './simulated-network.js';
import { SimulatedDisk } from './simulated-store.js';
import type { Timeline } from './timeline.js';

/** The world that a board stands in. */
export interface BoardSurroundings {
  readonly timeline: Timeline;
  readonly network: SimulatedNetwork;
  readonly recorder: Recorder;
  readonly crypto: CryptoProvider;
  /** The civil time at which the world began. */
  readonly startsAt: WallTime;
}

/** A machine that can be powered on and off: its plugs, disks and clock crystal. */
export class SimulatedBoard implements Station {
  readonly name: string;
  readonly random: SeededRandom;
  readonly timeline: Timeline;
  readonly worldStart: WallTime;
  /** How much faster than true time its clocks run: 1.0001 gains 100 µs a second. */
  readonly clockRate: number;
  /** By how many milliseconds its civil time is wrong. */
  wallClockError: number;
  /** The largest IP packet that its interfaces take; more fails with `messageTooLong`. */
  interfaceMtu = 65_535;
  /** While set, every send fails so. */
  sendError: SendError | undefined;
  readonly #surroundings: BoardSurroundings;
  #attachments: readonly Attachment[] = [];
  readonly #disks = new Map<string, SimulatedDisk>();
  #host: SimulatedHost | undefined;
  #lives = 0;

  constructor(
    name: string,
    random: SeededRandom,
    surroundings: BoardSurroundings,
    clock: { readonly rate: number; readonly error: Duration },
  ) {
    this.name = name;
    this.random = random;
    this.timeline = surroundings.timeline;
    this.worldStart = surroundings.startsAt;
    this.clockRate = clock.rate;
    this.wallClockError = clock.error;
    this.#surroundings = surroundings;
  }

  get attachments(): readonly Attachment[] {
    return this.#attachments;
  }

  /** Plugs the board into a segment; running machines see a new address. */
  plugIn(segment: Segment, family: 4 | 6, host?: string, conditions?: Partial<LinkConditions>): Attachment {
    const attachment = this.#surroundings.network.attachment(segment, this, family, host, conditions);
    segment.attach(attachment);
    this.#attachments = [...this.#attachments, attachment];
    this.#host?.updateLinks();
    return attachment;
  }

  /** Pulls a plug, or all; running machines see the addresses go. */
  unplug(...attachments: readonly Attachment[]): void {
    const gone = attachments.length === 0 ? this.#attachments : attachments;
    for (const attachment of gone) attachment.segment.detach(attachment);
    this.#attachments = this.#attachments.filter(attachment => !gone.includes(attachment));
    this.#host?.updateLinks();
  }

  /** Changes the conditions of all its links, both ways. */
  setConditions(conditions: Partial<LinkConditions>): void {
    for (const attachment of this.#attachments) attachment.set(conditions);
  }

  /** The plug that packets for `remote` leave by: of the same segment if possible, else one with a way out. */
  routeTo(remote: SocketAddress): Attachment | undefined {
    const usable = this.#attachments.filter(({ family }) => family === remote.family);
    return (
      usable.find(({ segment }) => segment.prefixLength(remote.family) > 0 && segment.contains(remote)) ??
      usable.find(({ segment }) => segment.gateway !== undefined || segment.prefixLength(remote.family) === 0)
    );
  }

  disk(name: string): SimulatedDisk {
    let disk = this.#disks.get(name);
    if (disk === undefined) {
      disk = new SimulatedDisk(this.timeline, this.random.fork(`disk ${name}`));
      this.#disks.set(name, disk);
    }
    return disk;
  }

  /** Begins a life; the board is off. */
  powerOn(): SimulatedHost {
    this.#host = new SimulatedHost(this, this.#surroundings.crypto, this.#lives++);
    if (this.#lives > 1) this.note('restarts');
    return this.#host;
  }

  /** Ends a life. */
  powerOff(): void {
    this.#host = undefined;
    for (const disk of this.#disks.values()) disk.crash();
    this.note('crashes');
  }

  accept(packet: Packet): boolean {
    if (this.#surroundings.network.isCut(packet.origin, this.name)) {
      this.record(packet, 'partitioned');
      return false;
    }
    if (this.#host !== undefined) return this.#host.accept(packet);
    this.record(packet, 'noListener');
    return false;
  }

  /** Writes down what became of a packet that came as far as here. */
  record(packet: Packet, fate: 'delivered' | 'noListener' | 'partitioned'): void {
    this.#surroundings.network.record(packet, this.name, fate);
  }

  /** Begins the trace of an endpoint on this board; `undefined`: nobody wants one. */
  trace(title: string): TraceSink | undefined {
    return this.#surroundings.recorder.trace?.(`${this.name}-${title}`, () => this.timeline.now);
  }

  /** Writes down something that happened to this board. */
  note(text: string): void {
    this.#surroundings.recorder.note(this.timeline.now, this.name, text);
  }
}
