import {
  assert,
  ClusterError,
  DeadlineQueue,
  DropCounters,
  type Duration,
  earliest,
  type Instant,
  type WallTime,
} from '../base/index.js';
import {
  encodeManagement,
  type ManagementContent,
  MemberPolicy,
  MAX_PEERS,
  Peer,
  peerName,
  RefusalCode,
  SERVICES,
  type SendOptions,
  type SessionPeer,
} from '../network/index.js';
import { CANDIDATES_CONTROL, decodeCandidates } from '../path/index.js';
import {
  Endpoint,
  type EndpointEvent,
  type Path,
  type SessionEvent,
  type SessionHandle,
} from '../session/index.js';
import { CloseCode, MAX_RECEIVED_DATAGRAM, type SocketAddress } from '../wire/index.js';
import type { Authorship } from './authorship.js';
import type { ClusterNodeOptions } from './cluster-options.js';
import { Delivery } from './delivery.js';
import type { ClusterEvent } from './events.js';
import type { Link, LinkId, Machine, SendError, Transmit } from './machine.js';
import { MemberMind } from './member-mind.js';
import { NmnLink } from './nmn-link.js';
import { pathLimit } from './path-limit.js';
import { nmnListener } from './nmn-listener.js';
import { PeerReach } from './peer-reach.js';
import { isStreamEvent, PeerStreams } from './peer-streams.js';
import { StateExchange } from './state-exchange.js';
import { memberSessions } from './transport-options.js';
import {
  AWAY,
  localLinks,
  nmnPath,
  type NodeReport,
  type NodeTables,
  type PeerExplanation,
} from './reports.js';
import { versionText } from './version-text.js';

/**
 * One member of one network, as a pure machine: the CP interface on which SDKs stand. It keeps sessions with whom the
 * program needs, over the best path there is, and carries messages that outlive them (docs/spec/06-interface.md).
 */
export class ClusterNode implements Machine<ClusterEvent> {
  readonly nodeId: number;
  readonly drops: DropCounters = new DropCounters();
  /** Streams with members with whom there is a session. */
  readonly streams: PeerStreams;
  readonly #options: ClusterNodeOptions;
  readonly #mind: MemberMind;
  readonly #endpoint: Endpoint<SessionPeer>;
  readonly #nmn: NmnLink;
  readonly #reach: PeerReach;
  readonly #exchange: StateExchange;
  readonly #delivery: Delivery;
  readonly #peers = new Map<number, Peer>();
  readonly #deadlines = new DeadlineQueue<number>();
  readonly #events: ClusterEvent[] = [];
  readonly #buffer = new Uint8Array(MAX_RECEIVED_DATAGRAM);
  #links: readonly Link[] = [];
  #requests = 0;
  #expelled = false;

  constructor(options: ClusterNodeOptions) {
    const { provider, random, now, saved } = options;
    this.#options = options;
    this.nodeId = saved.membership.nodeId;
    this.#mind = new MemberMind(options);
    this.#endpoint = new Endpoint<SessionPeer>({
      provider,
      random,
      drops: this.drops,
      staticKey: saved.keys.static,
      resetSecret: saved.resetSecret,
      policy: new MemberPolicy(this.#mind),
      trace: options.trace && { sink: options.trace, peerName },
      pathLimit: path => pathLimit(this.#links, path),
      session: memberSessions(options.transport ?? {}, () => this.streams.accepting),
      sizeFailures: options.sizeFailures,
    });
    this.streams = new PeerStreams(this.#endpoint, nodeId => this.#peers.get(nodeId)?.streamSession);
    this.#nmn = new NmnLink({
      now,
      random,
      endpoint: this.#endpoint,
      staticKey: saved.membership.nmnStaticKey,
      addresses: options.nmnAddresses,
      nodeId: () => this.#mind.nmnNodeId,
      introduce: (at, kind) => this.#mind.introduction(at, kind),
      send: (at, nmn, bytes, sendOptions) => this.send(at, nmn, SERVICES.rendezvous, bytes, sendOptions),
      drops: this.drops,
      listener: nmnListener({
        peers: this.#peers,
        peer: nodeId => this.#peer(nodeId),
        advance: (at, peer) => {
          this.#advance(at, peer);
        },
        touch: peer => {
          this.#touch(peer);
        },
        addHandshakePath: (at, { connection }, path) => {
          if (connection.kind === 'handshaking')
            this.#endpoint.addHandshakePath(at, connection.handshake, path.id);
        },
        refused: (peer, reason) => {
          this.#reach.refused(peer, reason);
        },
        expelled: at => {
          this.#expel(at, this.nodeId);
        },
        encourageAll: at => {
          this.#encourageAll(at);
        },
        emit: event => this.#events.push(event),
      }),
    });
    this.#exchange = new StateExchange({
      mind: this.#mind,
      drops: this.drops,
      peers: () => this.#peers.values(),
      nmnConnected: () => this.#nmn.connected,
      send: (...message) => this.send(...message),
      request: (...question) => this.request(...question),
      expel: (at, nodeId) => {
        this.#expel(at, nodeId);
      },
    });
    this.#reach = new PeerReach({
      endpoint: this.#endpoint,
      mind: this.#mind,
      nmn: this.#nmn,
      emit: event => this.#events.push(event),
    });
    this.#delivery = new Delivery({
      endpoint: this.#endpoint,
      reach: this.#reach,
      drops: this.drops,
      saved,
      memory: options.memory,
      emit: event => this.#events.push(event),
    });
    for (const [nodeId, addresses] of saved.addresses) this.#peer(nodeId)?.agent.remembered(now, addresses);
  }

  /** Keeps a session with a member from now on, whatever happens to it, until {@link disconnect}. */
  connect(now: Instant, nodeId: number): void {
    const peer = this.#member(nodeId);
    peer.wanted = true;
    peer.leaving = false;
    peer.encourage(now);
    this.#advance(now, peer);
  }

  /** No session is needed for its own sake any more: one that exists is closed once no message waits. */
  disconnect(now: Instant, nodeId: number): void {
    const peer = this.#peers.get(nodeId);
    if (!peer) return;
    peer.wanted = false;
    peer.leaving = peer.connection.kind === 'connected' || peer.connection.kind === 'handshaking';
    this.#advance(now, peer);
  }

  /**
   * Sends a message, now or as soon as there is a session; it is sent again until acknowledged or expired, and the peer
   * gets it once. Returns its sequence; `delivered` or `undelivered` follows. Throws `NOT_A_MEMBER`, `QUEUE_FULL`,
   * `MESSAGE_TOO_LARGE`.
   */
  send(now: Instant, nodeId: number, service: number, bytes: Uint8Array, options: SendOptions = {}): number {
    const peer = this.#member(nodeId);
    const sequence = this.#delivery.send(now, peer, service, bytes, options);
    if (peer.session === undefined) peer.encourage(now);
    this.#advance(now, peer);
    return sequence;
  }

  /** Stops sending a message. `undefined`: it was delivered or has ended already; else whether any of it was sent. */
  cancel(now: Instant, nodeId: number, sequence: number): { readonly sent: boolean } | undefined {
    const peer = this.#peers.get(nodeId);
    const entry = peer && this.#delivery.cancel(peer, sequence);
    if (!peer || !entry) return undefined;
    this.#advance(now, peer);
    return { sent: entry.sent };
  }

  /** The program has proof that the peer has a message, such as an answer to it: it is not sent again. */
  received(now: Instant, nodeId: number, sequence: number): void {
    const peer = this.#peers.get(nodeId);
    if (!peer) return;
    this.#delivery.received(peer, sequence);
    this.#advance(now, peer);
  }

  /**
   * Sends a message that `inboxChanged` named as undecided: the peer may act on it a second time. False: it is not held
   * back. `cancel` is the other way to decide.
   */
  release(now: Instant, nodeId: number, sequence: number): boolean {
    const peer = this.#peers.get(nodeId);
    return peer !== undefined && this.#delivery.release(now, peer, sequence);
  }

  /** Sends bytes at most once, at once or never. False: dropped here. */
  sendDatagram(now: Instant, nodeId: number, service: number, bytes: Uint8Array): boolean {
    const session = this.#peers.get(nodeId)?.session;
    return session !== undefined && this.#endpoint.open(session)?.sendDatagram(now, service, bytes) === true;
  }

  /** Asks the NMN; the answer comes as a `management` event with the returned number. */
  request(now: Instant, content: ManagementContent, expiresIn?: Duration): number {
    const nmn = this.#mind.nmnNodeId;
    if (nmn === undefined)
      throw new ClusterError('NMN_UNREACHABLE', 'this network has no NMN that the network state knows of');
    const requestId = ++this.#requests;
    const bytes = encodeManagement({ ...content, requestId });
    this.send(now, nmn, SERVICES.management, bytes, expiresIn === undefined ? {} : { expiresIn });
    return requestId;
  }

  /** The NMN's addresses, resolved anew. */
  setNmnAddresses(now: Instant, addresses: readonly SocketAddress[]): void {
    this.#nmn.setAddresses(now, addresses);
  }

  /** Signs what a person with a role decides. */
  get authorship(): Authorship {
    return this.#mind.authorship;
  }

  /** The wall clock as it reads now; to be called at start, hourly, and when it was set. */
  handleClock(now: Instant, wall: WallTime): void {
    this.#mind.time.handleClock(now, wall);
  }

  /** The members of the network as far as this node knows. */
  nodes(): readonly NodeReport[] {
    return this.#mind
      .members()
      .map(member => this.#reach.report(member, this.nodeId, this.#peers.get(member.nodeId)));
  }

  /** What takes memory now, for diagnostics: after everything has ended it is what it was at the start. */
  get tables(): NodeTables {
    const { size: sessions, paths, streamBytes } = this.#endpoint;
    const { leases } = this.#nmn;
    return { peers: this.#peers.size, sessions, paths: paths.size, leases, streamBytes };
  }

  /** Why the path to a member is what it is. Throws `NOT_A_MEMBER`. */
  explain(now: Instant, nodeId: number): PeerExplanation {
    return this.#reach.explain(now, this.#member(nodeId));
  }

  /** Says goodbye to everybody; to be followed by one last drain. */
  close(now: Instant): void {
    for (const peer of this.#peers.values())
      if (peer.session !== undefined) this.#endpoint.open(peer.session)?.close(now, 0, 'going away');
    this.#nmn.close(now);
  }

  handleLinks(now: Instant, links: readonly Link[]): void {
    this.#links = links;
    this.#endpoint.refreshLimits();
    this.#reach.isOnline = links.length > 0;
    this.#nmn.handleLinks(now, links);
    for (const peer of this.#peers.values()) {
      peer.agent.setLocal(now, localLinks(links));
      peer.agent.networkChanged(now);
    }
    this.#encourageAll(now);
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    this.#endpoint.handleDatagram(now, link, remote, bytes);
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.#endpoint.handleSendError(now, link, remote, error);
  }

  handleTimeout(now: Instant): void {
    this.#endpoint.handleTimeout(now);
    this.#nmn.handleTimeout(now);
    this.#mind.handleTimeout(now);
    for (const id of this.#deadlines.takeAllDue(now)) {
      const peer = this.#peers.get(id);
      if (!peer) continue;
      peer.agent.handleTimeout(now);
      this.#advance(now, peer);
    }
  }

  pollTransmit(now: Instant): Transmit | undefined {
    // Events first: an acknowledgement may release messages that then share the datagrams of this turn.
    do {
      this.#follow(now);
      const sent = this.#endpoint.pollTransmit(now, this.#buffer);
      if (sent) return { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
    } while (this.#endpoint.hasEvents);
    return undefined;
  }

  pollEvent(): ClusterEvent | undefined {
    return this.#events.shift() ?? this.#mind.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    const ofPeers = earliest(this.#deadlines.earliest, this.#endpoint.pollTimeout());
    return earliest(ofPeers, earliest(this.#nmn.pollTimeout(), this.#mind.pollTimeout()));
  }

  #follow(now: Instant): void {
    for (let event = this.#endpoint.pollEvent(); event; event = this.#endpoint.pollEvent())
      this.#take(now, event);
  }

  #take(now: Instant, event: EndpointEvent<SessionPeer>): void {
    if (event.peer.kind === 'nmn') this.#nmn.take(now, event);
    switch (event.kind) {
      case 'opened':
        this.#opened(now, event.session, event.peer, event.path, event.role);
        return;
      case 'closed':
        this.#closed(now, event);
        return;
      case 'handshakeFailed':
        this.#handshakeFailed(now, event);
        return;
      case 'carry':
        this.#nmn.introduce(now, event.peer.nodeId, event.bytes);
        return;
      case 'session': {
        const peer = this.#peers.get(event.peer.nodeId);
        if (peer?.session === event.session) this.#sessionEvent(now, peer, event.peer, event.event);
      }
    }
  }

  #opened(
    now: Instant,
    session: SessionHandle,
    who: SessionPeer,
    path: Path,
    role: 'initiator' | 'responder',
  ): void {
    const { said } = who;
    assert(said !== undefined, 'a session is opened with somebody who has introduced itself');
    const peer = this.#peer(who.nodeId);
    if (!peer) {
      this.drops.count('refusedPeer');
      this.#endpoint.open(session)?.close(now, CloseCode.done, `it deals with ${MAX_PEERS} peers already`);
      return;
    }
    peer.connection = { kind: 'connected', session, since: now };
    if (role === 'responder') peer.leaving = false; // It is the other one who wants it.
    peer.encourage(now);
    if (role === 'responder') this.#mind.confirm(now, who.nodeId, said);
    if (who.kind !== 'nmn') peer.agent.sessionOpened(now, { path, role });
    peer.catchingUp = who.kind === 'catchUp';
    this.#delivery.opened(now, peer, who.kind, said);
    this.#exchange.opened(now, who);
    const { inbox } = peer.memory;
    const report = peer.agent.active ?? nmnPath(path);
    if (!peer.catchingUp) this.#events.push({ kind: 'connected', peer: who.nodeId, path: report, inbox });
    this.#advance(now, peer);
  }

  #closed(now: Instant, event: Extract<EndpointEvent<SessionPeer>, { kind: 'closed' }>): void {
    const peer = this.#peers.get(event.peer.nodeId);
    if (peer && event.peer.kind === 'member')
      this.#events.push({
        kind: 'streamsClosed',
        peer: peer.nodeId,
        session: event.session,
        text: event.reason,
      });
    // The session that replaces it is announced in the next event: nothing is to be dialled.
    if (peer?.session !== event.session || event.by === 'replaced') return;
    const { by, code, reason: text } = event;
    const takenOver = by === 'peer' && code === CloseCode.replaced;
    if (takenOver) peer.replaced(now, this.#options.random);
    else if (by === 'reset') peer.restarted(now, this.#options.random);
    else peer.connection = { kind: 'waiting', retryAt: now };
    peer.agent.sessionClosed(now);
    this.#delivery.closed(peer);
    this.#mind.sessionClosed(peer.nodeId);
    const reason = takenOver ? 'replaced' : AWAY[by];
    this.#events.push({ kind: 'disconnected', peer: peer.nodeId, reason, text });
    this.#advance(now, peer);
  }

  #handshakeFailed(
    now: Instant,
    event: Extract<EndpointEvent<SessionPeer>, { kind: 'handshakeFailed' }>,
  ): void {
    const peer = this.#peers.get(event.peer.nodeId);
    if (!peer || peer.connection.kind !== 'handshaking' || peer.connection.handshake !== event.handshake)
      return;
    const { failure } = event;
    if (failure.kind === 'refused' && failure.code === RefusalCode.epochMismatch) {
      this.#reach.dial(now, peer, 'catchUp');
      return;
    }
    const retryIn = peer.failed(now, this.#options.random);
    const text =
      failure.kind === 'refused'
        ? failure.text
        : failure.peerVersions
          ? versionText(failure.peerVersions)
          : peer.agent.explain(now).sentence;
    this.#events.push({ kind: 'unreachable', peer: peer.nodeId, text, retryIn });
    this.#advance(now, peer);
  }

  #sessionEvent(now: Instant, peer: Peer, who: SessionPeer, event: SessionEvent): void {
    if (isStreamEvent(event)) {
      const { session } = peer;
      if (session !== undefined) this.#events.push({ kind: 'stream', peer: peer.nodeId, session, event });
      return;
    }
    const path = 'path' in event ? this.#endpoint.paths.get(event.path) : undefined;
    switch (event.kind) {
      case 'message':
        this.#message(now, peer, who, event);
        return;
      case 'messageAcknowledged':
        this.#delivery.acknowledged(peer, event.sequence);
        // The floor has risen: messages that were held back for it go out in this turn.
        if (peer.outbox.size > 0 && peer.session !== undefined) this.#endpoint.open(peer.session);
        this.#reach.measure(now, peer);
        break;
      case 'datagram': {
        const { service, bytes } = event;
        if (service === SERVICES.rendezvous && who.kind === 'nmn') this.#nmn.receive(now, bytes);
        else if (who.kind === 'catchUp') this.drops.count('notPermitted');
        else this.#events.push({ kind: 'datagram', peer: peer.nodeId, service, bytes });
        return;
      }
      case 'control': {
        if (who.kind === 'member' && this.#delivery.control(now, peer, event.type, event.bytes)) break;
        if (event.type !== CANDIDATES_CONTROL) return;
        const list = decodeCandidates(event.bytes);
        if (list.ok) peer.agent.peerCandidates(now, list.value);
        else this.drops.count(list.reason);
        break;
      }
      case 'pathValidated':
        if (path) this.#reach.validated(now, peer, path, event.rtt);
        break;
      case 'peerPath':
        if (path) peer.agent.peerPath(now, path);
        break;
      case 'pathSuspect':
        if (path) peer.agent.pathSuspect(now, path);
        break;
      case 'pathFailed':
        if (path) peer.agent.pathFailed(now, path);
        break;
      case 'pathAlive':
        if (path) peer.agent.pathAlive(now, path);
        break;
      case 'confirmed':
      case 'closed':
        return;
    }
    if (who.kind !== 'nmn') this.#advance(now, peer);
    else this.#touch(peer);
  }

  #message(
    now: Instant,
    peer: Peer,
    who: SessionPeer,
    event: Extract<SessionEvent, { kind: 'message' }>,
  ): void {
    const { service, sequence, floor, bytes } = event;
    if (!this.#delivery.accepts(peer, sequence, floor)) return;
    if (service === SERVICES.networkState) {
      if (this.#exchange.receive(now, peer.nodeId, bytes)) this.#reach.dial(now, peer, 'member');
      return;
    }
    const isNmn = who.kind === 'nmn';
    if (isNmn && service === SERVICES.rendezvous) this.#nmn.receive(now, bytes);
    else if (isNmn && service === SERVICES.management) this.#answer(now, bytes);
    else if (service === SERVICES.management) this.#catchUp(now, peer, who, bytes);
    if (isNmn || service === SERVICES.management) return;
    if (service === SERVICES.rendezvous || who.kind === 'catchUp') {
      this.drops.count('notPermitted');
      return;
    }
    const incarnation = peer.outboxIncarnation;
    this.#events.push({ kind: 'message', peer: peer.nodeId, service, incarnation, sequence, bytes });
  }

  // With the same secret on both sides, a session of kind `member` takes the place of this one.
  #catchUp(now: Instant, peer: Peer, who: SessionPeer, bytes: Uint8Array): void {
    if (this.#exchange.caughtUp(who, bytes)) this.#reach.dial(now, peer, 'member');
  }

  #answer(now: Instant, bytes: Uint8Array): void {
    const answer = this.#exchange.answered(now, bytes);
    if (answer) this.#events.push({ kind: 'management', ...answer });
  }

  #expel(now: Instant, nodeId: number): void {
    if (nodeId === this.nodeId) {
      if (!this.#expelled)
        this.#events.push({ kind: 'expelled', text: 'the membership of this node was revoked' });
      this.#expelled = true;
      this.close(now);
      return;
    }
    const peer = this.#peers.get(nodeId);
    if (!peer) return;
    peer.wanted = false;
    this.#delivery.revoked(peer);
    if (peer.connection.kind === 'handshaking') this.#endpoint.abandon(peer.connection.handshake);
    if (peer.session !== undefined) {
      this.#endpoint.open(peer.session)?.close(now, CloseCode.revoked, 'your membership was revoked');
      this.#events.push({
        kind: 'disconnected',
        peer: nodeId,
        reason: 'revoked',
        text: 'its membership was revoked',
      });
    }
    peer.connection = { kind: 'idle' };
    this.#touch(peer);
  }

  /** Does whatever is due for a peer, and sets its next deadline. */
  #advance(now: Instant, peer: Peer): void {
    this.#delivery.expire(now, peer);
    const { connection } = peer;
    if (peer.left && connection.kind === 'connected') {
      peer.leaving = false;
      this.#endpoint.open(connection.session)?.close(now, CloseCode.done, 'not needed any more');
    }
    const due = connection.kind === 'idle' || (connection.kind === 'waiting' && connection.retryAt <= now);
    if (due) {
      const isNmn = peer.nodeId === this.#mind.nmnNodeId; // The link to it has its own ways.
      if (peer.needed && !isNmn && !this.#expelled) this.#reach.dial(now, peer, 'member');
      else peer.connection = { kind: 'idle' };
    }
    for (let action = peer.agent.pollAction(); action; action = peer.agent.pollAction())
      this.#reach.act(now, peer, action);
    this.#mind.rememberAddresses(peer.nodeId, peer.agent.workingAddresses());
    this.#touch(peer);
  }

  #encourageAll(now: Instant): void {
    for (const peer of this.#peers.values()) {
      peer.encourage(now);
      this.#advance(now, peer);
    }
  }

  #touch(peer: Peer): void {
    this.#deadlines.set(peer.nodeId, peer.deadline);
  }

  #member(nodeId: number): Peer {
    if (nodeId === this.nodeId)
      throw new ClusterError('INVALID_ARGUMENT', `node #${nodeId} is this node itself`);
    if (!this.#mind.certificateOf(nodeId))
      throw new ClusterError('NOT_A_MEMBER', `the network has no member #${nodeId}, or it was revoked`);
    const peer = this.#peer(nodeId);
    if (!peer) throw new ClusterError('QUEUE_FULL', `this node deals with ${MAX_PEERS} peers already`);
    return peer;
  }

  /** The peer of that id, made if it is new; `undefined`: there are too many. */
  #peer(nodeId: number): Peer | undefined {
    const known = this.#peers.get(nodeId);
    if (known || this.#peers.size >= MAX_PEERS) return known;
    const { random, now } = this.#options;
    const peer = new Peer(nodeId, random, {
      allowDocumentation: this.#options.allowDocumentationAddresses ?? false,
      forbidden: () => this.#nmn.addresses,
    });
    this.#peers.set(nodeId, peer);
    peer.agent.setLocal(now, localLinks(this.#links));
    peer.agent.setReflexive(now, this.#nmn.reflexive);
    return peer;
  }
}
