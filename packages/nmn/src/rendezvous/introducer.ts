import {
  decodeRendezvous,
  type DropCounters,
  encodeRendezvous,
  type Endpoint,
  type Instant,
  type Lease,
  type RendezvousMessage,
  type RendezvousRefusal,
  SERVICES,
  type SessionHandle,
} from '@coconet/cluster-protocol/core';
import type { SocketAddress } from '@coconet/cluster-protocol/wire';

import type { NmnPeer } from '../membership/admission-policy.js';
import type { SendMessage } from '../membership/state-spreader.js';
import type { LeaseEnd, RelayService, ShapedNotice } from '../relay/relay-service.js';
import type { Caller } from '../subsystem.js';
import type { PresenceChange } from './presence-board.js';
import type { RendezvousService } from './rendezvous-service.js';

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

  /** A message of service 4 from a member. */
  receive(now: Instant, { networkKey, nodeId }: Caller, bytes: Uint8Array): void {
    const decoded = decodeRendezvous(bytes);
    const from = this.#rendezvous.online(networkKey, nodeId);
    if (!decoded.ok || !from) {
      this.#drops.count(decoded.ok ? 'unexpected' : decoded.reason);
      return;
    }
    const message = decoded.value;
    switch (message.kind) {
      case 'connect':
        this.#connect(now, networkKey, nodeId, from.session, message);
        return;
      case 'punchRequest':
        this.#punch(now, networkKey, nodeId, from.session, message.peer);
        return;
      case 'renewLease': {
        const lease = this.#relay.renew(now, from, message.channel, message.token);
        if (lease) this.#tell(now, from.session, { kind: 'renewed', ...leaseOf(lease) });
        else this.#drops.count('unknownChannel');
        return;
      }
      case 'releaseLease':
        if (!this.#relay.release(from, message.channel)) this.#drops.count('unknownChannel');
        return;
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
      if (session !== own) this.#write(now, session, { kind: 'presence', complete: false, entries });
  }

  /** Where a node's packets come from, as seen here. */
  observed(now: Instant, session: SessionHandle, address: SocketAddress): void {
    this.#write(now, session, { kind: 'observed', address });
  }

  /** A node sends more through the relay than it may. */
  shaped(now: Instant, { networkKey, nodeId, channel, droppedBytes, bytesPerSecond }: ShapedNotice): void {
    const node = this.#rendezvous.online(networkKey, nodeId);
    if (node) this.#tell(now, node.session, { kind: 'shaped', channel, droppedBytes, bytesPerSecond });
  }

  #connect(
    now: Instant,
    networkKey: string,
    nodeId: number,
    session: SessionHandle,
    { peer, handshake }: Extract<RendezvousMessage, { kind: 'connect' }>,
  ): void {
    const introduction = this.#rendezvous.connect(now, networkKey, nodeId, peer);
    if (!introduction.introduced) {
      this.#refuse(now, session, peer, introduction.reason);
      return;
    }
    const { requester, peer: other, requesterLease, peerLease } = introduction;
    this.#tell(now, other.session, {
      kind: 'introduction',
      peer: nodeId,
      ...leaseOf(peerLease),
      observed: requester.observed,
      handshake,
    });
    this.#tell(now, session, { kind: 'granted', peer, ...leaseOf(requesterLease), observed: other.observed });
  }

  #punch(now: Instant, networkKey: string, nodeId: number, session: SessionHandle, peer: number): void {
    for (const id of [nodeId, peer]) this.#measure(networkKey, id);
    const plan = this.#rendezvous.punch(now, networkKey, nodeId, peer);
    if (!plan.planned) {
      this.#refuse(now, session, peer, plan.reason);
      return;
    }
    for (const side of plan.sides) {
      const { startIn, observed } = side;
      this.#tell(now, side.session, { kind: 'punch', peer: side.peer, startIn, observed });
    }
  }

  /** The timing of a punch is as good as the round trips it is made of. */
  #measure(networkKey: string, nodeId: number): void {
    const node = this.#rendezvous.online(networkKey, nodeId);
    const session = node && this.#endpoint.open(node.session);
    const rtt = session?.pathStatistics(session.activePath)?.rtt;
    if (rtt !== undefined) this.#rendezvous.handleRoundTrip(networkKey, nodeId, rtt);
  }

  #refuse(now: Instant, session: SessionHandle, peer: number, reason: RendezvousRefusal): void {
    this.#tell(now, session, { kind: 'refused', peer, reason });
  }

  /** As a datagram: whoever waits for it asks again. */
  #tell(now: Instant, session: SessionHandle, message: RendezvousMessage): void {
    const sent = this.#endpoint
      .open(session)
      ?.sendDatagram(now, SERVICES.rendezvous, encodeRendezvous(message));
    if (sent === false) this.#drops.count('queueFull');
  }

  #write(now: Instant, session: SessionHandle, message: RendezvousMessage): void {
    this.#send(now, session, SERVICES.rendezvous, encodeRendezvous(message));
  }
}

const leaseOf = ({ channel, lifetime, token }: LeaseEnd): Lease => ({
  channel,
  lifetime: Math.floor(lifetime / 1_000),
  token,
});
