import { type Duration, type Instant, type WallTime } from '@coconet/cluster-protocol/core';
import { addressScope, type SocketAddress } from '@coconet/cluster-protocol/wire';

import { type BucketRate, TokenBucket } from '../limits/token-bucket.js';
import type { LeaseEnd, RelayParty, RelayService } from '../relay/relay-service.js';
import { PresenceBoard, type PresenceChange } from './presence-board.js';
import { punchTiming } from './punch-timing.js';

/** A node that has a session with this NMN. `session` is the caller's handle. */
export interface OnlineNode<Session> extends RelayParty {
  readonly session: Session;
  /** Addresses that this NMN saw the node at, newest first. */
  readonly observed: readonly SocketAddress[];
  readonly roundTrip: Duration | undefined;
}

/** Why two nodes are not introduced; the wire's words for it. */
export type IntroductionRefusal = 'unknownPeer' | 'away' | 'notPermitted' | 'rateLimited';

/** What {@link RendezvousService.connect} decided. */
export type Introduction<Session> =
  | {
      readonly introduced: true;
      readonly requester: OnlineNode<Session>;
      readonly peer: OnlineNode<Session>;
      readonly requesterLease: LeaseEnd;
      readonly peerLease: LeaseEnd;
    }
  | { readonly introduced: false; readonly reason: IntroductionRefusal };

/** What {@link RendezvousService.punch} decided. */
export type PunchPlan<Session> =
  | {
      readonly planned: true;
      readonly sides: readonly [PunchSide<Session>, PunchSide<Session>];
    }
  | { readonly planned: false; readonly reason: IntroductionRefusal };

/** What one side of a punch is told: begin in `startIn` ms towards `peer`, which was seen at `observed`. */
export interface PunchSide<Session> {
  readonly session: Session;
  readonly peer: number;
  readonly startIn: number;
  readonly observed: readonly SocketAddress[];
}

/** What membership says about two nodes of a network; the rendezvous itself knows no certificate. */
export interface MeetingRules {
  /** Whether `nodeId` is a member in good standing. */
  isMember(networkKey: string, nodeId: number): boolean;
  /** Whether the two may talk at all. */
  mayMeet(networkKey: string, first: number, second: number): boolean;
}

/** Rates of {@link RendezvousService}. */
export interface RendezvousOptions {
  /** Introductions and punches that one node may ask for. */
  readonly asking: BucketRate;
  /** Introductions that one node gets, whoever asks: a network of hostile members cannot flood one device. */
  readonly beingAsked: BucketRate;
}

/**
 * An app that shows a house of 64 devices asks for all of them at once and for few afterwards; a device is asked by all
 * apps of a family after a power cut.
 */
export const DEFAULT_RENDEZVOUS_OPTIONS: RendezvousOptions = {
  asking: { perSecond: 10, capacity: 128 },
  beingAsked: { perSecond: 20, capacity: 128 },
};

/** One per family and one to spare while a node roams. */
export const MAX_OBSERVED = 4;

/** Totals since the start. */
export interface RendezvousCounters {
  readonly online: number;
  readonly introductions: number;
  readonly punches: number;
  readonly refused: Readonly<Record<IntroductionRefusal, number>>;
}

interface Entry<Session> {
  node: OnlineNode<Session>;
  readonly asking: TokenBucket;
  readonly beingAsked: TokenBucket;
}

/**
 * Knows who is there and introduces two members to each other: a relay lease for both, the requester's handshake for
 * the peer, the moment to punch. It hands out no address but those it saw itself, so nobody can point one node's
 * probes at a victim (threat T4).
 */
export class RendezvousService<Session> {
  readonly #relay: RelayService;
  readonly #rules: MeetingRules;
  readonly #options: RendezvousOptions;
  readonly #online = new Map<string, Entry<Session>>();
  readonly #presence = new PresenceBoard();
  readonly #refused = { unknownPeer: 0, away: 0, notPermitted: 0, rateLimited: 0 };
  #introductions = 0;
  #punches = 0;

  constructor(relay: RelayService, rules: MeetingRules, options: Partial<RendezvousOptions> = {}) {
    this.#relay = relay;
    this.#rules = rules;
    this.#options = { ...DEFAULT_RENDEZVOUS_OPTIONS, ...options };
  }

  /** A member's session was set up. An older session of the same node is superseded; its rates stay. */
  handleOnline(now: Instant, wall: WallTime, node: Omit<OnlineNode<Session>, 'observed'>): void {
    const key = keyOf(node.networkKey, node.nodeId);
    const known = this.#online.get(key);
    const seen = { ...node, observed: withAddress(known?.node.observed ?? [], node.address) };
    if (known) known.node = seen;
    else {
      const asking = new TokenBucket(this.#options.asking, now);
      this.#online.set(key, {
        node: seen,
        asking,
        beingAsked: new TokenBucket(this.#options.beingAsked, now),
      });
    }
    this.#relay.rebind(seen);
    this.#presence.update(now, wall, node.networkKey, node.nodeId, true);
  }

  /** The node's session validated another path. */
  handleAddress(
    networkKey: string,
    nodeId: number,
    session: Session,
    link: number,
    address: SocketAddress,
  ): void {
    const entry = this.#online.get(keyOf(networkKey, nodeId));
    if (entry?.node.session !== session) return;
    entry.node = { ...entry.node, link, address, observed: withAddress(entry.node.observed, address) };
    this.#relay.rebind(entry.node);
  }

  handleRoundTrip(networkKey: string, nodeId: number, roundTrip: Duration): void {
    const entry = this.#online.get(keyOf(networkKey, nodeId));
    if (entry) entry.node = { ...entry.node, roundTrip };
  }

  /** A session ended. Nothing happens when a newer one of the same node took over meanwhile. */
  handleOffline(now: Instant, wall: WallTime, networkKey: string, nodeId: number, session: Session): void {
    const key = keyOf(networkKey, nodeId);
    if (this.#online.get(key)?.node.session !== session) return;
    this.#online.delete(key);
    this.#presence.update(now, wall, networkKey, nodeId, false);
  }

  /** The node is a member no more: its leases end, and nobody is told that it is away. */
  handleRevoked(networkKey: string, nodeId: number): void {
    this.#online.delete(keyOf(networkKey, nodeId));
    this.#relay.revoke({ networkKey, nodeId });
    this.#presence.forget(networkKey, nodeId);
  }

  online(networkKey: string, nodeId: number): OnlineNode<Session> | undefined {
    return this.#online.get(keyOf(networkKey, nodeId))?.node;
  }

  /** `requester` wants to talk to `peer`: a lease for both and an introduction for the peer, or why not. */
  connect(now: Instant, networkKey: string, requester: number, peer: number): Introduction<Session> {
    const pair = this.#pair(now, networkKey, requester, peer);
    if (typeof pair === 'string') return { introduced: false, reason: this.#refuse(pair) };
    const grant = this.#relay.grant(now, pair[0].node, pair[1].node);
    if (!grant.granted) return { introduced: false, reason: this.#refuse('rateLimited') };
    this.#introductions++;
    return {
      introduced: true,
      requester: pair[0].node,
      peer: pair[1].node,
      requesterLease: grant.first,
      peerLease: grant.second,
    };
  }

  /** Both have exchanged candidates: when each begins, so that their first probes cross. */
  punch(now: Instant, networkKey: string, requester: number, peer: number): PunchPlan<Session> {
    const pair = this.#pair(now, networkKey, requester, peer);
    if (typeof pair === 'string') return { planned: false, reason: this.#refuse(pair) };
    const [first, second] = [pair[0].node, pair[1].node];
    const timing = punchTiming(first.roundTrip, second.roundTrip);
    this.#punches++;
    return {
      planned: true,
      sides: [
        { session: first.session, peer: second.nodeId, startIn: timing.first, observed: second.observed },
        { session: second.session, peer: first.nodeId, startIn: timing.second, observed: first.observed },
      ],
    };
  }

  /** What the members of a network were told about each other. */
  presence(networkKey: string): PresenceChange[] {
    return this.#presence.snapshot(networkKey);
  }

  pollPresence(): PresenceChange | undefined {
    return this.#presence.pollChange();
  }

  handleTimeout(now: Instant): void {
    this.#presence.handleTimeout(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#presence.pollTimeout();
  }

  get counters(): RendezvousCounters {
    return {
      online: this.#online.size,
      introductions: this.#introductions,
      punches: this.#punches,
      refused: { ...this.#refused },
    };
  }

  #pair(
    now: Instant,
    networkKey: string,
    requester: number,
    peer: number,
  ): readonly [Entry<Session>, Entry<Session>] | IntroductionRefusal {
    const from = this.#online.get(keyOf(networkKey, requester));
    if (from === undefined) return 'notPermitted';
    if (!from.asking.take(now)) return 'rateLimited';
    if (requester === peer || !this.#rules.isMember(networkKey, peer)) return 'unknownPeer';
    if (!this.#rules.mayMeet(networkKey, requester, peer)) return 'notPermitted';
    const to = this.#online.get(keyOf(networkKey, peer));
    if (to === undefined) return 'away';
    return to.beingAsked.take(now) ? [from, to] : 'rateLimited';
  }

  #refuse(reason: IntroductionRefusal): IntroductionRefusal {
    this.#refused[reason]++;
    return reason;
  }
}

const keyOf = (networkKey: string, nodeId: number): string => `${networkKey}/${nodeId}`;

/** Newest first, each once, none that no datagram can be sent to. */
function withAddress(observed: readonly SocketAddress[], address: SocketAddress): readonly SocketAddress[] {
  if (observed[0]?.key === address.key || !isReachable(address)) return observed;
  return [address, ...observed.filter(known => known.key !== address.key)].slice(0, MAX_OBSERVED);
}

function isReachable(address: SocketAddress): boolean {
  const scope = addressScope(address);
  return scope !== 'unspecified' && scope !== 'multicast' && scope !== 'broadcast' && scope !== 'reserved';
}
