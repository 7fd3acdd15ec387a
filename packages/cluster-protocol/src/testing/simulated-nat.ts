import { assert, elapsed, minutes } from '../base/index.js';
import type { Duration, Instant } from '../base/index.js';
import { socketAddress } from '../wire/index.js';
import type { SocketAddress } from '../wire/index.js';
import type { LossCause } from './link-conditions.js';
import type { SeededRandom } from './seeded-random.js';
import type { Attachment, Gateway, LossReport, Packet, Segment, Station } from './segment.js';
import type { Timeline } from './timeline.js';

/** On what a NAT's decision depends besides the inner address (RFC 4787, sections 4.1 and 5). */
export type NatDependence = 'endpointIndependent' | 'addressDependent' | 'addressAndPortDependent';

/** How a NAT behaves, in the terms of RFC 4787. */
export interface NatOptions {
  /** When two packets of one inner address get the same outer one (section 4.1). */
  readonly mapping: NatDependence;
  /** From whom packets are let in to a mapping (section 5). */
  readonly filtering: NatDependence;
  /**
   * How outer ports are chosen (section 4.2): the inner number where it is free, else the next free one; one number
   * after the other; or any.
   */
  readonly ports: 'preserve' | 'sequential' | 'random';
  /** How long a mapping and a permission last after the last packet (section 4.3); REQ-5 demands 2 minutes or more. */
  readonly lifetime: Duration;
  /** Whether packets from outside keep a mapping alive too (section 4.3, inbound refresh). */
  readonly inboundRefresh: boolean;
  /** Whether inner hosts reach each other by outer addresses (section 6); the source is then the outer address (REQ-9). */
  readonly hairpin: boolean;
  /** How an outer address is chosen from several (section 4.1): the same for an inner host (REQ-2), or any. */
  readonly pooling: 'paired' | 'arbitrary';
  /** Mappings at a time; beyond them packets are lost. */
  readonly maxMappings: number;
}

/** A kind of NAT, see {@link NAT_KINDS}. */
export type NatKind =
  'fullCone' | 'addressRestricted' | 'portRestricted' | 'symmetric' | 'symmetricSequential';

const USUAL = {
  ports: 'preserve',
  lifetime: minutes(2),
  inboundRefresh: false,
  hairpin: false,
  pooling: 'paired',
  maxMappings: 4_096,
} as const;

/** The NATs that people meet, by the names they know them by (RFC 3489, section 5) and what RFC 4787 makes of those. */
export const NAT_KINDS: Readonly<Record<NatKind, NatOptions>> = {
  fullCone: { ...USUAL, mapping: 'endpointIndependent', filtering: 'endpointIndependent' },
  addressRestricted: { ...USUAL, mapping: 'endpointIndependent', filtering: 'addressDependent' },
  portRestricted: { ...USUAL, mapping: 'endpointIndependent', filtering: 'addressAndPortDependent' },
  symmetric: {
    ...USUAL,
    mapping: 'addressAndPortDependent',
    filtering: 'addressAndPortDependent',
    ports: 'random',
  },
  symmetricSequential: {
    ...USUAL,
    mapping: 'addressAndPortDependent',
    filtering: 'addressAndPortDependent',
    ports: 'sequential',
  },
};

const FIRST_PORT = 1_024;
const PORTS = 0x1_0000 - FIRST_PORT;

interface Mapping {
  readonly key: string;
  readonly inside: SocketAddress;
  readonly outside: SocketAddress;
  refreshed: Instant;
  /** Who may send inwards, by what the filtering depends on, and when that was last renewed. */
  readonly permitted: Map<string, Instant>;
}

/** A router that translates addresses between an inner and an outer segment. */
export class SimulatedNat implements Station, Gateway {
  readonly name: string;
  readonly inside: Segment;
  readonly #options: NatOptions;
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;
  readonly #reportLoss: LossReport;
  #outer: readonly Attachment[] = [];
  readonly #byInside = new Map<string, Mapping>();
  readonly #byOutside = new Map<string, Mapping>();
  /** Outer addresses of before the last rebinding: a NAT that forgot does not happen to choose the same again. */
  #retired = new Set<string>();
  #lastPort: number;

  constructor(
    name: string,
    inside: Segment,
    options: NatOptions,
    timeline: Timeline,
    random: SeededRandom,
    reportLoss: LossReport,
  ) {
    this.name = name;
    this.inside = inside;
    this.#options = options;
    this.#timeline = timeline;
    this.#random = random;
    this.#reportLoss = reportLoss;
    this.#lastPort = FIRST_PORT + random.below(PORTS);
    inside.gateway = this;
  }

  /** The plugs on the outer segment: one for each outer address. */
  get outer(): readonly Attachment[] {
    return this.#outer;
  }

  /** The outer addresses. */
  get addresses(): readonly string[] {
    return this.#outer.map(({ host }) => host);
  }

  /** How it behaves. */
  get options(): NatOptions {
    return this.#options;
  }

  /** The mappings that are alive, as `inner -> outer`. */
  get mappings(): readonly string[] {
    this.#sweep();
    return [...this.#byInside.values()].map(({ inside, outside }) => `${inside.key} -> ${outside.key}`);
  }

  /** Gives the NAT its outer addresses, old ones being forgotten with their mappings. */
  plug(outer: readonly Attachment[]): void {
    assert(outer.length > 0, 'a NAT has an outer address');
    for (const attachment of this.#outer) attachment.segment.detach(attachment);
    for (const attachment of outer) attachment.segment.attach(attachment);
    this.#outer = outer;
    this.rebind();
  }

  /** Forgets all mappings, as after a restart: whoever speaks next gets an outer address it did not have. */
  rebind(): void {
    this.#retired = new Set(this.#byOutside.keys());
    this.#byInside.clear();
    this.#byOutside.clear();
  }

  /** A packet from inside. */
  forward(packet: Packet): void {
    const isHairpin = this.#outer.some(({ host }) => host === packet.destination.host);
    if (isHairpin && !this.#options.hairpin) {
      this.#reportLoss(packet, 'noHairpin');
      return;
    }
    const mapping = this.#mappingFor(packet);
    if (mapping === undefined) {
      this.#reportLoss(packet, 'natFull');
      return;
    }
    const translated = { ...packet, source: mapping.outside };
    if (isHairpin) this.#deliver(translated);
    else this.#outer.find(({ host }) => host === mapping.outside.host)?.send(translated);
  }

  /** A packet from outside. */
  accept(packet: Packet): boolean {
    this.#deliver(packet);
    return false;
  }

  #deliver(packet: Packet): void {
    const verdict = this.#admit(packet);
    if (typeof verdict === 'string') this.#reportLoss(packet, verdict);
    else this.inside.route({ ...packet, destination: verdict.inside });
  }

  #admit(packet: Packet): Mapping | LossCause {
    const { now } = this.#timeline;
    const mapping = this.#byOutside.get(packet.destination.key);
    if (mapping === undefined || this.#isOver(mapping.refreshed, now)) return 'noMapping';
    const { filtering, inboundRefresh } = this.#options;
    const who = dependence(filtering, packet.source);
    const permitted = mapping.permitted.get(who);
    if (filtering !== 'endpointIndependent' && (permitted === undefined || this.#isOver(permitted, now))) {
      return 'filtered';
    }
    if (inboundRefresh) {
      mapping.refreshed = now;
      mapping.permitted.set(who, now);
    }
    return mapping;
  }

  #mappingFor(packet: Packet): Mapping | undefined {
    const { now } = this.#timeline;
    const key = `${packet.source.key}|${dependence(this.#options.mapping, packet.destination)}`;
    let mapping = this.#byInside.get(key);
    if (mapping !== undefined && this.#isOver(mapping.refreshed, now)) {
      this.#forget(mapping);
      mapping = undefined;
    }
    mapping ??= this.#create(key, packet.source, now);
    if (mapping === undefined) return undefined;
    mapping.refreshed = now;
    mapping.permitted.set(dependence(this.#options.filtering, packet.destination), now);
    return mapping;
  }

  #create(key: string, inside: SocketAddress, now: Instant): Mapping | undefined {
    if (this.#byInside.size >= this.#options.maxMappings) this.#sweep();
    if (this.#byInside.size >= this.#options.maxMappings) return undefined;
    const outside = this.#chooseOutside(inside);
    if (outside === undefined) return undefined;
    const mapping = { key, inside, outside, refreshed: now, permitted: new Map<string, Instant>() };
    this.#byInside.set(key, mapping);
    this.#byOutside.set(outside.key, mapping);
    return mapping;
  }

  #chooseOutside(inside: SocketAddress): SocketAddress | undefined {
    const host = this.#chooseHost(inside);
    const first = this.#firstPort(inside.port);
    for (let i = 0; i < PORTS; i++) {
      const port = FIRST_PORT + ((first - FIRST_PORT + i) % PORTS);
      const outside = socketAddress(host, port)!;
      if (this.#retired.has(outside.key) || !this.#isFree(outside)) continue;
      this.#lastPort = port;
      return outside;
    }
    return undefined;
  }

  #chooseHost(inside: SocketAddress): string {
    const addresses = this.addresses;
    if (this.#options.pooling === 'arbitrary') return addresses[this.#random.below(addresses.length)]!;
    for (const mapping of this.#byInside.values()) {
      if (mapping.inside.host === inside.host) return mapping.outside.host;
    }
    const hosts = new Set([...this.#byInside.values()].map(mapping => mapping.inside.host));
    return addresses[hosts.size % addresses.length]!;
  }

  #firstPort(inner: number): number {
    switch (this.#options.ports) {
      case 'preserve':
        return Math.max(inner, FIRST_PORT);
      case 'sequential':
        return this.#lastPort + 1 > 0xffff ? FIRST_PORT : this.#lastPort + 1;
      case 'random':
        return FIRST_PORT + this.#random.below(PORTS);
    }
  }

  #isFree(outside: SocketAddress): boolean {
    const holder = this.#byOutside.get(outside.key);
    if (holder === undefined) return true;
    if (!this.#isOver(holder.refreshed, this.#timeline.now)) return false;
    this.#forget(holder);
    return true;
  }

  #sweep(): void {
    for (const mapping of [...this.#byInside.values()]) {
      if (this.#isOver(mapping.refreshed, this.#timeline.now)) this.#forget(mapping);
    }
  }

  #forget(mapping: Mapping): void {
    this.#byInside.delete(mapping.key);
    this.#byOutside.delete(mapping.outside.key);
  }

  #isOver(refreshed: Instant, now: Instant): boolean {
    return elapsed(refreshed, now) > this.#options.lifetime;
  }
}

/** What of `remote` a decision of this dependence looks at. */
function dependence(kind: NatDependence, remote: SocketAddress): string {
  switch (kind) {
    case 'endpointIndependent':
      return '';
    case 'addressDependent':
      return remote.host;
    case 'addressAndPortDependent':
      return remote.key;
  }
}
