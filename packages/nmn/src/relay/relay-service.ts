import {
  after,
  type CryptoProvider,
  DeadlineQueue,
  DropCounters,
  type DropReason,
  type Duration,
  earliest,
  type Instant,
  minutes,
  randomBytes,
  type RandomSource,
  randomUint32,
  seconds,
} from '@coconet/cluster-protocol/core';
import {
  datagramKind,
  isRelayPacket,
  RELAY_HEADER,
  relayChannel,
  type SocketAddress,
  writeRelayHeader,
} from '@coconet/cluster-protocol/wire';

import { TokenBucket } from '../limits/token-bucket.js';
import { leaseToken } from './lease-token.js';
import { DEFAULT_RELAY_OPTIONS, type RelayOptions } from './relay-options.js';

/** A member at the address that its session with this NMN has validated. */
export interface RelayParty {
  /** 16 bytes. */
  readonly network: Uint8Array;
  /** Text form of `network`: the key of tables. */
  readonly networkKey: string;
  readonly nodeId: number;
  readonly link: number;
  readonly address: SocketAddress;
}

/** One end of a lease, as its node is told about it. */
export interface LeaseEnd {
  readonly channel: number;
  readonly expiresAt: Instant;
  readonly lifetime: Duration;
  readonly token: Uint8Array;
}

/** Why no lease is granted. */
export type LeaseRefusal = 'tooManyForNode' | 'tooManyForNetwork' | 'tooMany' | 'otherNetwork' | 'sameNode';

/** The answer to {@link RelayService.grant}. */
export type Grant =
  | { readonly granted: true; readonly first: LeaseEnd; readonly second: LeaseEnd }
  | { readonly granted: false; readonly reason: LeaseRefusal };

/** The answer to {@link RelayService.forward}: to whose link and address, or why the packet was dropped. */
export type Forwarded = Pick<RelayParty, 'link' | 'address'> | DropReason;

/** What one node is told when its packets exceed a rate. */
export interface ShapedNotice {
  readonly networkKey: string;
  readonly nodeId: number;
  /** On which the packets came. */
  readonly channel: number;
  /** Dropped of this channel since the last notice about it. */
  readonly droppedBytes: number;
  /** The rate that was exceeded: the node's, or that of all nodes of its network together. */
  readonly bytesPerSecond: number;
}

/** What is there now, and totals since the start. */
export interface RelayCounters {
  readonly leases: number;
  /** Two for each lease. */
  readonly channels: number;
  /** Nodes whose rate is remembered. */
  readonly nodes: number;
  readonly granted: number;
  readonly forwardedPackets: number;
  readonly forwardedBytes: number;
  readonly shapedPackets: number;
  readonly shapedBytes: number;
  readonly dropped: Partial<Record<DropReason, number>>;
}

interface Leg {
  readonly pair: string;
  readonly channel: number;
  readonly traffic: Traffic;
  party: RelayParty;
  /** Whole milliseconds: the token signs them. */
  expiresAt: Instant;
  other: Leg | undefined;
  /** Dropped for a rate, and not told yet. */
  droppedBytes: number;
  exceededRate: number;
  noticedAt: Instant | undefined;
}

/** What one node sends through the relay; outlives its leases until the bucket is full again. */
interface Traffic {
  readonly networkKey: string;
  readonly nodeId: number;
  readonly bucket: TokenBucket;
  readonly network: NetworkTraffic;
  readonly channels: Set<number>;
}

interface NetworkTraffic {
  readonly bucket: TokenBucket;
  leases: number;
  bytes: number;
}

/** When to look for leases and rates that nobody needs any more. */
const SWEEP_INTERVAL: Duration = minutes(1);
/**
 * A node over its rate is told so at most this often for each channel: the notice is for people, not for congestion
 * control. What is dropped meanwhile is told at the end of the interval; so notices are bounded by channels.
 */
const NOTICE_INTERVAL: Duration = seconds(1);

/**
 * Forwards packets between two members who hold a lease. It sees channel numbers and lengths, never a key: what it
 * carries is sealed end to end. Each end of a lease has a random channel number of its own, bound to the validated
 * address of its node, so a stranger who guesses a channel is refused for its address, and nobody can make the relay
 * send anywhere but to the other end (threats T18, T19).
 */
export class RelayService {
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  readonly #secret: Uint8Array;
  readonly #options: RelayOptions;
  readonly #legs = new Map<number, Leg>();
  readonly #pairs = new Map<string, readonly [Leg, Leg]>();
  readonly #nodes = new Map<string, Traffic>();
  readonly #networks = new Map<string, NetworkTraffic>();
  /** Channels whose node is to be told, and when. */
  readonly #notices = new DeadlineQueue<number>();
  readonly #drops = new DropCounters();
  #sweepAt: Instant | undefined;
  #granted = 0;
  #forwardedPackets = 0;
  #forwardedBytes = 0;
  #shapedPackets = 0;
  #shapedBytes = 0;

  constructor(provider: CryptoProvider, random: RandomSource, options: Partial<RelayOptions> = {}) {
    this.#provider = provider;
    this.#random = random;
    this.#secret = randomBytes(random, 32);
    this.#options = { ...DEFAULT_RELAY_OPTIONS, ...options };
  }

  /**
   * A lease between two members of one network, or the one they have already, lengthened and bound to where they are
   * now.
   */
  grant(now: Instant, first: RelayParty, second: RelayParty): Grant {
    if (first.networkKey !== second.networkKey) return { granted: false, reason: 'otherNetwork' };
    if (first.nodeId === second.nodeId) return { granted: false, reason: 'sameNode' };
    const pair = pairKey(first, second);
    const legs = this.#pairs.get(pair) ?? this.#open(now, pair, first, second);
    if (typeof legs === 'string') return { granted: false, reason: legs };
    const mine = legs[0].party.nodeId === first.nodeId ? legs[0] : legs[1];
    const theirs = mine === legs[0] ? legs[1] : legs[0];
    mine.party = first;
    theirs.party = second;
    this.#granted++;
    return { granted: true, first: this.#extend(now, mine), second: this.#extend(now, theirs) };
  }

  /**
   * Lengthens one end and binds it to where its node is now. `undefined` when there is no such channel, it is another
   * node's, or the token is not the one that was given last.
   */
  renew(now: Instant, party: RelayParty, channel: number, token: Uint8Array): LeaseEnd | undefined {
    const leg = this.#live(now, channel);
    if (leg === undefined || !sameNode(leg.party, party)) return undefined;
    if (!this.#provider.equal(token, this.#tokenOf(leg))) return undefined;
    leg.party = party;
    return this.#extend(now, leg);
  }

  /**
   * A node gives its lease back, which ends both ends of it; the other one is told nothing, and finds out when it renews.
   * Of two that do so the second is late, which is no fault. Gives why it was refused: the channel is another node's.
   */
  release(party: Pick<RelayParty, 'networkKey' | 'nodeId'>, channel: number): DropReason | undefined {
    const leg = this.#legs.get(channel);
    if (leg === undefined) return undefined;
    if (!sameNode(leg.party, party)) return 'notPermitted';
    this.#close(leg.pair);
    return undefined;
  }

  /** The node's session has validated another address: all its ends move there at once. */
  rebind(party: RelayParty): void {
    for (const channel of this.#nodes.get(nodeKey(party))?.channels ?? [])
      this.#legs.get(channel)!.party = party;
  }

  /** Ends all leases of a node that is no member any more. */
  revoke(node: Pick<RelayParty, 'networkKey' | 'nodeId'>): void {
    for (const channel of [...(this.#nodes.get(nodeKey(node))?.channels ?? [])]) {
      const leg = this.#legs.get(channel);
      if (leg) this.#close(leg.pair);
    }
  }

  /**
   * Where the packet goes, with its channel rewritten in place to the number of the other end; or why it is dropped.
   * `packet` is the whole datagram: kind byte, channel, then a packet between the two.
   */
  forward(now: Instant, link: number, from: SocketAddress, packet: Uint8Array): Forwarded {
    const outcome = this.#forward(now, link, from, packet);
    if (typeof outcome === 'string') this.#drops.count(outcome);
    return outcome;
  }

  /** One node that is to be told now that its packets were dropped, if any. */
  pollNotice(now: Instant): ShapedNotice | undefined {
    for (
      let channel = this.#notices.takeDue(now);
      channel !== undefined;
      channel = this.#notices.takeDue(now)
    ) {
      const leg = this.#legs.get(channel);
      if (leg === undefined) continue;
      const { party, droppedBytes, exceededRate: bytesPerSecond } = leg;
      leg.droppedBytes = 0;
      leg.noticedAt = now;
      return { networkKey: party.networkKey, nodeId: party.nodeId, channel, droppedBytes, bytesPerSecond };
    }
    return undefined;
  }

  /** Closes leases of which one end was not renewed in time. Early and repeated calls are harmless. */
  handleTimeout(now: Instant): void {
    if (this.#sweepAt === undefined || now < this.#sweepAt) return;
    for (const [pair, legs] of this.#pairs) if (legs.some(leg => leg.expiresAt <= now)) this.#close(pair);
    for (const [key, traffic] of this.#nodes)
      if (traffic.channels.size === 0 && traffic.bucket.full(now)) this.#nodes.delete(key);
    const inUse = new Set([...this.#nodes.values()].map(traffic => traffic.network));
    for (const [key, network] of this.#networks)
      if (!inUse.has(network) && network.bucket.full(now)) this.#networks.delete(key);
    this.#sweepAt = this.#networks.size > 0 ? after(now, SWEEP_INTERVAL) : undefined;
  }

  /** When {@link handleTimeout} or {@link pollNotice} is due. */
  pollTimeout(): Instant | undefined {
    return earliest(this.#sweepAt, this.#notices.earliest);
  }

  get counters(): RelayCounters {
    return {
      leases: this.#pairs.size,
      channels: this.#legs.size,
      nodes: this.#nodes.size,
      granted: this.#granted,
      forwardedPackets: this.#forwardedPackets,
      forwardedBytes: this.#forwardedBytes,
      shapedPackets: this.#shapedPackets,
      shapedBytes: this.#shapedBytes,
      dropped: this.#drops.snapshot(),
    };
  }

  /** Bytes forwarded for one network since it last had no lease. */
  forwardedFor(networkKey: string): number {
    return this.#networks.get(networkKey)?.bytes ?? 0;
  }

  #forward(now: Instant, link: number, from: SocketAddress, packet: Uint8Array): Forwarded {
    if (!isRelayPacket(packet) || !carriesPeerPacket(packet)) return 'malformed';
    const leg = this.#live(now, relayChannel(packet));
    const other = leg?.other;
    if (leg === undefined || other === undefined || other.expiresAt <= now) return 'unknownChannel';
    if (leg.party.link !== link || leg.party.address.key !== from.key) return 'notPermitted';
    const { traffic } = leg;
    const { nodeBytesPerSecond, networkBytesPerSecond } = this.#options;
    const exceeded = !traffic.bucket.take(now, packet.length)
      ? nodeBytesPerSecond
      : !traffic.network.bucket.take(now, packet.length)
        ? networkBytesPerSecond
        : undefined;
    if (exceeded !== undefined) {
      this.#shape(now, leg, packet.length, exceeded);
      return 'rateLimited';
    }
    this.#forwardedPackets++;
    this.#forwardedBytes += packet.length;
    traffic.network.bytes += packet.length;
    writeRelayHeader(packet, other.channel);
    return other.party;
  }

  #shape(now: Instant, leg: Leg, bytes: number, rate: number): void {
    this.#shapedPackets++;
    this.#shapedBytes += bytes;
    leg.exceededRate = rate;
    if (leg.droppedBytes === 0) {
      const again = leg.noticedAt === undefined ? now : after(leg.noticedAt, NOTICE_INTERVAL);
      this.#notices.set(leg.channel, again > now ? again : now);
    }
    leg.droppedBytes += bytes;
  }

  #open(
    now: Instant,
    pair: string,
    first: RelayParty,
    second: RelayParty,
  ): readonly [Leg, Leg] | LeaseRefusal {
    if (this.#pairs.size >= this.#options.leases) return 'tooMany';
    const network = this.#networkOf(now, first.networkKey);
    if (network.leases >= this.#options.leasesPerNetwork) return 'tooManyForNetwork';
    const parties = [first, second] as const;
    if (
      parties.some(
        party => (this.#nodes.get(nodeKey(party))?.channels.size ?? 0) >= this.#options.leasesPerNode,
      )
    )
      return 'tooManyForNode';
    const legs = [this.#addLeg(now, pair, first, network), this.#addLeg(now, pair, second, network)] as const;
    legs[0].other = legs[1];
    legs[1].other = legs[0];
    this.#pairs.set(pair, legs);
    network.leases++;
    this.#sweepAt ??= after(now, SWEEP_INTERVAL);
    return legs;
  }

  #addLeg(now: Instant, pair: string, party: RelayParty, network: NetworkTraffic): Leg {
    const traffic = this.#trafficOf(now, party, network);
    const leg: Leg = {
      pair,
      channel: this.#freshChannel(),
      traffic,
      party,
      expiresAt: now,
      other: undefined,
      droppedBytes: 0,
      exceededRate: 0,
      noticedAt: undefined,
    };
    this.#legs.set(leg.channel, leg);
    traffic.channels.add(leg.channel);
    return leg;
  }

  #trafficOf(now: Instant, party: RelayParty, network: NetworkTraffic): Traffic {
    const key = nodeKey(party);
    const known = this.#nodes.get(key);
    if (known) return known;
    const rate = { perSecond: this.#options.nodeBytesPerSecond, capacity: this.#options.nodeBurst };
    const traffic: Traffic = {
      networkKey: party.networkKey,
      nodeId: party.nodeId,
      bucket: new TokenBucket(rate, now),
      network,
      channels: new Set(),
    };
    this.#nodes.set(key, traffic);
    return traffic;
  }

  #close(pair: string): void {
    for (const leg of this.#pairs.get(pair) ?? []) {
      this.#legs.delete(leg.channel);
      this.#notices.set(leg.channel, undefined);
      const { traffic } = leg;
      traffic.channels.delete(leg.channel);
      if (leg === this.#pairs.get(pair)![0]) traffic.network.leases--;
    }
    this.#pairs.delete(pair);
  }

  #extend(now: Instant, leg: Leg): LeaseEnd {
    const lifetime = this.#options.leaseLife;
    leg.expiresAt = after(Math.floor(now) as Instant, lifetime);
    return { channel: leg.channel, expiresAt: leg.expiresAt, lifetime, token: this.#tokenOf(leg) };
  }

  #tokenOf(leg: Leg): Uint8Array {
    const { network, nodeId, address } = leg.party;
    const { channel, expiresAt } = leg;
    return leaseToken(this.#provider, this.#secret, { network, nodeId, channel, address, expiresAt });
  }

  #live(now: Instant, channel: number): Leg | undefined {
    const leg = this.#legs.get(channel);
    return leg !== undefined && leg.expiresAt > now ? leg : undefined;
  }

  /** Two ends have different numbers because each is fresh; 0 is left out so that a forgotten number never works. */
  #freshChannel(): number {
    for (;;) {
      const channel = randomUint32(this.#random);
      if (channel !== 0 && !this.#legs.has(channel)) return channel;
    }
  }

  #networkOf(now: Instant, key: string): NetworkTraffic {
    let network = this.#networks.get(key);
    if (network === undefined) {
      const rate = { perSecond: this.#options.networkBytesPerSecond, capacity: this.#options.networkBurst };
      network = { bucket: new TokenBucket(rate, now), leases: 0, bytes: 0 };
      this.#networks.set(key, network);
    }
    return network;
  }
}

type NodeName = Pick<RelayParty, 'networkKey' | 'nodeId'>;

const nodeKey = (node: NodeName): string => `${node.networkKey}/${node.nodeId}`;

const sameNode = (a: NodeName, b: NodeName): boolean =>
  a.nodeId === b.nodeId && a.networkKey === b.networkKey;

const pairKey = (a: RelayParty, b: RelayParty): string =>
  `${a.networkKey}/${Math.min(a.nodeId, b.nodeId)}/${Math.max(a.nodeId, b.nodeId)}`;

/** Only packets of this protocol are carried, and none that would be relayed again. */
function carriesPeerPacket(packet: Uint8Array): boolean {
  const kind = datagramKind(packet.subarray(RELAY_HEADER));
  return kind !== undefined && kind !== 'relay';
}
