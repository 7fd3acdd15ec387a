import {
  decodeRendezvous,
  type DropCounters,
  type Duration,
  encodeRendezvous,
  type Endpoint,
  type Instant,
  type Lease,
  type RendezvousMessage,
  type RendezvousRefusal,
  seconds,
  type SendOptions,
  SERVICES,
  type SessionHandle,
} from '@coconet/cluster-protocol/core';
import type { SocketAddress } from '@coconet/cluster-protocol/wire';

import type { NmnPeer } from '../membership/admission-policy.js';
import type { SendMessage } from '../membership/state-spreader.js';
import { LEASE_TOKEN_LENGTH } from '../relay/lease-token.js';
import type { LeaseEnd, RelayService, ShapedNotice } from '../relay/relay-service.js';
import type { Caller } from '../subsystem.js';
import type { PresenceChange } from './presence-board.js';
import type { RendezvousService } from './rendezvous-service.js';

/** What carries a message: a datagram where whoever waits for the answer repeats the question, else a message. */
export type Carrier = 'datagram' | 'message';

/** Answers are worth as much as the question: whoever waits asks again after this. */
const ANSWER_WORTH: Duration = seconds(5);
/** A punch begins a round of 4 s on both sides; afterwards the next one is asked for. */
const PUNCH_WORTH: Duration = seconds(4);
/** A renewal is asked for again after this. */
const RENEWAL_WORTH: Duration = seconds(20);
/** The token of no lease. */
const NO_TOKEN = new Uint8Array(LEASE_TOKEN_LENGTH);

/** Speaks service 4 on behalf of the rendezvous and the relay (docs/spec/04-path.md, "Rendezvous"). */
export class Introducer {
  readonly #rendezvous: RendezvousService<SessionHandle>;
  readonly #relay: RelayService;
  readonly #endpoint: Endpoint<NmnPeer>;
  readonly #drops: DropCounters;
  readonly #send: SendMessage;

  constructor(
    rendezvous: RendezvousService<SessionHandle>,
    relay: RelayService,
    endpoint: Endpoint<NmnPeer>,
    drops: DropCounters,
    send: SendMessage,
  ) {
    this.#rendezvous = rendezvous;
    this.#relay = relay;
    this.#endpoint = endpoint;
    this.#drops = drops;
    this.#send = send;
  }

  /** A message of service 4 from a member, and what carried it. */
  receive(now: Instant, { networkKey, nodeId }: Caller, bytes: Uint8Array, came: Carrier): void {
    const decoded = decodeRendezvous(bytes);
    const from = this.#rendezvous.online(networkKey, nodeId);
    if (!decoded.ok || !from) {
      this.#drops.count(decoded.ok ? 'unexpected' : decoded.reason);
      return;
    }
    const message = decoded.value;
    switch (message.kind) {
      case 'connect':
        this.#connect(now, networkKey, nodeId, from.session, message, came);
        return;
      case 'punchRequest':
        this.#punch(now, networkKey, nodeId, from.session, message.peer, came);
        return;
      case 'renewLease': {
        const { channel, token } = message;
        const renewed = this.#relay.renew(now, from, channel, token);
        // Whatever the reason, it is the same answer: who guesses channels learns nothing.
        const lease = renewed ? leaseOf(renewed) : { channel, lifetime: 0, token: NO_TOKEN };
        const options = { supersedes: `lease ${channel}`, expiresIn: RENEWAL_WORTH };
        this.#write(now, from.session, { kind: 'renewed', ...lease }, options);
        return;
      }
      case 'releaseLease': {
        const refused = this.#relay.release(from, message.channel);
        if (refused) this.#drops.count(refused);
        return;
      }
      // What only an NMN says is nothing from a node.
      case 'granted':
      case 'refused':
      case 'introduction':
      case 'punch':
      case 'presence':
      case 'observed':
      case 'shaped':
      case 'renewed':
        this.#drops.count('unexpected');
    }
  }

  /** A member is there: who else is. */
  welcome(now: Instant, session: SessionHandle, networkKey: string, nodeId: number): void {
    const entries = this.#rendezvous
      .presence(networkKey)
      .filter(change => change.nodeId !== nodeId)
      .map(({ nodeId: peer, online, lastSeen }) => ({
        nodeId: peer,
        online,
        lastSeen: Math.floor(lastSeen),
      }));
    this.#write(now, session, { kind: 'presence', complete: true, entries });
  }

  /** Somebody came or went. */
  announce(now: Instant, change: PresenceChange, sessions: readonly SessionHandle[]): void {
    const { networkKey, nodeId, online, lastSeen } = change;
    const own = this.#rendezvous.online(networkKey, nodeId)?.session;
    const entries = [{ nodeId, online, lastSeen: Math.floor(lastSeen) }];
    for (const session of sessions)
      if (session !== own)
        this.#write(
          now,
          session,
          { kind: 'presence', complete: false, entries },
          { supersedes: `presence ${nodeId}` },
        );
  }

  /** Where a node's packets come from, as seen here. */
  observed(now: Instant, session: SessionHandle, address: SocketAddress): void {
    this.#write(now, session, { kind: 'observed', address }, { supersedes: `observed ${address.family}` });
  }

  /** A node sends more through the relay than it may. */
  shaped(now: Instant, { networkKey, nodeId, channel, droppedBytes, bytesPerSecond }: ShapedNotice): void {
    const node = this.#rendezvous.online(networkKey, nodeId);
    const message = { kind: 'shaped', channel, droppedBytes, bytesPerSecond } as const;
    if (node) this.#write(now, node.session, message, { expiresIn: ANSWER_WORTH });
  }

  #connect(
    now: Instant,
    networkKey: string,
    nodeId: number,
    session: SessionHandle,
    { peer, handshake }: Extract<RendezvousMessage, { kind: 'connect' }>,
    came: Carrier,
  ): void {
    const introduction = this.#rendezvous.connect(now, networkKey, nodeId, peer);
    if (!introduction.introduced) {
      this.#refuse(now, session, peer, introduction.reason, came);
      return;
    }
    const { requester, peer: other, requesterLease, peerLease } = introduction;
    this.#answer(now, other.session, came, {
      kind: 'introduction',
      peer: nodeId,
      ...leaseOf(peerLease),
      observed: requester.observed,
      handshake,
    });
    const granted = { kind: 'granted', peer, ...leaseOf(requesterLease), observed: other.observed } as const;
    this.#answer(now, session, came, granted);
  }

  #punch(
    now: Instant,
    networkKey: string,
    nodeId: number,
    session: SessionHandle,
    peer: number,
    came: Carrier,
  ): void {
    for (const id of [nodeId, peer]) this.#measure(networkKey, id);
    const plan = this.#rendezvous.punch(now, networkKey, nodeId, peer);
    if (!plan.planned) {
      this.#refuse(now, session, peer, plan.reason, came);
      return;
    }
    for (const side of plan.sides) {
      const { startIn, observed } = side;
      const options = { supersedes: `punch ${side.peer}`, expiresIn: PUNCH_WORTH };
      this.#write(now, side.session, { kind: 'punch', peer: side.peer, startIn, observed }, options);
    }
  }

  /** The timing of a punch is as good as the round trips it is made of. */
  #measure(networkKey: string, nodeId: number): void {
    const node = this.#rendezvous.online(networkKey, nodeId);
    const session = node && this.#endpoint.open(node.session);
    const rtt = session?.pathStatistics(session.activePath)?.rtt;
    if (rtt !== undefined) this.#rendezvous.handleRoundTrip(networkKey, nodeId, rtt);
  }

  #refuse(
    now: Instant,
    session: SessionHandle,
    peer: number,
    reason: RendezvousRefusal,
    came: Carrier,
  ): void {
    this.#answer(now, session, came, { kind: 'refused', peer, reason });
  }

  /** In the way of the question. */
  #answer(
    now: Instant,
    session: SessionHandle,
    came: Carrier,
    message: Extract<RendezvousMessage, { kind: 'granted' | 'introduction' | 'refused' }>,
  ): void {
    if (came === 'datagram') {
      const bytes = encodeRendezvous(message);
      const sent = this.#endpoint.open(session)?.sendDatagram(now, SERVICES.rendezvous, bytes);
      if (sent !== false) return; // Else it does not fit the path, or too many wait: as a message it is cut up, and waits.
    }
    const options = { supersedes: `${message.kind} ${message.peer}`, expiresIn: ANSWER_WORTH };
    this.#write(now, session, message, options);
  }

  #write(now: Instant, session: SessionHandle, message: RendezvousMessage, options: SendOptions = {}): void {
    this.#send(now, session, SERVICES.rendezvous, encodeRendezvous(message), options);
  }
}

const leaseOf = ({ channel, lifetime, token }: LeaseEnd): Lease => ({
  channel,
  lifetime: Math.floor(lifetime / 1_000),
  token,
});
