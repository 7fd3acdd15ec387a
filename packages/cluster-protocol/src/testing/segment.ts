import { assert, ClusterError } from '../base/index.js';
import { samePrefix, socketAddress } from '../wire/index.js';
import type { SocketAddress } from '../wire/index.js';
import type { LinkConditions, LossCause, SimulatedPipe } from './link-conditions.js';

/** Routers that a packet may pass: two NATs and a hairpin at each end, with room to spare; beyond it runs in a circle. */
const MAX_HOPS = 16;

/** Answers of {@link Segment.contains} that are remembered: it is asked for every packet. */
const MAX_CONTAINED = 4_096;

/** IPv4 or IPv6 header, then 8 bytes of UDP. */
const HEADER_LENGTH = { 4: 28, 6: 48 } as const;

/** A UDP datagram under way. */
export interface Packet {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  readonly bytes: Uint8Array;
  /** The name of the host that sent it, and the address it sent it to: no router changes those. */
  readonly origin: string;
  readonly target: SocketAddress;
  readonly hops: number;
}

/** What holds an address on a segment: a host or the outer side of a NAT. */
export interface Station {
  readonly name: string;
  /** Takes a packet that came through the station's link. Returns whether promises may have been settled. */
  accept(packet: Packet): boolean;
}

/** A router that packets for other segments are given to. */
export interface Gateway {
  forward(packet: Packet): void;
}

/** Tells the network what became of a packet that went no further. */
export type LossReport = (packet: Packet, cause: LossCause) => void;

/** The plug of one station on one segment: its address and the two directions of its link. */
export class Attachment {
  readonly segment: Segment;
  readonly station: Station;
  /** The address without a port. */
  readonly host: string;
  readonly family: 4 | 6;
  /** From the station to the segment. */
  readonly up: SimulatedPipe;
  /** From the segment to the station. */
  readonly down: SimulatedPipe;

  constructor(
    segment: Segment,
    station: Station,
    address: SocketAddress,
    up: SimulatedPipe,
    down: SimulatedPipe,
  ) {
    this.segment = segment;
    this.station = station;
    this.host = address.host;
    this.family = address.family;
    this.up = up;
    this.down = down;
  }

  /** Changes conditions of both directions. */
  set(conditions: Partial<LinkConditions>): void {
    this.up.set(conditions);
    this.down.set(conditions);
  }

  /** Sends a packet of this station on its way. */
  send(packet: Packet): void {
    const cause = this.up.carry(packet.bytes, HEADER_LENGTH[packet.destination.family], bytes => {
      this.segment.route({ ...packet, bytes });
      return false;
    });
    if (cause !== undefined) this.segment.reportLoss(packet, cause);
  }

  /** Brings a packet from the segment to this station. */
  receive(packet: Packet): void {
    const cause = this.down.carry(packet.bytes, HEADER_LENGTH[packet.destination.family], bytes =>
      this.station.accept({ ...packet, bytes }),
    );
    if (cause !== undefined) this.segment.reportLoss(packet, cause);
  }
}

/** Options of {@link Segment}. */
export interface SegmentOptions {
  readonly name: string;
  /** The IPv4 addresses of this segment: a network address and its prefix length. */
  readonly prefix: string;
  readonly prefixLength: number;
  /** The same for IPv6, without which the segment has none. */
  readonly prefix6?: string;
  readonly prefixLength6?: number;
  /** Conditions of a link to this segment where a station does not say otherwise. */
  readonly conditions: Partial<LinkConditions>;
}

/** Stations that reach each other without a router: a LAN, the inside of a carrier's NAT, or the internet as a whole. */
export class Segment {
  readonly name: string;
  readonly conditions: Partial<LinkConditions>;
  /** Where packets for foreign addresses go; without one they are lost. */
  gateway: Gateway | undefined;
  readonly reportLoss: LossReport;
  readonly #options: SegmentOptions;
  readonly #attachments = new Map<string, Attachment>();
  readonly #issued = { 4: 0, 6: 0 };
  readonly #contained = new Map<string, boolean>();

  constructor(options: SegmentOptions, reportLoss: LossReport) {
    this.name = options.name;
    this.conditions = options.conditions;
    this.reportLoss = reportLoss;
    this.#options = options;
  }

  /** Whether addresses of `family` exist here. */
  has(family: 4 | 6): boolean {
    return family === 4 || this.#options.prefix6 !== undefined;
  }

  /** Length of the prefix that all addresses of `family` here share. */
  prefixLength(family: 4 | 6): number {
    return family === 4 ? this.#options.prefixLength : (this.#options.prefixLength6 ?? 64);
  }

  /** Whether `address` belongs to this segment. */
  contains(address: SocketAddress): boolean {
    let known = this.#contained.get(address.host);
    if (known === undefined) {
      const { family } = address;
      known = this.has(family) && samePrefix(address, this.#network(family), this.prefixLength(family));
      if (this.#contained.size >= MAX_CONTAINED) this.#contained.clear();
      this.#contained.set(address.host, known);
    }
    return known;
  }

  /** The next address here that nobody has, in the order of asking. */
  issue(family: 4 | 6): SocketAddress {
    const network = this.#network(family).host;
    for (;;) {
      const number = ++this.#issued[family];
      assert(number < 65_000, 'a segment has room for its stations');
      const host =
        family === 6
          ? `${network.replace(/::$/, '')}::${number.toString(16)}`
          : network.replace(/\d+\.\d+$/, (last: string) => {
              const [high, low] = last.split('.').map(Number) as [number, number];
              return `${high + (number >> 8)}.${low + (number & 255)}`;
            });
      const address = socketAddress(host, 1);
      if (address !== undefined && !this.#attachments.has(address.host)) return address;
    }
  }

  /** Plugs a station in. */
  attach(attachment: Attachment): void {
    if (this.#attachments.has(attachment.host)) {
      throw new ClusterError('INVALID_ARGUMENT', `${attachment.host} is taken on segment '${this.name}'`);
    }
    this.#attachments.set(attachment.host, attachment);
  }

  detach(attachment: Attachment): void {
    this.#attachments.delete(attachment.host);
  }

  /** Brings a packet to its destination on this segment, or to the gateway. */
  route(packet: Packet): void {
    const next = { ...packet, hops: packet.hops + 1 };
    const local = this.#attachments.get(packet.destination.host);
    if (packet.hops >= MAX_HOPS) this.reportLoss(packet, 'loop');
    else if (local !== undefined) local.receive(next);
    else if (this.gateway === undefined || this.contains(packet.destination))
      this.reportLoss(packet, 'noRoute');
    else this.gateway.forward(next);
  }

  #network(family: 4 | 6): SocketAddress {
    const prefix = family === 4 ? this.#options.prefix : this.#options.prefix6;
    const network = socketAddress(prefix ?? '', 1);
    assert(network !== undefined, `segment '${this.name}' has an IPv${family} prefix`);
    return network;
  }
}
