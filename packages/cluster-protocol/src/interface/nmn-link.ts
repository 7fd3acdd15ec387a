import {
  after,
  ClusterError,
  type DropCounters,
  type Duration,
  earliest,
  type Instant,
  milliseconds,
  type RandomSource,
  randomFraction,
  seconds,
} from '../base/index.js';
import {
  decodeRendezvous,
  encodeRendezvous,
  type Lease,
  NO_SECRET,
  RelayLeases,
  RENEWAL_RETRY,
  type RendezvousMessage,
  RefusalCode,
  type SendOptions,
  SERVICES,
  type SessionKind,
  type SessionPeer,
  TakeoverWait,
} from '../network/index.js';
import type { NmnFacts } from '../path/index.js';
import {
  type Endpoint,
  type EndpointEvent,
  type HandshakeId,
  MAX_HANDSHAKE_PATHS,
  type Path,
  type SessionHandle,
} from '../session/index.js';
import { CloseCode, type SocketAddress } from '../wire/index.js';
import type { Link } from './machine.js';
import type { NmnListener } from './nmn-listener.js';
import { localLinks } from './reports.js';

/** One try to reach the NMN. */
const PATIENCE: Duration = seconds(10);
/** Waits between tries while it does not answer: none at first, a minute in the end. Changes start over. */
const BACKOFF: readonly Duration[] = [0, 0, 1, 2, 5, 10, 20, 40, 60].map(seconds);
/** Retries spread by this share, so that not all nodes of a restarted NMN come in the same second. */
const JITTER = 0.25;
/** An introduction of the same peer is not asked for more often than this. */
const INTRODUCTION_INTERVAL: Duration = milliseconds(200);
/** Peers whose last introduction is remembered for that. */
const MAX_INTRODUCTIONS = 1_024;
/** A request for a punch is worth as much as the round that it is to begin: afterwards the next one is asked for. */
const PUNCH_WORTH: Duration = seconds(4);
/** A request for a lease is repeated after this by whoever needs it. */
const LEASE_WORTH: Duration = seconds(5);
const NOTHING = new Uint8Array(0);

/** What a link is made of. */
export interface NmnLinkOptions {
  readonly now: Instant;
  readonly random: RandomSource;
  readonly endpoint: Endpoint<SessionPeer>;
  readonly staticKey: Uint8Array;
  readonly addresses: readonly SocketAddress[];
  /** The NMN's own node id, from the network state. */
  readonly nodeId: () => number | undefined;
  readonly introduce: (now: Instant, kind: SessionKind) => Uint8Array;
  /** Sends the NMN a message of service rendezvous. Throws `QUEUE_FULL`. */
  readonly send: (now: Instant, nmn: number, bytes: Uint8Array, options: SendOptions) => void;
  readonly drops: DropCounters;
  readonly listener: NmnListener;
}

type LinkState =
  | { readonly kind: 'waiting'; readonly retryAt: Instant }
  | { readonly kind: 'handshaking'; readonly handshake: HandshakeId }
  | { readonly kind: 'connected'; readonly session: SessionHandle };

interface Presence {
  readonly online: boolean;
  readonly lastSeen: number;
}

/** The node's tie to its NMN: kept up for ever; introductions, relay leases, presence, our own address from outside. */
export class NmnLink {
  readonly #options: NmnLinkOptions;
  readonly #leases = new RelayLeases();
  readonly #presence = new Map<number, Presence>();
  readonly #introduced = new Map<number, Instant>();
  #addresses: readonly SocketAddress[];
  #links: readonly Link[] = [];
  #reflexive: readonly SocketAddress[] = [];
  #state: LinkState;
  #failures = 0;
  readonly #takeovers = new TakeoverWait();
  #notBefore: Instant | undefined;
  #toldAway = false;
  /** Why there is no session, as last heard. */
  #awayText = 'it has not answered yet';
  #closed = false;

  constructor(options: NmnLinkOptions) {
    this.#options = options;
    this.#addresses = options.addresses;
    this.#state = { kind: 'waiting', retryAt: options.now };
  }

  get connected(): boolean {
    return this.#state.kind === 'connected';
  }

  /** Relay channels held. */
  get leases(): number {
    return this.#leases.size;
  }

  /** Where the NMN is tried. */
  get addresses(): readonly SocketAddress[] {
    return this.#addresses;
  }

  /** Our addresses as the NMN sees them. */
  get reflexive(): readonly SocketAddress[] {
    return this.#reflexive;
  }

  /** What is known of the way to the NMN. */
  get facts(): NmnFacts {
    const session =
      this.#state.kind === 'connected' ? this.#options.endpoint.open(this.#state.session) : undefined;
    const measured = session?.pathStatistics(session.activePath);
    return {
      addresses: this.#addresses,
      remote: session && this.#options.endpoint.paths.get(session.activePath)?.remote,
      // Before the first sample the estimator holds a guess.
      rtt: measured !== undefined && measured.minRtt > 0 ? measured.rtt : undefined,
      links: localLinks(this.#links),
      away: this.#awayText,
    };
  }

  relayPath(peer: number): Path | undefined {
    return this.#leases.get(peer);
  }

  presenceOf(peer: number): Presence | undefined {
    return this.#presence.get(peer);
  }

  setAddresses(now: Instant, addresses: readonly SocketAddress[]): void {
    this.#addresses = addresses;
    this.#retryNow(now);
  }

  handleLinks(now: Instant, links: readonly Link[]): void {
    this.#links = links;
    this.#retryNow(now);
  }

  handleTimeout(now: Instant): void {
    if (this.#state.kind === 'waiting' && this.#state.retryAt <= now) this.#dial(now);
    for (const action of this.#leases.handleTimeout(now)) {
      if (action.kind === 'renew') {
        const { channel, token } = action;
        this.#ask(now, { kind: 'renewLease', channel, token }, `lease ${channel}`, RENEWAL_RETRY);
      } else this.#gone(now, action.peer, action.path);
    }
  }

  pollTimeout(): Instant | undefined {
    const retry =
      this.#state.kind === 'waiting' && this.#links.length > 0 && !this.#closed
        ? this.#state.retryAt
        : undefined;
    return earliest(retry, this.#leases.pollTimeout());
  }

  /** What became of our handshake or session with the NMN. */
  take(now: Instant, event: EndpointEvent<SessionPeer>): void {
    switch (event.kind) {
      case 'opened':
        this.#failures = 0;
        this.#toldAway = false;
        this.#introduced.clear();
        this.#state = { kind: 'connected', session: event.session };
        this.#options.listener.state(now, 'connected', 'the NMN answers');
        return;
      case 'closed': {
        if (this.#state.kind !== 'connected' || this.#state.session !== event.session) return;
        if (event.by === 'replaced') return; // Its successor is announced in the next event.
        const takenOver = event.by === 'peer' && event.code === CloseCode.replaced;
        const wait = takenOver ? this.#takeovers.next(now, this.#options.random) : milliseconds(0);
        this.#notBefore = after(now, wait);
        this.#state = { kind: 'waiting', retryAt: this.#notBefore };
        for (const { peer, path } of this.#leases.clear()) this.#gone(now, peer, path);
        this.#presence.clear();
        this.#away(now, event.reason || 'the session with it ended');
        if (event.by === 'peer' && event.code === CloseCode.revoked) this.#options.listener.expelled(now);
        return;
      }
      case 'handshakeFailed': {
        const { failure } = event;
        if (failure.kind === 'refused' && failure.code === RefusalCode.revoked)
          this.#options.listener.expelled(now);
        const base = BACKOFF[Math.min(this.#failures++, BACKOFF.length - 1)]!;
        const wait = milliseconds(base * (1 + JITTER * randomFraction(this.#options.random)));
        this.#state = { kind: 'waiting', retryAt: after(now, wait) };
        this.#away(
          now,
          failure.kind === 'refused' ? refusal(failure.code, failure.text) : 'it does not answer',
        );
        return;
      }
      case 'session':
      case 'carry':
    }
  }

  /** A message of service rendezvous from the NMN. */
  receive(now: Instant, bytes: Uint8Array): void {
    const decoded = decodeRendezvous(bytes);
    if (!decoded.ok || this.#state.kind !== 'connected') return;
    const message = decoded.value;
    const { listener } = this.#options;
    switch (message.kind) {
      case 'granted':
        this.#granted(now, message.peer, message, message.observed);
        return;
      case 'introduction': {
        const path = this.#granted(now, message.peer, message, message.observed);
        if (path && message.handshake.length > 0)
          this.#options.endpoint.handleCarried(now, path, message.handshake);
        return;
      }
      case 'renewed': {
        const ended = this.#leases.renewed(now, message);
        if (ended) this.#gone(now, ended.peer, ended.path);
        return;
      }
      case 'refused':
        listener.refused(now, message.peer, message.reason);
        return;
      case 'punch':
        listener.punch(now, message.peer, milliseconds(message.startIn), message.observed);
        return;
      case 'observed':
        this.#reflexive = [
          message.address,
          ...this.#reflexive.filter(({ family }) => family !== message.address.family),
        ];
        listener.reflexive(now, this.#reflexive);
        return;
      case 'presence':
        this.#learnPresence(now, message);
        return;
      case 'shaped': {
        const peer = this.#leases.peerOf(message.channel);
        if (peer !== undefined) listener.shaped(now, peer, message.droppedBytes, message.bytesPerSecond);
        return;
      }
      // What only nodes say is nothing from an NMN.
      case 'connect':
      case 'punchRequest':
      case 'renewLease':
      case 'releaseLease':
    }
  }

  /** Asks for a lease towards a peer, and hands it our message 1. */
  introduce(now: Instant, peer: number, handshake: Uint8Array): void {
    if (!this.#mayIntroduce(now, peer) || this.#state.kind !== 'connected') return;
    const message = { kind: 'connect', peer, handshake } as const;
    const session = this.#options.endpoint.open(this.#state.session);
    // As a datagram: the handshake repeats it, and whatever else waits for the NMN shares its packet. Cut up where the path
    // is too narrow for that.
    if (session?.sendDatagram(now, SERVICES.rendezvous, encodeRendezvous(message)) === false)
      this.#ask(now, message, `connect ${peer}`, LEASE_WORTH);
  }

  /** Asks for a lease towards a peer with which there is a session. */
  requestLease(now: Instant, peer: number): void {
    if (!this.#mayIntroduce(now, peer)) return;
    this.#ask(now, { kind: 'connect', peer, handshake: NOTHING }, `connect ${peer}`, LEASE_WORTH);
  }

  /** Gives the lease towards a peer back: nothing is sent through it any more. */
  releaseLease(now: Instant, peer: number): void {
    const path = this.#leases.remove(peer);
    if (path?.channel === undefined) return;
    // It takes the place of a renewal that still waits.
    this.#ask(now, { kind: 'releaseLease', channel: path.channel }, `lease ${path.channel}`, RENEWAL_RETRY);
    this.#gone(now, peer, path);
  }

  requestPunch(now: Instant, peer: number): void {
    this.#ask(now, { kind: 'punchRequest', peer }, `punch ${peer}`, PUNCH_WORTH);
  }

  close(now: Instant): void {
    this.#closed = true;
    if (this.#state.kind === 'connected')
      this.#options.endpoint.open(this.#state.session)?.close(now, 0, 'going away');
  }

  #dial(now: Instant): void {
    if (this.#closed) return;
    const { endpoint } = this.#options;
    const nodeId = this.#options.nodeId();
    const paths = this.#addresses.flatMap(remote =>
      this.#links
        .filter(link => link.family === remote.family)
        .map(link => endpoint.paths.intern(link.id, remote, undefined).id),
    );
    if (nodeId === undefined || paths.length === 0) {
      this.#state = { kind: 'waiting', retryAt: after(now, BACKOFF[BACKOFF.length - 1]!) };
      this.#away(now, 'no address of it is known that this machine could reach');
      return;
    }
    const handshake = endpoint.connect(now, {
      remoteStatic: this.#options.staticKey,
      psk: NO_SECRET,
      payload: at => this.#options.introduce(at, 'nmn'),
      peer: { nodeId, kind: 'nmn', certificate: undefined, said: undefined },
      paths: paths.slice(0, MAX_HANDSHAKE_PATHS),
      carry: false,
      timeout: PATIENCE,
    });
    this.#state = { kind: 'handshaking', handshake };
  }

  #granted(now: Instant, peer: number, lease: Lease, observed: readonly SocketAddress[]): Path | undefined {
    if (this.#state.kind !== 'connected') return undefined;
    const { endpoint, listener } = this.#options;
    const active = endpoint.open(this.#state.session)?.activePath;
    const to = active === undefined ? undefined : endpoint.paths.get(active);
    if (!to) return undefined;
    const path = endpoint.paths.intern(to.link, to.remote, lease.channel);
    const isNew = this.#leases.get(peer)?.id !== path.id;
    const replaced = this.#leases.add(now, peer, path, lease);
    if (replaced === 'full') {
      endpoint.paths.sweep(path.id);
      return undefined;
    }
    if (isNew) endpoint.paths.hold(path.id);
    if (replaced) this.#gone(now, peer, replaced);
    listener.granted(now, peer, path, observed);
    return path;
  }

  #gone(now: Instant, peer: number, path: Path): void {
    this.#options.listener.relayGone(now, peer, path);
    this.#options.endpoint.paths.release(path.id);
  }

  #learnPresence(now: Instant, message: Extract<RendezvousMessage, { kind: 'presence' }>): void {
    const { listener } = this.#options;
    const named = new Set<number>();
    for (const { nodeId, online, lastSeen } of message.entries) {
      named.add(nodeId);
      const before = this.#presence.get(nodeId);
      this.#presence.set(nodeId, { online, lastSeen });
      if (before?.online !== online) listener.presence(now, nodeId, online, lastSeen);
    }
    if (!message.complete) return;
    for (const [nodeId, { online, lastSeen }] of this.#presence) {
      if (named.has(nodeId)) continue;
      this.#presence.delete(nodeId);
      if (online) listener.presence(now, nodeId, false, lastSeen);
    }
  }

  #mayIntroduce(now: Instant, peer: number): boolean {
    const last = this.#introduced.get(peer);
    if (last !== undefined && now - last < INTRODUCTION_INTERVAL) return false;
    if (this.#introduced.size >= MAX_INTRODUCTIONS) this.#introduced.clear();
    this.#introduced.set(peer, now);
    return true;
  }

  /** A request that must arrive while it is worth something; a newer one with the same key takes its place. */
  #ask(now: Instant, message: RendezvousMessage, key: string, worth: Duration): void {
    const nmn = this.#options.nodeId();
    if (this.#state.kind !== 'connected' || nmn === undefined) return;
    const options = { supersedes: `rendezvous ${key}`, expiresIn: worth };
    try {
      this.#options.send(now, nmn, encodeRendezvous(message), options);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#options.drops.count('queueFull'); // Whatever asked asks again.
    }
  }

  #retryNow(now: Instant): void {
    this.#failures = 0;
    const retryAt = this.#notBefore !== undefined && this.#notBefore > now ? this.#notBefore : now;
    if (this.#state.kind === 'waiting') this.#state = { kind: 'waiting', retryAt };
  }

  // Said once, until it has been there again: an NMN that is off is no news every minute.
  #away(now: Instant, text: string): void {
    this.#awayText = text;
    if (this.#toldAway) return;
    this.#toldAway = true;
    this.#options.listener.state(now, 'away', text);
  }
}

function refusal(code: number, text: string): string {
  if (text !== '') return text;
  const name = Object.entries(RefusalCode).find(([, number]) => number === code)?.[0];
  return name ?? `refusal ${code}`;
}
