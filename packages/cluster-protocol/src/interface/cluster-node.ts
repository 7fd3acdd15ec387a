import {
  assert,
  ClusterError,
  DeadlineQueue,
  DropCounters,
  type Duration,
  earliest,
  type Instant,
  milliseconds,
  toHex,
  type WallTime,
} from '../base/index.js';
import {
  decodeManagement,
  encodeManagement,
  type ManagementContent,
  MemberPolicy,
  NO_SECRET,
  Peer,
  RefusalCode,
  SERVICES,
  type SendOptions,
  type SessionKind,
  type SessionPeer,
  type SyncOutput,
} from '../network/index.js';
import {
  CANDIDATES_CONTROL,
  decodeCandidates,
  type Explanation,
  type PathAction,
  type PathReport,
} from '../path/index.js';
import {
  Endpoint,
  type EndpointEvent,
  type Path,
  type SessionEvent,
  type SessionHandle,
} from '../session/index.js';
import { MAX_RECEIVED_DATAGRAM, type SocketAddress } from '../wire/index.js';
import type { ClusterNodeOptions } from './cluster-options.js';
import type { AwayReason, ClusterEvent, MemberReport } from './events.js';
import type { Link, LinkId, Machine, SendError, Transmit } from './machine.js';
import { MemberMind } from './member-mind.js';
import { NmnLink } from './nmn-link.js';

/** One try to reach a peer; then the next one begins, with fresh keys. */
const HANDSHAKE_PATIENCE: Duration = milliseconds(10_000);
/** A board with more peers than that is a service and has the memory for its own limits. */
const MAX_PEERS = 4_096;
/** Silence on a path is filled after this, so that NAT mappings and the knowledge of who is there stay fresh. */
const KEEP_ALIVE: Duration = milliseconds(15_000);

/** What is known of one member at one moment. */
export interface NodeReport extends MemberReport {
  readonly self: boolean;
  readonly online: boolean;
  readonly lastSeen: number;
  readonly path: PathReport | undefined;
}

/** Why the path to a peer is what it is, and what it carried. */
export interface PeerExplanation extends Explanation {
  readonly nodeId: number;
  readonly name: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly lostPackets: number;
  readonly waitingMessages: number;
  readonly nmn: 'connected' | 'away';
}

/**
 * One member of one network, as a pure machine: the CP interface on which SDKs stand. It keeps sessions with whom the
 * program needs, over the best path there is, and carries messages that outlive them (docs/spec/06-interface.md).
 */
export class ClusterNode implements Machine<ClusterEvent> {
  readonly nodeId: number;
  readonly drops: DropCounters = new DropCounters();
  readonly #options: ClusterNodeOptions;
  readonly #mind: MemberMind;
  readonly #endpoint: Endpoint<SessionPeer>;
  readonly #nmn: NmnLink;
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
      session: { keepAlive: KEEP_ALIVE },
    });
    this.#nmn = new NmnLink({
      now,
      random,
      endpoint: this.#endpoint,
      staticKey: saved.membership.nmnStaticKey,
      addresses: options.nmnAddresses,
      nodeId: () => this.#mind.nmnNodeId,
      introduce: (at, kind) => this.#mind.introduction(at, kind),
      listener: {
        granted: (at, peer, path, observed) => {
          this.#relayAvailable(at, this.#peer(peer), path, observed);
        },
        relayGone: (at, peer, path) => {
          this.#withPeer(at, peer, known => {
            known.agent.relayGone(at, path);
          });
        },
        refused: (at, peer, reason) => {
          this.#introductionRefused(at, peer, reason);
        },
        punch: (at, peer, startIn, observed) => {
          this.#withPeer(at, peer, known => {
            known.agent.peerObserved(at, observed);
            known.agent.punch(at, startIn);
          });
        },
        reflexive: (at, addresses) => {
          for (const peer of this.#peers.values()) {
            peer.agent.setReflexive(at, addresses);
            this.#touch(peer);
          }
        },
        presence: (at, peer, online, lastSeen) => {
          this.#events.push({ kind: 'presence', peer, online, lastSeen });
          if (!online) return;
          const known = this.#peers.get(peer);
          known?.encourage(at);
          if (known) this.#touch(known);
        },
        state: (at, state, text) => {
          this.#events.push({ kind: 'nmn', state, text });
          if (state === 'connected') this.#encourageAll(at);
        },
      },
    });
    for (const [nodeId, addresses] of saved.addresses) this.#peer(nodeId).agent.remembered(now, addresses);
  }

  // ---- what the program asks ------------------------------------------------------------------------------------

  /** Keeps a session with a member from now on, whatever happens to it, until {@link disconnect}. */
  connect(now: Instant, nodeId: number): void {
    const peer = this.#member(nodeId);
    peer.wanted = true;
    peer.encourage(now);
    this.#advance(now, peer);
  }

  /** No session is needed any more for its own sake; one that exists is closed unless messages wait. */
  disconnect(now: Instant, nodeId: number): void {
    const peer = this.#peers.get(nodeId);
    if (!peer) return;
    peer.wanted = false;
    if (peer.session !== undefined && peer.outbox.size === 0)
      this.#endpoint.open(peer.session)?.close(now, 0, 'not needed any more');
  }

  /**
   * Sends a message, now or as soon as there is a session; it is sent again until acknowledged or expired, and the peer
   * gets it once. Returns its sequence; `delivered` or `undelivered` follows. Throws `NOT_A_MEMBER`, `QUEUE_FULL`,
   * `MESSAGE_TOO_LARGE`.
   */
  send(now: Instant, nodeId: number, service: number, bytes: Uint8Array, options: SendOptions = {}): number {
    const peer = this.#member(nodeId);
    const { entry, superseded } = peer.outbox.push(now, service, bytes, options);
    if (superseded) {
      const { sequence, sent } = superseded;
      if (peer.session !== undefined) this.#endpoint.open(peer.session)?.cancelMessage(sequence);
      this.#events.push({ kind: 'undelivered', peer: nodeId, sequence, sent, reason: 'superseded' });
    }
    this.#hand(now, peer, entry.sequence);
    if (peer.session === undefined) peer.encourage(now);
    this.#advance(now, peer);
    return entry.sequence;
  }

  /** Stops sending a message. `undefined`: it was delivered or has ended already; else whether any of it was sent. */
  cancel(now: Instant, nodeId: number, sequence: number): { readonly sent: boolean } | undefined {
    const peer = this.#peers.get(nodeId);
    const entry = peer?.outbox.remove(sequence);
    if (!peer || !entry) return undefined;
    if (peer.session !== undefined) this.#endpoint.open(peer.session)?.cancelMessage(sequence);
    this.#events.push({ kind: 'undelivered', peer: nodeId, sequence, sent: entry.sent, reason: 'cancelled' });
    this.#advance(now, peer);
    return { sent: entry.sent };
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

  /** The wall clock as it reads now; to be called at start, hourly, and when it was set. */
  handleClock(now: Instant, wall: WallTime): void {
    this.#mind.time.handleClock(now, wall);
  }

  /** The members of the network as far as this node knows. */
  nodes(): readonly NodeReport[] {
    return this.#mind.members().map(member => this.#report(member));
  }

  /** Why the path to a member is what it is. Throws `NOT_A_MEMBER`. */
  explain(now: Instant, nodeId: number): PeerExplanation {
    const peer = this.#member(nodeId);
    const session = peer.session === undefined ? undefined : this.#endpoint.open(peer.session);
    const active = session && this.#endpoint.paths.get(session.activePath);
    const measured = session?.pathStatistics(session.activePath);
    if (active && measured) peer.agent.measured(now, active, measured.rtt);
    const totals = session?.statistics();
    return {
      ...peer.agent.explain(now),
      nodeId,
      name: this.#mind.nameOf(nodeId),
      sentBytes: totals?.sentBytes ?? 0,
      receivedBytes: totals?.receivedBytes ?? 0,
      sentPackets: totals?.sentPackets ?? 0,
      lostPackets: totals?.lostPackets ?? 0,
      waitingMessages: peer.outbox.size,
      nmn: this.#nmn.connected ? 'connected' : 'away',
    };
  }

  /** Whether there is a session with the NMN. */
  get nmnConnected(): boolean {
    return this.#nmn.connected;
  }

  /** Says goodbye to everybody; to be followed by one last drain. */
  close(now: Instant): void {
    for (const peer of this.#peers.values())
      if (peer.session !== undefined) this.#endpoint.open(peer.session)?.close(now, 0, 'going away');
    this.#nmn.close(now);
  }

  // ---- what the world tells -------------------------------------------------------------------------------------

  handleLinks(now: Instant, links: readonly Link[]): void {
    this.#links = links;
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
    for (let id = this.#deadlines.takeDue(now); id !== undefined; id = this.#deadlines.takeDue(now)) {
      const peer = this.#peers.get(id);
      if (!peer) continue;
      peer.agent.handleTimeout(now);
      this.#advance(now, peer);
    }
  }

  pollTransmit(now: Instant): Transmit | undefined {
    do {
      const sent = this.#endpoint.pollTransmit(now, this.#buffer);
      if (sent) return { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
    } while (this.#follow(now));
    return undefined;
  }

  pollEvent(): ClusterEvent | undefined {
    return this.#events.shift() ?? this.#mind.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return [this.#deadlines.earliest, this.#nmn.pollTimeout(), this.#mind.pollTimeout()].reduce(
      earliest,
      this.#endpoint.pollTimeout(),
    );
  }

  // ---- sessions -------------------------------------------------------------------------------------------------

  #follow(now: Instant): boolean {
    let any = false;
    for (let event = this.#endpoint.pollEvent(); event; event = this.#endpoint.pollEvent()) {
      any = true;
      this.#take(now, event);
    }
    return any;
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
    const inbox = toHex(said.inboxIncarnation);
    const inboxChanged = peer.inboxIncarnation !== '' && peer.inboxIncarnation !== inbox;
    peer.inboxIncarnation = inbox;
    peer.outboxIncarnation = toHex(said.outboxIncarnation);
    peer.connection = { kind: 'connected', session, since: now };
    peer.encourage(now);
    if (role === 'responder') this.#mind.confirm(now, who.nodeId, said);
    if (who.kind !== 'nmn') peer.agent.sessionOpened(now, { path, role });
    for (const entry of peer.outbox.entries()) this.#hand(now, peer, entry.sequence);
    for (const bytes of this.#mind.sessionOpened(now, who)) this.#sendState(now, peer, bytes);
    if (who.kind === 'nmn') this.#greetNmn(now);
    this.#events.push({
      kind: 'connected',
      peer: who.nodeId,
      path: peer.agent.active ?? nmnPath(path),
      inboxChanged,
    });
    this.#advance(now, peer);
  }

  #greetNmn(now: Instant): void {
    if (this.#mind.secretIsOld) this.#askSecret(now);
    if (this.#mind.renewalDue(now)) this.request(now, { type: 'renew' });
  }

  #closed(now: Instant, event: Extract<EndpointEvent<SessionPeer>, { kind: 'closed' }>): void {
    const peer = this.#peers.get(event.peer.nodeId);
    if (peer?.session !== event.session) return;
    peer.connection = { kind: 'waiting', retryAt: now };
    peer.agent.sessionClosed(now);
    this.#mind.sessionClosed(peer.nodeId);
    if (event.by !== 'replaced')
      this.#events.push({
        kind: 'disconnected',
        peer: peer.nodeId,
        reason: AWAY[event.by],
        text: event.reason,
      });
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
      this.#dial(now, peer, 'catchUp');
      return;
    }
    const retryIn = peer.failed(now, this.#options.random);
    const text =
      failure.kind === 'refused'
        ? failure.text
        : failure.peerVersions
          ? `it speaks wire versions ${failure.peerVersions.lowest} to ${failure.peerVersions.highest}, we speak 1`
          : peer.agent.explain(now).sentence;
    this.#events.push({ kind: 'unreachable', peer: peer.nodeId, text, retryIn });
    this.#advance(now, peer);
  }

  #sessionEvent(now: Instant, peer: Peer, who: SessionPeer, event: SessionEvent): void {
    const path = 'path' in event ? this.#endpoint.paths.get(event.path) : undefined;
    switch (event.kind) {
      case 'message':
        this.#message(now, peer, who, event);
        return;
      case 'messageAcknowledged':
        if (peer.outbox.remove(event.sequence))
          this.#events.push({ kind: 'delivered', peer: peer.nodeId, sequence: event.sequence });
        break;
      case 'datagram':
        if (event.service === SERVICES.rendezvous && who.kind === 'nmn') this.#nmn.receive(now, event.bytes);
        else
          this.#events.push({
            kind: 'datagram',
            peer: peer.nodeId,
            service: event.service,
            bytes: event.bytes,
          });
        return;
      case 'control': {
        if (event.type !== CANDIDATES_CONTROL) return;
        const list = decodeCandidates(event.bytes);
        if (list.ok) peer.agent.peerCandidates(now, list.value);
        else this.drops.count(list.reason);
        break;
      }
      case 'pathValidated':
        if (path) peer.agent.pathValidated(now, path, event.rtt);
        break;
      case 'peerPath':
        if (path) peer.agent.peerPath(now, path);
        break;
      case 'pathSuspect':
        if (path) peer.agent.pathSuspect(now, path);
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
    const verdict = peer.filter.accept(peer.outboxIncarnation, sequence, floor);
    if (verdict !== 'new') {
      this.drops.count(verdict === 'duplicate' ? 'duplicateMessage' : 'windowExceeded');
      return;
    }
    if (service === SERVICES.networkState) {
      this.#networkState(now, peer, bytes);
      return;
    }
    if (service === SERVICES.rendezvous || service === SERVICES.management) {
      if (who.kind !== 'nmn') this.drops.count('notPermitted');
      else if (service === SERVICES.rendezvous) this.#nmn.receive(now, bytes);
      else this.#answer(now, bytes);
      return;
    }
    const incarnation = peer.outboxIncarnation;
    this.#events.push({ kind: 'message', peer: peer.nodeId, service, incarnation, sequence, bytes });
  }

  #answer(now: Instant, bytes: Uint8Array): void {
    const decoded = decodeManagement(bytes);
    if (!decoded.ok) {
      this.drops.count(decoded.reason);
      return;
    }
    const { requestId, ...content } = decoded.value;
    this.#mind.learnAnswer(now, content);
    this.#events.push({ kind: 'management', requestId, content });
  }

  #networkState(now: Instant, peer: Peer, bytes: Uint8Array): void {
    const { news, output } = this.#mind.receive(now, peer.nodeId, bytes);
    if (news.refused) this.drops.count(news.refused);
    for (const message of news.send) this.#sendState(now, peer, message);
    for (const nodeId of news.revoked) this.#expel(now, nodeId);
    if (news.changed)
      for (const other of this.#peers.values()) this.#spread(now, other, peer.nodeId, output.applied);
    if (this.#mind.secretIsOld) this.#askSecret(now);
  }

  #sendState(now: Instant, peer: Peer, bytes: Uint8Array): void {
    if (this.#mind.certificateOf(peer.nodeId)) this.send(now, peer.nodeId, SERVICES.networkState, bytes);
  }

  #askSecret(now: Instant): void {
    if (this.#nmn.connected) this.request(now, { type: 'secret' });
  }

  // Revocations travel from peer to peer: whoever is connected and may not know yet is told at once.
  #spread(now: Instant, peer: Peer, source: number, applied: SyncOutput['applied']): void {
    if (peer.session === undefined || peer.nodeId === source) return;
    for (const bytes of this.#mind.announce(peer.nodeId, applied)) this.#sendState(now, peer, bytes);
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
    for (const { sequence, sent } of [...peer.outbox.entries()]) {
      peer.outbox.remove(sequence);
      this.#events.push({ kind: 'undelivered', peer: nodeId, sequence, sent, reason: 'revoked' });
    }
    if (peer.connection.kind === 'handshaking') this.#endpoint.abandon(peer.connection.handshake);
    if (peer.session !== undefined) {
      this.#endpoint.open(peer.session)?.close(now, 4, 'your membership was revoked');
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

  // ---- reaching peers -------------------------------------------------------------------------------------------

  /** Does whatever is due for a peer, and sets its next deadline. */
  #advance(now: Instant, peer: Peer): void {
    for (const { sequence, sent } of peer.outbox.expire(now)) {
      if (peer.session !== undefined) this.#endpoint.open(peer.session)?.cancelMessage(sequence);
      this.#events.push({ kind: 'undelivered', peer: peer.nodeId, sequence, sent, reason: 'expired' });
    }
    const { connection } = peer;
    const due = connection.kind === 'idle' || (connection.kind === 'waiting' && connection.retryAt <= now);
    if (due && peer.nodeId !== this.#mind.nmnNodeId) {
      if (peer.needed && !this.#expelled) this.#dial(now, peer, 'member');
      else peer.connection = { kind: 'idle' };
    }
    for (let action = peer.agent.pollAction(); action; action = peer.agent.pollAction())
      this.#act(now, peer, action);
    this.#touch(peer);
  }

  #dial(now: Instant, peer: Peer, kind: SessionKind): void {
    const certificate = this.#mind.certificateOf(peer.nodeId);
    if (!certificate || this.#links.length === 0) {
      peer.connection = { kind: 'idle' };
      return;
    }
    const paths = peer.agent
      .connectTargets(now)
      .map(({ link, remote }) => this.#endpoint.paths.intern(link, remote, undefined).id);
    const relay = this.#nmn.relayPath(peer.nodeId);
    if (relay) paths.push(relay.id);
    const carry = this.#nmn.connected;
    if (paths.length === 0 && !carry) {
      peer.connection = { kind: 'idle' };
      const text = 'no address of it is known, and the NMN that could introduce us is away';
      this.#events.push({ kind: 'unreachable', peer: peer.nodeId, text, retryIn: undefined });
      return;
    }
    const handshake = this.#endpoint.connect(now, {
      remoteStatic: certificate.staticKey,
      psk: kind === 'member' ? this.#mind.currentSecret : NO_SECRET,
      payload: at => this.#mind.introduction(at, kind),
      peer: { nodeId: peer.nodeId, kind, certificate: undefined, said: undefined },
      paths: paths.slice(0, 8),
      carry,
      timeout: HANDSHAKE_PATIENCE,
    });
    peer.connection = { kind: 'handshaking', handshake, session: kind };
  }

  #act(now: Instant, peer: Peer, action: PathAction): void {
    const handle = peer.session;
    switch (action.kind) {
      case 'probe': {
        const path =
          handle === undefined ? undefined : this.#endpoint.addPath(now, handle, action.link, action.remote);
        if (handle !== undefined && path !== undefined) this.#endpoint.open(handle)?.probePath(now, path);
        return;
      }
      case 'activate':
        if (handle !== undefined) this.#endpoint.open(handle)?.activatePath(now, action.path.id);
        return;
      case 'sendCandidates':
        if (handle !== undefined)
          this.#endpoint.open(handle)?.sendControl(now, CANDIDATES_CONTROL, action.bytes);
        return;
      case 'requestPunch':
        this.#nmn.requestPunch(now, peer.nodeId);
        return;
      case 'requestLease':
        this.#nmn.introduce(now, peer.nodeId, NOTHING);
        return;
      case 'pathChanged':
        if (action.from)
          this.#events.push({ kind: 'path', peer: peer.nodeId, from: action.from, to: action.to });
        this.#mind.rememberAddresses(peer.nodeId, peer.agent.workingAddresses());
    }
  }

  #relayAvailable(now: Instant, peer: Peer, path: Path, observed: readonly SocketAddress[]): void {
    peer.agent.peerObserved(now, observed);
    peer.agent.relayAvailable(now, path);
    if (peer.session !== undefined) {
      const id = this.#endpoint.addPath(now, peer.session, path.link, path.remote, path.channel);
      if (id !== undefined) this.#endpoint.open(peer.session)?.probePath(now, id);
    }
    this.#advance(now, peer);
  }

  #introductionRefused(now: Instant, nodeId: number, reason: string): void {
    const peer = this.#peers.get(nodeId);
    if (peer?.connection.kind !== 'handshaking' || reason === 'rateLimited') return;
    // Remembered addresses are still being tried; the sentence is for whoever waits meanwhile.
    const text = reason === 'away' ? 'it has no session with the NMN: it is off, or has no network' : reason;
    this.#events.push({ kind: 'unreachable', peer: nodeId, text, retryIn: undefined });
    this.#touch(peer);
    void now;
  }

  #hand(now: Instant, peer: Peer, sequence: number): void {
    const session = peer.session === undefined ? undefined : this.#endpoint.open(peer.session);
    if (!session) return;
    for (const entry of peer.outbox.entries()) {
      if (entry.sequence !== sequence) continue;
      entry.sent = true;
      const { service, bytes, priority } = entry;
      session.sendMessage(now, { sequence, floor: () => peer.outbox.floor, service, bytes, priority });
    }
  }

  #encourageAll(now: Instant): void {
    for (const peer of this.#peers.values()) {
      peer.encourage(now);
      this.#advance(now, peer);
    }
  }

  #withPeer(now: Instant, nodeId: number, act: (peer: Peer) => void): void {
    const peer = this.#peers.get(nodeId);
    if (!peer) return;
    act(peer);
    this.#advance(now, peer);
  }

  #touch(peer: Peer): void {
    this.#deadlines.set(peer.nodeId, peer.deadline);
  }

  #member(nodeId: number): Peer {
    if (nodeId === this.nodeId)
      throw new ClusterError('INVALID_ARGUMENT', `node #${nodeId} is this node itself`);
    if (!this.#mind.certificateOf(nodeId))
      throw new ClusterError('NOT_A_MEMBER', `the network has no member #${nodeId}, or it was revoked`);
    return this.#peer(nodeId);
  }

  #peer(nodeId: number): Peer {
    const known = this.#peers.get(nodeId);
    if (known) return known;
    if (this.#peers.size >= MAX_PEERS)
      throw new ClusterError('QUEUE_FULL', `this node deals with ${MAX_PEERS} peers already`);
    const { saved, random, now } = this.#options;
    const peer = new Peer(nodeId, saved.firstSequence, random, {
      allowDocumentation: this.#options.allowDocumentationAddresses ?? false,
      forbidden: () => this.#nmn.addresses,
    });
    this.#peers.set(nodeId, peer);
    peer.agent.setLocal(now, localLinks(this.#links));
    peer.agent.setReflexive(now, this.#nmn.reflexive);
    return peer;
  }

  #report(member: MemberReport): NodeReport {
    const peer = this.#peers.get(member.nodeId);
    const presence = this.#nmn.presenceOf(member.nodeId);
    const self = member.nodeId === this.nodeId;
    const connected = peer?.session !== undefined;
    return {
      ...member,
      self,
      online: self || connected || presence?.online === true,
      lastSeen: presence?.lastSeen ?? 0,
      path: connected ? peer.agent.active : undefined,
    };
  }
}

const NOTHING = new Uint8Array(0);

const AWAY: Record<'peer' | 'local' | 'idle' | 'reset', AwayReason> = {
  peer: 'closed',
  local: 'local',
  idle: 'silent',
  reset: 'restarted',
};

const nmnPath = (path: Path): PathReport => ({
  path: 'direct',
  scope: 'internet',
  remote: path.remote,
  rtt: undefined,
});

const localLinks = (links: readonly Link[]): Parameters<Peer['agent']['setLocal']>[1] =>
  links.map(({ id, family, port, addresses }) => ({ link: id, family, port, addresses }));
