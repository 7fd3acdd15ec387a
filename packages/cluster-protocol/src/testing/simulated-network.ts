import { assert, ClusterError, milliseconds } from '../base/index.js';
import { socketAddress } from '../wire/index.js';
import type { LinkConditions } from './link-conditions.js';
import { SimulatedPipe } from './link-conditions.js';
import type { Recorder } from './recorder.js';
import type { SeededRandom } from './seeded-random.js';
import { Attachment, Segment } from './segment.js';
import type { Packet, SegmentOptions, Station } from './segment.js';
import { NAT_KINDS, SimulatedNat } from './simulated-nat.js';
import type { NatKind, NatOptions } from './simulated-nat.js';
import type { Timeline } from './timeline.js';

/** One way between a host or a home and the middle of the internet: 20 ms there and back between two of them. */
const INTERNET_DELAY = milliseconds(5);

/** One way between a station and the switch of a LAN. */
const LAN_DELAY = milliseconds(0.2);

/** Options of {@link SimulatedNetwork.lan}. */
export interface LanOptions {
  readonly name?: string;
  /** What stands between the LAN and `via`: a kind, or behaviours that differ from `portRestricted`. Default `portRestricted`. */
  readonly nat?: NatKind | Partial<NatOptions>;
  /** Where the outer side is: the internet, or the inside of another NAT. */
  readonly via?: Segment;
  /** How many outer addresses the NAT has. Default 1. */
  readonly outerAddresses?: number;
  /** The inner network, `/16` or longer. Default `192.168.N.0/24`. */
  readonly prefix?: string;
  readonly prefixLength?: number;
  /** Conditions of the links inside. */
  readonly conditions?: Partial<LinkConditions>;
  /** Conditions of the line between the NAT and `via`, each way. */
  readonly line?: Partial<LinkConditions>;
}

/** Segments, NATs and links of one simulated world, and who is cut off from whom. */
export class SimulatedNetwork {
  /** Everybody with a public address. IPv4 and IPv6. */
  readonly internet: Segment;
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;
  readonly #recorder: Recorder;
  readonly #cuts = new Set<string>();
  #lans = 0;

  constructor(timeline: Timeline, random: SeededRandom, recorder: Recorder) {
    this.#timeline = timeline;
    this.#random = random;
    this.#recorder = recorder;
    // Addresses of no special meaning (RFC 6890): the core is right to distrust private and documentation ones.
    this.internet = this.segment({
      name: 'internet',
      prefix: '5.1.0.0',
      prefixLength: 0,
      prefix6: '2a00::',
      prefixLength6: 0,
      conditions: { delay: INTERNET_DELAY },
    });
  }

  /** A segment without a gateway: an island, until it is given one. */
  segment(options: SegmentOptions): Segment {
    return new Segment(options, (packet, cause) => this.record(packet, packet.target.key, cause));
  }

  /** A LAN behind a NAT of its own; stations are attached to its `inside`. */
  lan(options: LanOptions = {}): SimulatedNat {
    const number = ++this.#lans;
    const name = options.name ?? `lan${number}`;
    const inside = this.segment({
      name,
      prefix: options.prefix ?? `192.168.${number}.0`,
      prefixLength: options.prefixLength ?? 24,
      conditions: { delay: LAN_DELAY, ...options.conditions },
    });
    const random = this.#random.fork(`nat ${name}`);
    const nat = new SimulatedNat(
      name,
      inside,
      natOptions(options.nat),
      this.#timeline,
      random,
      (packet, cause) => this.record(packet, packet.target.key, cause),
    );
    this.plug(nat, options.via ?? this.internet, options.outerAddresses ?? 1, options.line);
    return nat;
  }

  /** Gives a NAT new outer addresses on `via`: its line was moved, or its provider changed its mind. */
  plug(nat: SimulatedNat, via: Segment = this.internet, count = 1, line: Partial<LinkConditions> = {}): void {
    nat.plug(Array.from({ length: count }, () => this.attachment(via, nat, 4, undefined, line)));
  }

  /** Makes the plug of a station; {@link Segment.attach} plugs it in. */
  attachment(
    segment: Segment,
    station: Station,
    family: 4 | 6,
    host?: string,
    conditions: Partial<LinkConditions> = {},
  ): Attachment {
    const address = host === undefined ? segment.issue(family) : socketAddress(host, 1);
    if (address?.family !== family || !segment.contains(address)) {
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `${host ?? ''} is no IPv${family} address of segment '${segment.name}'`,
      );
    }
    const pipe = (direction: string): SimulatedPipe =>
      new SimulatedPipe(this.#timeline, this.#random.fork(`${direction} ${station.name} ${address.key}`), {
        ...segment.conditions,
        ...conditions,
      });
    return new Attachment(segment, station, address, pipe('up'), pipe('down'));
  }

  /** Lets nothing pass between two hosts, whatever the path, until they are healed. What a third host relays passes. */
  cut(one: string, other: string): void {
    assert(one !== other, 'a host is not cut off from itself');
    this.#cuts.add(pair(one, other));
  }

  /** Cuts every host of one group off from every host of the others. */
  partition(...groups: readonly (readonly string[])[]): void {
    groups.forEach((group, index) => {
      for (const other of groups.slice(index + 1).flat()) for (const one of group) this.cut(one, other);
    });
  }

  /** Undoes {@link cut} of two hosts, or all cuts. */
  heal(one?: string, other?: string): void {
    if (one === undefined || other === undefined) this.#cuts.clear();
    else this.#cuts.delete(pair(one, other));
  }

  isCut(one: string, other: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(pair(one, other));
  }

  /** Writes down what became of a packet. */
  record(packet: Packet, to: string, fate: Parameters<Recorder['datagram']>[5]): void {
    this.#recorder.datagram(this.#timeline.now, packet.origin, to, packet.target, packet.bytes, fate);
  }
}

function natOptions(nat: LanOptions['nat']): NatOptions {
  return typeof nat === 'string' ? NAT_KINDS[nat] : { ...NAT_KINDS.portRestricted, ...nat };
}

const pair = (one: string, other: string): string => (one < other ? `${one}\n${other}` : `${other}\n${one}`);
