import { after, type Duration, type Instant, milliseconds } from '../base/index.js';
import { NO_SECRET, type Peer, SERVICES, type SessionKind, type SessionPeer } from '../network/index.js';
import { CANDIDATES_CONTROL, explainNmn, type PathAction, reportNmn } from '../path/index.js';
import { type Endpoint, MAX_HANDSHAKE_PATHS, type Path, type PathId } from '../session/index.js';
import type { ClusterEvent, MemberReport } from './events.js';
import type { MemberMind } from './member-mind.js';
import type { NmnLink } from './nmn-link.js';
import { explainPeer, type NodeReport, type PeerExplanation, reportNode } from './reports.js';

/** One try to reach a peer; then the next one begins, with fresh keys. */
const HANDSHAKE_PATIENCE: Duration = milliseconds(10_000);
/** What may travel before both have the same secret. */
const CATCHING_UP: ReadonlySet<number> = new Set([SERVICES.networkState, SERVICES.management]);
/** With no way to a peer at all, this is how long nothing is tried; whatever opens a way ends the wait. */
const NO_WAY_RETRY: Duration = milliseconds(60_000);

/** What is needed to reach a peer. */
export interface ReachWorld {
  readonly endpoint: Endpoint<SessionPeer>;
  readonly mind: MemberMind;
  readonly nmn: NmnLink;
  readonly emit: (event: ClusterEvent) => void;
}

/** Handshakes with peers, and the hands of their path agents. */
export class PeerReach {
  readonly #world: ReachWorld;
  /** Whether there is any link at all. */
  isOnline = false;

  constructor(world: ReachWorld) {
    this.#world = world;
  }

  /** Tells the agent how fast the active path is, at most once a second. */
  measure(now: Instant, peer: Peer): void {
    if (peer.session === undefined || !peer.measureDue(now)) return;
    const session = this.#world.endpoint.open(peer.session);
    const path = session && this.#world.endpoint.paths.get(session.activePath);
    const measured = session?.pathStatistics(session.activePath);
    // Before the first sample the estimator holds a guess.
    if (path && measured && measured.minRtt > 0) peer.agent.measured(now, path, measured.rtt);
  }

  /** What is known of a member; `peer`: how far we are with it. */
  report(member: MemberReport, ownId: number, peer: Peer | undefined): NodeReport {
    const { nmn } = this.#world;
    const path = this.#isNmn(member.nodeId) ? reportNmn(nmn.facts) : peer?.agent.active;
    return reportNode(member, ownId, peer, nmn.presenceOf(member.nodeId), path);
  }

  /** Why the path to a peer is what it is, and what it carried. */
  explain(now: Instant, peer: Peer): PeerExplanation {
    const { endpoint, mind, nmn } = this.#world;
    this.measure(now, peer);
    const session = peer.session === undefined ? undefined : endpoint.open(peer.session);
    const explanation = this.#isNmn(peer.nodeId) ? explainNmn(nmn.facts) : peer.agent.explain(now);
    const mtu = session?.pathStatistics(session.activePath)?.mtu;
    return explainPeer(explanation, peer, mind.nameOf(peer.nodeId), session?.statistics(), mtu, nmn);
  }

  // No path agent steers the way to it.
  #isNmn(nodeId: number): boolean {
    return nodeId === this.#world.mind.nmnNodeId;
  }

  /** Begins a handshake of a kind with a peer, on every way that is known to it. */
  dial(now: Instant, peer: Peer, kind: SessionKind): void {
    const certificate = this.#world.mind.certificateOf(peer.nodeId);
    if (!certificate || !this.isOnline) {
      peer.connection = { kind: 'waiting', retryAt: after(now, NO_WAY_RETRY) };
      return;
    }
    const paths = peer.agent
      .connectTargets(now)
      .map(({ link, remote }) => this.#world.endpoint.paths.intern(link, remote, undefined).id);
    const relay = this.#world.nmn.relayPath(peer.nodeId);
    if (relay) paths.push(relay.id);
    const carry = this.#world.nmn.connected;
    if (paths.length === 0 && !carry) {
      peer.connection = { kind: 'waiting', retryAt: after(now, NO_WAY_RETRY) };
      const text = 'no address of it is known, and the NMN that could introduce us is away';
      this.#world.emit({ kind: 'unreachable', peer: peer.nodeId, text, retryIn: undefined });
      return;
    }
    const handshake = this.#world.endpoint.connect(now, {
      remoteStatic: certificate.staticKey,
      psk: kind === 'member' ? this.#world.mind.currentSecret : NO_SECRET,
      payload: at => this.#world.mind.introduction(at, kind),
      peer: { nodeId: peer.nodeId, kind, certificate: undefined, said: undefined },
      paths: paths.slice(0, MAX_HANDSHAKE_PATHS),
      carry,
      timeout: HANDSHAKE_PATIENCE,
    });
    peer.connection = { kind: 'handshaking', handshake, session: kind };
  }

  /** Does what the path agent of a peer wants. */
  act(now: Instant, peer: Peer, action: PathAction): void {
    const handle = peer.session;
    switch (action.kind) {
      case 'probe': {
        const path =
          handle === undefined
            ? undefined
            : this.#world.endpoint.addPath(now, handle, action.link, action.remote);
        if (handle !== undefined && path !== undefined)
          this.#world.endpoint.open(handle)?.probePath(now, path);
        return;
      }
      case 'probeRelay': {
        const id = this.#sessionPath(now, peer, action.path);
        if (handle !== undefined && id !== undefined) this.#world.endpoint.open(handle)?.probePath(now, id);
        return;
      }
      case 'activate':
        this.#activate(now, peer, action.path);
        return;
      case 'bridge':
        this.#bridge(now, peer, action.path);
        return;
      case 'sendCandidates':
        if (handle !== undefined)
          this.#world.endpoint.open(handle)?.sendControl(now, CANDIDATES_CONTROL, action.bytes);
        return;
      case 'requestPunch':
        this.#world.nmn.requestPunch(now, peer.nodeId);
        return;
      case 'requestLease':
        this.#world.nmn.requestLease(now, peer.nodeId);
        return;
      case 'releaseLease':
        this.#world.nmn.releaseLease(now, peer.nodeId);
        return;
      case 'pathChanged':
        if (action.from)
          this.#world.emit({ kind: 'path', peer: peer.nodeId, from: action.from, to: action.to });
    }
  }

  // A session forgets paths that it has no room for: whoever uses one names it anew.
  #sessionPath(now: Instant, peer: Peer, { link, remote, channel }: Path): PathId | undefined {
    return peer.session === undefined
      ? undefined
      : this.#world.endpoint.addPath(now, peer.session, link, remote, channel);
  }

  /** Gives a waiting message to the session, if there is one. */
  hand(now: Instant, peer: Peer, sequence: number): void {
    const session = peer.session === undefined ? undefined : this.#world.endpoint.open(peer.session);
    if (!session) return;
    const entry = peer.outbox.get(sequence);
    if (!entry || (peer.catchingUp && !CATCHING_UP.has(entry.service))) return;
    entry.sent = true;
    const { service, bytes, priority } = entry;
    session.sendMessage(now, { sequence, floor: peer.floor, service, bytes, priority });
  }

  /** The NMN does not introduce us. Known addresses are still being tried; the sentence is for whoever waits. */
  refused(peer: Peer, reason: string): void {
    if (peer.connection.kind !== 'handshaking' || reason === 'rateLimited') return;
    const text = reason === 'away' ? 'it has no session with the NMN: it is off, or has no network' : reason;
    this.#world.emit({ kind: 'unreachable', peer: peer.nodeId, text, retryIn: undefined });
  }

  /** A path has answered a challenge. */
  validated(now: Instant, peer: Peer, path: Path, rtt: Duration): void {
    peer.agent.pathValidated(now, path, rtt);
    if (peer.wantedPath?.id === path.id) this.#activate(now, peer, path);
  }

  // A path that this session has not proved yet carries nothing: it is proved first, and the agent asks again.
  #bridge(now: Instant, peer: Peer, path: Path): void {
    const id = this.#sessionPath(now, peer, path);
    const session = peer.session === undefined ? undefined : this.#world.endpoint.open(peer.session);
    if (id === undefined || !session) return;
    if (session.pathStatistics(id)?.validated === true) session.bridgePath(id);
    else session.probePath(now, id);
  }

  // An agent may want a path that this very session has not proved yet, as a relay when all else fails: it is proved first.
  #activate(now: Instant, peer: Peer, path: Path): void {
    const id = this.#sessionPath(now, peer, path);
    const session = peer.session === undefined ? undefined : this.#world.endpoint.open(peer.session);
    if (id === undefined || !session) return;
    const isProved = session.pathStatistics(id)?.validated === true;
    peer.wantedPath = isProved ? undefined : this.#world.endpoint.paths.get(id);
    if (isProved) session.activatePath(now, id);
    else session.probePath(now, id);
  }
}
