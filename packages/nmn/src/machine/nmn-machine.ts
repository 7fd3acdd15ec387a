import {
  after,
  type CryptoProvider,
  decodeManagement,
  decodeRendezvous,
  DropCounters,
  earliest,
  encodeManagement,
  encodeRendezvous,
  Endpoint,
  type EndpointEvent,
  type Instant,
  type KeyPair,
  type Link,
  type LinkId,
  type Machine,
  type ManagementContent,
  MAX_PRESENCE_ENTRIES,
  milliseconds,
  type Path,
  type RandomSource,
  type RendezvousMessage,
  type SendError,
  SERVICES,
  type SessionHandle,
  StateSync,
  type Transmit,
  wallTime,
  type WallTime,
} from '@coconet/cluster-protocol/core';
import {
  isStun,
  MAX_RECEIVED_DATAGRAM,
  packetKind,
  type SocketAddress,
} from '@coconet/cluster-protocol/wire';

import type { NmnConfig } from '../config.js';
import { SourceLimiter } from '../limits/source-limiter.js';
import { Founding } from '../membership/founding.js';
import { type LedgerSurroundings, NetworkLedger } from '../membership/network-ledger.js';
import type { OperatorTokens } from '../membership/operator-tokens.js';
import { MembershipRequests, refuse } from '../membership/requests.js';
import type { NetworkContents, StorageChange } from '../membership/storage-change.js';
import { Turn } from '../membership/turn.js';
import type { LeaseEnd } from '../relay/relay-service.js';
import { RelayService } from '../relay/relay-service.js';
import { RendezvousService } from '../rendezvous/rendezvous-service.js';
import { StunResponder } from '../stun/stun-responder.js';
import type { NmnEvent } from '../subsystem.js';
import type { NmnPeer } from './nmn-peer.js';
import { NmnPolicy } from './nmn-policy.js';
import { NmnSession } from './nmn-session.js';

type Member = Extract<NmnPeer, { readonly kind: 'nmn' }>;

/** Relayed and STUN datagrams that wait for the socket; the driver drains after every datagram, so it stays short. */
const MAX_FORWARDED = 1_024;
/** Requests that wait while the NMN settles after a start; more are told to come back. */
const MAX_DEFERRED = 1_024;
/** Sequences of one session's messages are above those of all sessions before it. */
const SEQUENCES_PER_SESSION = 2 ** 24;

/** What the machine is made of. */
export interface NmnMachineOptions {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  readonly now: Instant;
  /** Civil time at an instant. */
  readonly wallTime: (now: Instant) => WallTime;
  /** The host's monotonic clock, for what happens when something has become durable. */
  readonly clock: () => Instant;
  readonly config: NmnConfig;
  readonly staticKey: KeyPair;
  readonly resetSecret: Uint8Array;
  readonly outboxIncarnation: Uint8Array;
  readonly inboxIncarnation: Uint8Array;
  /** Starts of this NMN, this one included. */
  readonly bootCounter: number;
  readonly networks: readonly NetworkContents[];
  readonly tokens: OperatorTokens;
  /**
   * Makes changes durable, in order; then calls `done`, in a later turn of the event loop, and drains the machine. A
   * failure is final: the process must end, because memory is ahead of the disk.
   */
  readonly commit: (changes: readonly StorageChange[], done: () => void) => void;
}

/** The NMN as a pure machine: sessions, membership, state, rendezvous, relay and STUN on the same sockets. */
export class NmnMachine implements Machine<NmnEvent> {
  readonly drops: DropCounters = new DropCounters();
  readonly relay: RelayService;
  readonly rendezvous: RendezvousService<SessionHandle>;
  readonly stun: StunResponder = new StunResponder();
  readonly #options: NmnMachineOptions;
  readonly #surroundings: LedgerSurroundings;
  readonly #endpoint: Endpoint<NmnPeer>;
  readonly #ledgers = new Map<string, NetworkLedger>();
  readonly #requests = new Map<string, MembershipRequests>();
  readonly #founding: Founding;
  readonly #sessions = new Map<SessionHandle, NmnSession>();
  readonly #deferred: (() => void)[] = [];
  readonly #forwarded: {
    readonly link: LinkId;
    readonly remote: SocketAddress;
    readonly bytes: Uint8Array;
  }[] = [];
  readonly #events: NmnEvent[] = [];
  readonly #buffer = new Uint8Array(MAX_RECEIVED_DATAGRAM);
  readonly #settleAt: Instant;
  #nextSequence = 0;
  #headCheckAt: Instant;

  constructor(options: NmnMachineOptions) {
    const { provider, random, now, config } = options;
    this.#options = options;
    this.#surroundings = { provider, random, config: config.membership };
    this.#settleAt = after(now, config.membership.settleTime);
    this.#headCheckAt = this.#settleAt;
    for (const contents of options.networks)
      this.#addLedger(new NetworkLedger(this.#surroundings, contents, 'settling'));
    this.#founding = new Founding(this.#surroundings, options.tokens, options.staticKey.publicKey);
    this.relay = new RelayService(provider, random, config.relay);
    this.rendezvous = new RendezvousService(
      this.relay,
      {
        isMember: (networkKey, nodeId) => this.#ledgers.get(networkKey)?.state.member(nodeId) !== undefined,
        mayMeet: () => true,
      },
      config.rendezvous,
    );
    const { joinsPerSource, joins } = config.membership;
    this.#endpoint = new Endpoint<NmnPeer>({
      provider,
      random,
      drops: this.drops,
      staticKey: options.staticKey,
      resetSecret: options.resetSecret,
      maxSessions: MAX_SESSIONS,
      session: () => ({ keepAlive: KEEP_ALIVE }),
      policy: new NmnPolicy({
        provider,
        ledgers: this.#ledgers,
        tokens: options.tokens,
        joins: new SourceLimiter(joinsPerSource, joins, now),
        outboxIncarnation: options.outboxIncarnation,
        inboxIncarnation: options.inboxIncarnation,
        bootCounter: options.bootCounter,
        uptime: at => Math.max(0, Math.floor(at - now)),
        wallTime: options.wallTime,
      }),
    });
  }

  /** The networks that are served. */
  get ledgers(): ReadonlyMap<string, NetworkLedger> {
    return this.#ledgers;
  }

  /** Sessions that are open. */
  get sessionCount(): number {
    return this.#endpoint.sessionCount;
  }

  /** Says goodbye to everybody; to be followed by one last drain. */
  close(now: Instant): void {
    for (const session of this.#sessions.values()) session.close(now, 0, 'the NMN stops');
  }

  handleLinks(_now: Instant, _links: readonly Link[]): void {
    // The NMN answers where it is asked; which addresses it has is of no concern to it.
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    if (bytes.length > 0 && packetKind(bytes[0]!) === 'relay') {
      const to = this.relay.forward(now, link, remote, bytes);
      if (typeof to !== 'string') this.#forward(to.link, to.address, bytes.slice());
      return;
    }
    if (isStun(bytes)) {
      const answer = this.stun.respond(remote, bytes);
      if (typeof answer !== 'string') this.#forward(link, remote, answer);
      return;
    }
    this.#endpoint.handleDatagram(now, link, remote, bytes);
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.#endpoint.handleSendError(now, link, remote, error);
  }

  handleTimeout(now: Instant): void {
    this.#endpoint.handleTimeout(now);
    this.relay.handleTimeout(now);
    this.rendezvous.handleTimeout(now);
    if (now >= this.#settleAt) for (const ledger of this.#ledgers.values()) this.#settle(now, ledger);
    if (now >= this.#headCheckAt) this.#renewHeads(now);
  }

  pollTransmit(now: Instant): Transmit | undefined {
    const forwarded = this.#forwarded.shift();
    if (forwarded) return forwarded;
    do {
      this.#follow(now);
      const sent = this.#endpoint.pollTransmit(now, this.#buffer);
      if (sent) return { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
    } while (this.#endpoint.hasEvents);
    return undefined;
  }

  pollEvent(): NmnEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return [this.relay.pollTimeout(), this.rendezvous.pollTimeout(), this.#headCheckAt].reduce(
      earliest,
      this.#endpoint.pollTimeout(),
    );
  }

  #addLedger(ledger: NetworkLedger): void {
    this.#ledgers.set(ledger.key, ledger);
    const { provider, config } = this.#surroundings;
    this.#requests.set(ledger.key, new MembershipRequests(provider, config, ledger));
  }

  #forward(link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    if (this.#forwarded.length >= MAX_FORWARDED) this.drops.count('queueFull');
    else this.#forwarded.push({ link, remote, bytes });
  }

  #follow(now: Instant): void {
    for (let event = this.#endpoint.pollEvent(); event; event = this.#endpoint.pollEvent())
      this.#take(now, event);
    for (let change = this.rendezvous.pollPresence(); change; change = this.rendezvous.pollPresence()) {
      const { networkKey, nodeId, online, lastSeen } = change;
      const entries = [{ nodeId, online, lastSeen: Math.floor(lastSeen) }];
      this.#broadcast(now, networkKey, { kind: 'presence', complete: false, entries });
    }
    for (let notice = this.relay.pollNotice(); notice; notice = this.relay.pollNotice()) {
      const { networkKey, nodeId, channel, droppedBytes, bytesPerSecond } = notice;
      const node = this.rendezvous.online(networkKey, nodeId);
      const session = node && this.#sessions.get(node.session);
      if (session) this.#tell(now, session, { kind: 'shaped', channel, droppedBytes, bytesPerSecond });
      this.#events.push({ kind: 'relayShaped', networkKey, nodeId });
    }
  }

  #take(now: Instant, event: EndpointEvent<NmnPeer>): void {
    switch (event.kind) {
      case 'opened':
        this.#opened(now, event.session, event.peer, event.path);
        return;
      case 'closed': {
        this.#sessions.delete(event.session);
        if (event.peer.kind !== 'nmn') return;
        const { networkKey, nodeId } = event.peer;
        this.rendezvous.handleOffline(now, this.#wall(now), networkKey, nodeId, event.session);
        if (!this.rendezvous.online(networkKey, nodeId))
          this.#events.push({ kind: 'memberOffline', networkKey, nodeId });
        return;
      }
      case 'session': {
        const session = this.#sessions.get(event.session);
        if (session) this.#sessionEvent(now, session, event.event);
        return;
      }
      case 'handshakeFailed':
      case 'carry':
    }
  }

  #opened(now: Instant, handle: SessionHandle, peer: NmnPeer, path: Path): void {
    const session = new NmnSession(this.#endpoint, handle, peer, this.#nextSequence);
    this.#nextSequence += SEQUENCES_PER_SESSION;
    this.#sessions.set(handle, session);
    if (peer.kind !== 'nmn') return;
    const ledger = this.#ledgers.get(peer.networkKey);
    if (!ledger) return;
    ledger.replays.confirm(peer.nodeId, peer.said);
    if (peer.said.authorityNumber === ledger.authorityNumber) ledger.versions.observe(peer.said.stateVersion);
    this.#settle(now, ledger);
    const completed = ledger.invitations.complete(peer.nodeId);
    if (completed)
      this.#options.commit(
        [{ kind: 'invitation', networkKey: ledger.key, invitation: completed }],
        () => undefined,
      );
    if (peer.expired) return;
    this.#goOnline(now, session, peer, path);
    session.sync = new StateSync(ledger.state);
    for (const bytes of session.sync.start().send) session.send(now, SERVICES.networkState, bytes);
  }

  #goOnline(now: Instant, session: NmnSession, peer: Member, { link, remote }: Path): void {
    const { networkKey, nodeId } = peer;
    const { network } = peer.said;
    const roundTrip = this.#roundTrip(session.handle);
    this.rendezvous.handleOnline(now, this.#wall(now), {
      network,
      networkKey,
      nodeId,
      link,
      address: remote,
      session: session.handle,
      roundTrip,
    });
    this.#tell(now, session, { kind: 'observed', address: remote });
    const all = this.rendezvous.presence(networkKey).map(entry => ({
      nodeId: entry.nodeId,
      online: entry.online,
      lastSeen: Math.floor(entry.lastSeen),
    }));
    for (let from = 0; from === 0 || from < all.length; from += MAX_PRESENCE_ENTRIES) {
      const entries = all.slice(from, from + MAX_PRESENCE_ENTRIES);
      this.#tell(now, session, { kind: 'presence', complete: from === 0, entries });
    }
    this.#events.push({ kind: 'memberOnline', networkKey, nodeId });
  }

  #sessionEvent(
    now: Instant,
    session: NmnSession,
    event: Extract<EndpointEvent<NmnPeer>, { kind: 'session' }>['event'],
  ): void {
    switch (event.kind) {
      case 'message':
        if (session.isNew(event.sequence, event.floor))
          this.#message(now, session, event.service, event.bytes);
        else this.drops.count('duplicateMessage');
        return;
      case 'datagram':
        if (event.service === SERVICES.rendezvous) this.#meet(now, session, event.bytes);
        else this.drops.count('unknownService');
        return;
      case 'messageAcknowledged': {
        session.acknowledged(event.sequence);
        const roundTrip = this.#roundTrip(session.handle);
        const { peer } = session;
        if (peer.kind === 'nmn' && roundTrip !== undefined)
          this.rendezvous.handleRoundTrip(peer.networkKey, peer.nodeId, roundTrip);
        return;
      }
      case 'pathValidated':
      case 'peerPath':
        this.#followPath(now, session);
        return;
      case 'control':
      case 'pathSuspect':
      case 'pathAlive':
    }
  }

  // The session moves with its peer by itself; what hangs on the address moves along.
  #followPath(now: Instant, session: NmnSession): void {
    const { peer, handle } = session;
    const active = this.#endpoint.open(handle)?.activePath;
    const path = active === undefined ? undefined : this.#endpoint.paths.get(active);
    if (peer.kind !== 'nmn' || !path) return;
    const known = this.rendezvous.online(peer.networkKey, peer.nodeId);
    if (known?.session !== handle || (known.address.key === path.remote.key && known.link === path.link))
      return;
    this.rendezvous.handleAddress(peer.networkKey, peer.nodeId, handle, path.link, path.remote);
    this.#tell(now, session, { kind: 'observed', address: path.remote });
  }

  #message(now: Instant, session: NmnSession, service: number, bytes: Uint8Array): void {
    if (service === SERVICES.management) this.#manage(now, session, bytes);
    else if (service === SERVICES.rendezvous) this.#meet(now, session, bytes);
    else if (service === SERVICES.networkState) this.#synchronise(now, session, bytes);
    else this.drops.count('unknownService');
  }

  #synchronise(now: Instant, session: NmnSession, bytes: Uint8Array): void {
    const { peer, sync } = session;
    const ledger = peer.kind === 'nmn' ? this.#ledgers.get(peer.networkKey) : undefined;
    if (!sync || !ledger) {
      this.drops.count('notPermitted');
      return;
    }
    const output = sync.handleMessage(now, bytes);
    if (output.dropped) this.drops.count(output.dropped);
    for (const message of output.send) session.send(now, SERVICES.networkState, message);
    if (output.applied.length === 0) return;
    const turn = new Turn();
    ledger.merge(turn, output.applied, output.events);
    this.#whenSettled(ledger, () => {
      ledger.conclude(turn, this.#wall(now));
      this.#finish(ledger, turn, session.handle, () => undefined);
    });
  }

  #manage(now: Instant, session: NmnSession, bytes: Uint8Array): void {
    const decoded = decodeManagement(bytes);
    if (!decoded.ok) {
      this.drops.count(decoded.reason);
      return;
    }
    const { requestId, ...content } = decoded.value;
    const answer = (at: Instant, reply: ManagementContent): void => {
      this.#sessions
        .get(session.handle)
        ?.send(at, SERVICES.management, encodeManagement({ ...reply, requestId }));
    };
    const { peer } = session;
    if (peer.kind === 'operator') {
      this.#found(now, content, answer);
      return;
    }
    const ledger = this.#ledgers.get(peer.networkKey);
    const requests = this.#requests.get(peer.networkKey);
    if (!ledger || !requests) return;
    this.#whenSettled(ledger, () => {
      const turn = new Turn();
      const reply = decide(requests, turn, this.#wall(now), peer, content);
      this.#finish(ledger, turn, undefined, at => {
        answer(at, reply);
        if (reply.type === 'joined')
          this.#events.push({ kind: 'memberAdmitted', networkKey: ledger.key, nodeId: reply.nodeId });
      });
    });
  }

  #found(
    now: Instant,
    content: ManagementContent,
    answer: (at: Instant, reply: ManagementContent) => void,
  ): void {
    const wall = this.#wall(now);
    if (content.type === 'prepareNetwork') {
      answer(now, this.#founding.prepare(wall, content.operatorToken));
      return;
    }
    if (content.type !== 'createNetwork') {
      answer(now, refuse('notPermitted', 'an operator token creates a network and does nothing else'));
      return;
    }
    const { networks } = this.#options.config.membership;
    const founded = this.#founding.create(wall, content, {
      has: key => this.#ledgers.has(key),
      full: this.#ledgers.size >= networks,
    });
    if (!founded.created) {
      answer(now, founded.reply);
      return;
    }
    const { ledger, turn, reply } = founded;
    this.#addLedger(ledger);
    this.#finish(ledger, turn, undefined, at => {
      answer(at, reply);
      this.#events.push({ kind: 'networkAdded', networkKey: ledger.key });
    });
  }

  /** Keeps what a turn changed; when it is durable, tells whoever has to know. */
  #finish(
    ledger: NetworkLedger,
    turn: Turn,
    source: SessionHandle | undefined,
    tell: (now: Instant) => void,
  ): void {
    const done = (now: Instant): void => {
      tell(now);
      for (const event of turn.events) if (event.kind === 'revoked') this.#cut(now, ledger.key, event.nodeId);
      if (turn.records.length === 0) return;
      for (const session of this.#sessionsOf(ledger.key))
        if (session.sync && session.handle !== source)
          for (const bytes of session.sync.announce(turn.records).send)
            session.send(now, SERVICES.networkState, bytes);
    };
    if (turn.empty) done(this.#now());
    else
      this.#options.commit(turn.changes, () => {
        done(this.#now());
      });
  }

  #cut(now: Instant, networkKey: string, nodeId: number): void {
    this.rendezvous.handleRevoked(networkKey, nodeId);
    for (const session of this.#sessionsOf(networkKey))
      if (session.peer.kind === 'nmn' && session.peer.nodeId === nodeId)
        session.close(now, REVOKED, 'your membership was revoked');
    this.#events.push({ kind: 'memberRevoked', networkKey, nodeId });
  }

  #meet(now: Instant, session: NmnSession, bytes: Uint8Array): void {
    const decoded = decodeRendezvous(bytes);
    const { peer } = session;
    if (!decoded.ok || peer.kind !== 'nmn' || peer.expired) {
      this.drops.count(decoded.ok ? 'notPermitted' : decoded.reason);
      return;
    }
    const message = decoded.value;
    const { networkKey, nodeId } = peer;
    switch (message.kind) {
      case 'connect':
        this.#introduce(now, session, networkKey, nodeId, message.peer, message.handshake);
        return;
      case 'punchRequest': {
        const plan = this.rendezvous.punch(now, networkKey, nodeId, message.peer);
        if (!plan.planned) return;
        for (const { session: handle, peer: towards, startIn, observed } of plan.sides) {
          const side = this.#sessions.get(handle);
          if (side)
            this.#tell(now, side, { kind: 'punch', peer: towards, startIn: Math.round(startIn), observed });
        }
        return;
      }
      case 'renewLease': {
        const party = this.rendezvous.online(networkKey, nodeId);
        const lease = party && this.relay.renew(now, party, message.channel, message.token);
        if (lease) this.#tell(now, session, { kind: 'renewed', ...leaseOf(lease) });
        return;
      }
      case 'releaseLease':
        this.relay.release({ networkKey, nodeId }, message.channel);
        return;
      default:
        this.drops.count('unexpected');
    }
  }

  #introduce(
    now: Instant,
    session: NmnSession,
    networkKey: string,
    from: number,
    to: number,
    handshake: Uint8Array,
  ): void {
    const meeting = this.rendezvous.connect(now, networkKey, from, to);
    if (!meeting.introduced) {
      this.#tell(now, session, { kind: 'refused', peer: to, reason: meeting.reason });
      return;
    }
    const { requester, peer, requesterLease, peerLease } = meeting;
    this.#tell(now, session, {
      kind: 'granted',
      peer: to,
      observed: peer.observed,
      ...leaseOf(requesterLease),
    });
    const other = this.#sessions.get(peer.session);
    if (other)
      this.#tell(now, other, {
        kind: 'introduction',
        peer: from,
        observed: requester.observed,
        handshake,
        ...leaseOf(peerLease),
      });
  }

  #broadcast(now: Instant, networkKey: string, message: RendezvousMessage): void {
    for (const session of this.#sessionsOf(networkKey)) this.#tell(now, session, message);
  }

  // What somebody waits for and asks for again goes as a datagram, in the same packet as everything else of this turn.
  #tell(now: Instant, session: NmnSession, message: RendezvousMessage): void {
    const bytes = encodeRendezvous(message);
    if (message.kind === 'presence' || message.kind === 'observed' || message.kind === 'shaped')
      session.send(now, SERVICES.rendezvous, bytes);
    else session.sendDatagram(now, SERVICES.rendezvous, bytes);
  }

  #whenSettled(ledger: NetworkLedger, act: () => void): void {
    if (ledger.versions.state === 'ready') act();
    else if (this.#deferred.length < MAX_DEFERRED)
      this.#deferred.push(() => {
        this.#whenSettled(ledger, act);
      });
    else this.drops.count('queueFull');
  }

  #settle(now: Instant, ledger: NetworkLedger): void {
    if (ledger.versions.state === 'ready') return;
    ledger.versions.settle(this.#wall(now));
    for (const act of this.#deferred.splice(0)) act();
  }

  #renewHeads(now: Instant): void {
    const wall = this.#wall(now);
    for (const ledger of this.#ledgers.values()) {
      const due = ledger.headDueAt();
      if (ledger.versions.state !== 'ready' || (due !== undefined && due > ledger.clock(wall))) continue;
      const turn = new Turn();
      ledger.signHead(turn, wall);
      this.#finish(ledger, turn, undefined, at => {
        for (const session of this.#sessionsOf(ledger.key))
          for (const bytes of session.sync?.announce([]).send ?? [])
            session.send(at, SERVICES.networkState, bytes);
      });
    }
    this.#headCheckAt = after(now, HEAD_CHECK);
  }

  *#sessionsOf(networkKey: string): Iterable<NmnSession> {
    for (const session of [...this.#sessions.values()])
      if (session.peer.kind === 'nmn' && session.peer.networkKey === networkKey) yield session;
  }

  #roundTrip(handle: SessionHandle): ReturnType<typeof milliseconds> | undefined {
    const session = this.#endpoint.open(handle);
    return session?.pathStatistics(session.activePath)?.rtt;
  }

  #wall(now: Instant): WallTime {
    return wallTime(Math.floor(this.#options.wallTime(now)));
  }

  #now(): Instant {
    return this.#options.clock();
  }
}

/** A node pings more often than that; who does not is gone, and is asked once more. */
const KEEP_ALIVE = milliseconds(20_000);
/** Close code of a session whose member was revoked (03-session, "Close codes"). */
const REVOKED = 4;
/** Sessions at once in all networks of one process. */
const MAX_SESSIONS = 65_536;
/** How often heads are looked at: they live for days. */
const HEAD_CHECK = milliseconds(60_000);

const leaseOf = ({
  channel,
  lifetime,
  token,
}: LeaseEnd): { readonly channel: number; readonly lifetime: number; readonly token: Uint8Array } => ({
  channel,
  lifetime: Math.floor(lifetime / 1_000),
  token,
});

/** What a joiner or member gets for a request. */
function decide(
  requests: MembershipRequests,
  turn: Turn,
  wall: WallTime,
  peer: Exclude<NmnPeer, { readonly kind: 'operator' }>,
  content: ManagementContent,
): ManagementContent {
  if (peer.kind === 'join')
    return content.type === 'join'
      ? requests.join(turn, wall, peer, content)
      : refuse('notPermitted', 'a claim lets you join and nothing else');
  if (peer.expired && content.type !== 'renew')
    return refuse('notPermitted', 'your certificate has expired: renew it first');
  switch (content.type) {
    case 'renew':
      return requests.renew(turn, wall, peer.nodeId);
    case 'createInvitation':
      return requests.createInvitation(turn, wall, peer.nodeId, content);
    case 'revoke':
      return requests.revoke(turn, wall, peer.nodeId, content.record);
    case 'secret':
      return requests.secret(peer.nodeId);
    case 'leave':
      return requests.leave(turn, wall, peer.nodeId);
    default:
      return refuse('invalid', 'this is no request that a member makes');
  }
}
