import {
  after,
  decodeManagement,
  DropCounters,
  type Duration,
  earliest,
  elapsed,
  encodeManagement,
  Endpoint,
  type EndpointEvent,
  type Instant,
  type Link,
  type LinkId,
  type Machine,
  type ManagementContent,
  type ManagementMessage,
  milliseconds,
  minutes,
  type SendError,
  type Session,
  SERVICES,
  type SessionEvent,
  type SessionHandle,
  type Transmit,
} from '@coconet/cluster-protocol/core';
import { CloseCode, MAX_UNPROVED_DATAGRAM, type SocketAddress } from '@coconet/cluster-protocol/wire';

import { CommitQueue, type Effect } from './commit-queue.js';
import { Guest } from './guest.js';
import { SourceLimiter } from './limits/source-limiter.js';
import { AdmissionPolicy, type NmnPeer, peerName } from './membership/admission-policy.js';
import type { NetworkLedger } from './membership/network-ledger.js';
import { type Asker, Networks, type Stranger } from './membership/networks.js';
import { refuse, UNAVAILABLE } from './membership/requests.js';
import { type SendMessage, StateSpreader } from './membership/state-spreader.js';
import type { NetworkContents } from './membership/storage-change.js';
import { newsOf, type Turn } from './membership/turn.js';
import { RelayService } from './relay/relay-service.js';
import { type Carrier, Introducer } from './rendezvous/introducer.js';
import { RendezvousService } from './rendezvous/rendezvous-service.js';
import {
  type NmnMachineEvent,
  type NmnMachineOptions,
  refusalLog,
  wrongProofLog,
} from './nmn-machine-options.js';
import { PlainTraffic } from './plain-traffic.js';
import { StunResponder } from './stun/stun-responder.js';
import type { Caller } from './subsystem.js';

/** Sessions at once, all networks together: each takes about 10 kB. */
const MAX_SESSIONS = 16_384;
/** How long a node that was revoked may take to hear it. Its peers cut it off at once; this session carries nothing. */
const PARTING: Duration = milliseconds(500);
/** Requests that wait until a network has settled after a start. */
const MAX_SETTLING = 1_024;
/** When to look for heads that are to be signed anew, and for invitations that nobody can use any more. */
const HEAD_CHECK: Duration = minutes(10);

/**
 * A Network Management Node as one pure machine: sessions with members, joiners and operators; membership, state
 * synchronisation, rendezvous, relay and STUN over one socket per address family. Nothing that depends on a change of
 * the memory leaves before the rim says that the change is durable.
 */
export class NmnMachine implements Machine<NmnMachineEvent> {
  readonly networks: Networks;
  readonly relay: RelayService;
  readonly rendezvous: RendezvousService<SessionHandle>;
  readonly stun: StunResponder = new StunResponder();
  readonly drops: DropCounters = new DropCounters();
  readonly #options: NmnMachineOptions;
  readonly #endpoint: Endpoint<NmnPeer>;
  readonly #introducer: Introducer;
  readonly #limiter: SourceLimiter;
  readonly #spreader: StateSpreader;
  readonly #commits = new CommitQueue();
  readonly #guests = new Map<SessionHandle, Guest>();
  readonly #settling: { readonly session: SessionHandle; readonly request: ManagementMessage }[] = [];
  readonly #reloading = new Set<string>();
  readonly #parting = new Set<SessionHandle>();
  readonly #events: NmnMachineEvent[] = [];
  readonly #buffer = new Uint8Array(MAX_UNPROVED_DATAGRAM);
  readonly #plain: PlainTraffic;
  #settleAt: Instant | undefined;
  #headsAt: Instant;

  constructor(options: NmnMachineOptions) {
    const { provider, random, config, now } = options;
    this.#options = options;
    const { membership } = config;
    const surroundings = { provider, random, config: membership };
    this.networks = new Networks(
      surroundings,
      options.staticKey.publicKey,
      options.networks,
      options.operatorTokens,
    );
    this.relay = new RelayService(provider, random, config.relay);
    this.#plain = new PlainTraffic(this.relay, this.stun, this.drops);
    this.rendezvous = new RendezvousService(
      this.relay,
      {
        isMember: (key, nodeId) => this.networks.get(key)?.ledger.state.member(nodeId) !== undefined,
        mayMeet: () => true,
      },
      config.rendezvous,
    );
    this.#limiter = new SourceLimiter(membership.joinsPerSource, membership.joins, now);
    this.#endpoint = new Endpoint<NmnPeer>({
      provider,
      random,
      drops: this.drops,
      staticKey: options.staticKey,
      resetSecret: options.resetSecret,
      trace: options.trace && { sink: options.trace, peerName },
      policy: new AdmissionPolicy({
        provider,
        random,
        networks: this.networks,
        limiter: this.#limiter,
        moment: at => ({ bootCounter: options.starts, uptime: Math.max(0, Math.floor(elapsed(now, at))) }),
        wall: options.wall,
        unproven: (at, stranger) => this.#unproven(at, stranger),
      }),
      maxSessions: MAX_SESSIONS,
    });
    const send: SendMessage = (...message): void => this.#send(...message);
    this.#spreader = new StateSpreader(send);
    this.#introducer = new Introducer(this.rendezvous, this.relay, this.#endpoint, this.drops, send);
    this.#headsAt = after(now, HEAD_CHECK);
    if (options.networks.length > 0) this.#settleAt = after(now, membership.settleTime);
  }

  /** Open sessions. */
  get sessionCount(): number {
    return this.#endpoint.sessionCount;
  }

  /** Handshakes and sessions that take memory now, and their paths. */
  get tables(): { readonly sessions: number; readonly paths: number; readonly guests: number } {
    const { size, paths } = this.#endpoint;
    return { sessions: size, paths: paths.size, guests: this.#guests.size };
  }

  /** Commits that wait for the disk. */
  get pendingCommits(): number {
    return this.#commits.size;
  }

  /** Networks whose memory is to be read from disk again, because a write failed. */
  get reloading(): number {
    return this.#reloading.size;
  }

  /** Whether requests wait until it is sure which numbers were signed before the start. */
  get settling(): boolean {
    return this.#settleAt !== undefined;
  }

  /** A one-time token for whoever is to create a network; `done` gets it when it is durable, or `undefined`. */
  createOperatorToken(done: (token: Uint8Array | undefined) => void): void {
    const { token, changes } = this.networks.createToken(this.#options.wall());
    this.#commits.begin([], changes, (_now, kept) => done(kept ? token : undefined));
  }

  /** Sends a message of a further sub-system; false: the node is not there. */
  send(now: Instant, to: Caller, service: number, bytes: Uint8Array): boolean {
    const node = this.rendezvous.online(to.networkKey, to.nodeId);
    if (node) this.#send(now, node.session, service, bytes);
    return node !== undefined;
  }

  /** Says goodbye in all sessions. */
  close(now: Instant): void {
    for (const session of this.#guests.keys())
      this.#endpoint.open(session)?.close(now, CloseCode.done, 'the NMN is going away');
  }

  /** The changes of a commit are durable. */
  handleCommitted(now: Instant, id: number): void {
    for (const networkKey of this.#commits.settle(now, id, true)) this.#commits.resume(now, networkKey);
    this.#follow(now);
  }

  /** The changes of a commit were not kept; nothing of them was told to anybody. */
  handleCommitFailed(now: Instant, id: number): void {
    for (const networkKey of this.#commits.settle(now, id, false)) {
      if (this.#reloading.has(networkKey)) continue;
      this.#reloading.add(networkKey);
      this.#commits.hold(networkKey);
      this.#events.push({ kind: 'reload', networkKey });
    }
    this.#follow(now);
  }

  /** What is on disk of a network; `undefined`: it was never kept. */
  handleLoaded(now: Instant, networkKey: string, contents: NetworkContents | undefined): void {
    if (!this.#reloading.delete(networkKey)) return;
    this.#commits.release(networkKey);
    if (contents) {
      const { ledger } = this.networks.load(contents);
      this.#spreader.replace(now, ledger, this.#options.wall());
    } else this.networks.forget(networkKey);
    this.#commits.resume(now, networkKey);
    this.#follow(now);
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    if (!this.#plain.handleDatagram(now, link, remote, bytes))
      this.#endpoint.handleDatagram(now, link, remote, bytes);
    this.#follow(now);
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.#endpoint.handleSendError(now, link, remote, error);
    this.#follow(now);
  }

  handleLinks(_now: Instant, _links: readonly Link[]): void {
    // An NMN answers on whatever link it was asked on and begins nothing itself.
  }

  handleTimeout(now: Instant): void {
    this.#endpoint.handleTimeout(now);
    this.relay.handleTimeout(now);
    this.rendezvous.handleTimeout(now);
    if (this.#settleAt !== undefined && this.#settleAt <= now) this.#settle(now);
    for (const session of [...this.#parting])
      if (this.#guests.get(session)!.leavesAt! <= now) this.#expel(now, session);
    if (this.#headsAt <= now) this.#renewHeads(now);
    this.#follow(now);
  }

  pollTransmit(now: Instant): Transmit | undefined {
    const plain = this.#plain.pollTransmit();
    if (plain) return plain;
    do {
      const sent = this.#endpoint.pollTransmit(now, this.#buffer);
      if (sent) return { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
    } while (this.#follow(now));
    return undefined;
  }

  pollEvent(): NmnMachineEvent | undefined {
    const commit = this.#commits.poll();
    return commit ? { kind: 'commit', ...commit } : this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    // The first to part is the first whose time is over: all are given the same.
    const [first] = this.#parting;
    const parts = first === undefined ? undefined : this.#guests.get(first)?.leavesAt;
    return [
      this.relay.pollTimeout(),
      this.rendezvous.pollTimeout(),
      this.#settleAt,
      this.#headsAt,
      parts,
    ].reduce(earliest, this.#endpoint.pollTimeout());
  }

  /** Handles what has happened meanwhile; whether anything had. */
  #follow(now: Instant): boolean {
    let any = false;
    for (let event = this.#endpoint.pollEvent(); event; event = this.#endpoint.pollEvent()) {
      any = true;
      this.#take(now, event);
    }
    for (let notice = this.relay.pollNotice(now); notice; notice = this.relay.pollNotice(now)) {
      any = true;
      const { networkKey, nodeId } = notice;
      this.#introducer.shaped(now, notice);
      this.#events.push({ kind: 'event', event: { kind: 'relayShaped', networkKey, nodeId } });
    }
    for (let change = this.rendezvous.pollPresence(); change; change = this.rendezvous.pollPresence()) {
      any = true;
      this.#introducer.announce(now, change, this.#spreader.sessionsOf(change.networkKey));
    }
    return any;
  }

  #take(now: Instant, event: EndpointEvent<NmnPeer>): void {
    switch (event.kind) {
      case 'opened':
        if (event.replaced !== undefined) this.#closed(now, event.replaced);
        this.#opened(now, event);
        return;
      case 'closed':
        this.#closed(now, event.session);
        return;
      case 'session': {
        const guest = this.#guests.get(event.session);
        if (guest) this.#sessionEvent(now, event.session, guest, event.event);
        return;
      }
      case 'handshakeFailed':
      case 'carry':
    }
  }

  #opened(now: Instant, event: Extract<EndpointEvent<NmnPeer>, { kind: 'opened' }>): void {
    const { session, peer, path } = event;
    this.#guests.set(session, new Guest(peer, now));
    const { asker, said } = peer;
    if (asker.kind !== 'member') {
      this.#limiter.forgive(now, path.remote);
      return;
    }
    const { networkKey, nodeId } = asker;
    const ledger = this.networks.get(networkKey)?.ledger;
    if (!ledger) return;
    ledger.replays.confirm(nodeId, said);
    this.#keep(now, networkKey, this.networks.arrived(networkKey, nodeId), () => undefined);
    if (asker.limited) return;
    this.rendezvous.handleOnline(now, this.#options.wall(), {
      network: ledger.stored.network,
      networkKey,
      nodeId,
      session,
      link: path.link,
      address: path.remote,
      roundTrip: undefined,
    });
    this.#commits.whenSettled(now, networkKey, at => {
      const current = this.networks.get(networkKey)?.ledger;
      if (!current || !this.#guests.has(session)) return;
      this.#spreader.open(at, session, current, this.#options.wall());
    });
    this.#introducer.welcome(now, session, networkKey, nodeId);
    this.#tellAddress(now, session);
    this.#events.push({ kind: 'event', event: { kind: 'memberOnline', networkKey, nodeId } });
  }

  #closed(now: Instant, session: SessionHandle): void {
    const guest = this.#guests.get(session);
    if (!guest) return;
    this.#guests.delete(session);
    this.#parting.delete(session);
    this.#spreader.close(session);
    const { asker } = guest.peer;
    if (asker.kind !== 'member') return;
    const { networkKey, nodeId } = asker;
    this.rendezvous.handleOffline(now, this.#options.wall(), networkKey, nodeId, session);
    if (!this.rendezvous.online(networkKey, nodeId))
      this.#events.push({ kind: 'event', event: { kind: 'memberOffline', networkKey, nodeId } });
  }

  #sessionEvent(now: Instant, session: SessionHandle, guest: Guest, event: SessionEvent): void {
    switch (event.kind) {
      case 'message':
        this.#receive(now, session, guest, event.service, event.bytes);
        return;
      case 'datagram':
        if (event.service === SERVICES.rendezvous) this.#rendezvous(now, guest, event.bytes, 'datagram');
        return;
      case 'messageAcknowledged':
        guest.mail.acknowledged(event.sequence);
        if (guest.leavesAt !== undefined && guest.mail.empty) this.#expel(now, session);
        this.#endpoint.open(session); // The floor has risen: held messages may go.
        return;
      case 'peerPath':
      case 'pathValidated':
      case 'pathAlive':
        this.#tellAddress(now, session);
        return;
      case 'pathSuspect':
      case 'pathFailed':
      case 'control':
      case 'confirmed':
      case 'closed':
        return;
      default: // An NMN takes no streams: its sessions refuse them.
    }
  }

  #receive(now: Instant, session: SessionHandle, guest: Guest, service: number, bytes: Uint8Array): void {
    const { asker } = guest.peer;
    switch (service) {
      case SERVICES.management: {
        const decoded = decodeManagement(bytes);
        if (!decoded.ok) this.drops.count(decoded.reason);
        else if (guest.requests.take(now)) this.#gate(now, session, asker, decoded.value);
        else
          this.#reply(
            now,
            session,
            decoded.value,
            refuse('limitReached', 'too many requests; wait a second'),
          );
        return;
      }
      case SERVICES.networkState:
        if (asker.kind !== 'member' || asker.limited || guest.leavesAt !== undefined)
          this.drops.count('notPermitted');
        else {
          const { networkKey } = asker;
          const done = this.#commits.whenSettled(now, networkKey, at =>
            this.#synchronize(at, session, networkKey, bytes),
          );
          if (!done) this.drops.count('queueFull');
        }
        return;
      case SERVICES.rendezvous:
        this.#rendezvous(now, guest, bytes, 'message');
        return;
      default:
        if (asker.kind !== 'member' || asker.limited) this.drops.count('notPermitted');
        else {
          const caller = { networkKey: asker.networkKey, nodeId: asker.nodeId };
          this.#events.push({ kind: 'message', caller, service, bytes });
        }
    }
  }

  #rendezvous(now: Instant, guest: Guest, bytes: Uint8Array, came: Carrier): void {
    const { asker } = guest.peer;
    if (asker.kind === 'member' && !asker.limited) this.#introducer.receive(now, asker, bytes, came);
    else this.drops.count('notPermitted');
  }

  /** While the disk is busy with a network, its requests wait; while it fails, they are told so. */
  #gate(now: Instant, session: SessionHandle, asker: Asker, request: ManagementMessage): void {
    const networkKey = this.networks.networkOf(asker, request);
    if (networkKey === undefined) {
      this.#request(now, session, asker, request);
      return;
    }
    const taken =
      !this.#reloading.has(networkKey) &&
      this.#commits.whenSettled(now, networkKey, at => this.#request(at, session, asker, request));
    if (!taken) this.#reply(now, session, request, UNAVAILABLE);
  }

  #request(now: Instant, session: SessionHandle, asker: Asker, request: ManagementMessage): void {
    const answer = this.networks.handle(this.#options.wall(), asker, request);
    if (answer.kind === 'later') {
      if (this.#settling.length < MAX_SETTLING) this.#settling.push({ session, request });
      else this.#reply(now, session, request, UNAVAILABLE);
      return;
    }
    const { turn, networkKey, reply } = answer;
    if (reply.type === 'error') this.#events.push(refusalLog(asker, request, reply));
    this.#keep(now, networkKey, turn, (at, kept) => {
      this.#reply(at, session, request, kept ? reply : UNAVAILABLE);
      // Its own revocation would make it hang up before it has read the answer.
      if (kept && reply.type === 'left') this.#spreader.close(session);
      if (kept && networkKey !== undefined) this.#tell(at, networkKey, turn);
    });
  }

  #reply(
    now: Instant,
    session: SessionHandle,
    { requestId }: ManagementMessage,
    content: ManagementContent,
  ): void {
    this.#send(now, session, SERVICES.management, encodeManagement({ ...content, requestId }));
  }

  #unproven(now: Instant, stranger: Stranger): void {
    const networkKey = stranger.kind === 'joiner' ? stranger.networkKey : undefined;
    this.#events.push(wrongProofLog(stranger));
    const count = (at: Instant): void =>
      this.#keep(at, networkKey, this.networks.unproven(stranger), () => undefined);
    if (networkKey === undefined) count(now);
    else this.#commits.whenSettled(now, networkKey, count);
  }

  /** Makes a turn durable, then does `effect`; at once when it changes nothing. */
  #keep(now: Instant, networkKey: string | undefined, turn: Turn, effect: Effect): void {
    if (turn.empty) effect(now, true);
    else this.#commits.begin(networkKey === undefined ? [] : [networkKey], turn.changes, effect);
  }

  #synchronize(now: Instant, session: SessionHandle, networkKey: string, bytes: Uint8Array): void {
    const ledger = this.networks.get(networkKey)?.ledger;
    if (!ledger) return;
    const { turn, send, dropped } = this.#spreader.receive(now, session, ledger, bytes, this.#options.wall());
    if (dropped) {
      this.drops.count(dropped);
      return;
    }
    this.#keep(now, networkKey, turn, (at, kept) => {
      if (!kept) return;
      for (const message of send) this.#send(at, session, SERVICES.networkState, message);
      this.#tell(at, networkKey, turn);
    });
    // A member's head tells what was signed before this start.
    this.#settleOne(now, ledger);
  }

  /** Tells the members of a network what a durable turn has changed. */
  #tell(now: Instant, networkKey: string, turn: Turn): void {
    const ledger = this.networks.get(networkKey)?.ledger;
    if (!ledger) return;
    const parting: SessionHandle[] = [];
    for (const event of newsOf(networkKey, turn)) {
      this.#events.push({ kind: 'event', event });
      if (event.kind !== 'memberRevoked') continue;
      const session = this.rendezvous.online(networkKey, event.nodeId)?.session;
      if (session !== undefined) parting.push(session);
      this.rendezvous.handleRevoked(networkKey, event.nodeId);
    }
    this.#spreader.announce(now, ledger, turn.records, turn.events.length > 0);
    for (const session of parting) this.#part(now, session);
  }

  /** A node that is no member any more hears so, with the record that says it, and then its session ends. */
  #part(now: Instant, session: SessionHandle): void {
    const guest = this.#guests.get(session);
    if (!guest) return;
    guest.leavesAt = after(now, PARTING);
    this.#parting.add(session);
    this.#spreader.close(session);
    if (guest.mail.empty) this.#expel(now, session);
  }

  #expel(now: Instant, session: SessionHandle): void {
    this.#endpoint.open(session)?.close(now, CloseCode.revoked, 'your membership was revoked');
    this.#closed(now, session);
  }

  /** The wait after the start is over for all networks. */
  #settle(now: Instant): void {
    this.#settleAt = undefined;
    for (const { ledger } of this.networks.all()) this.#settleOne(now, ledger);
  }

  #settleOne(now: Instant, ledger: NetworkLedger): void {
    if (ledger.versions.state === 'ready') return;
    ledger.versions.settle(this.#options.wall());
    this.#renewHead(now, ledger);
    for (const entry of this.#settling.splice(0)) {
      const asker = this.#guests.get(entry.session)?.peer.asker;
      if (!asker || asker.kind === 'operator') continue;
      if (asker.networkKey === ledger.key) this.#gate(now, entry.session, asker, entry.request);
      else this.#settling.push(entry);
    }
  }

  #renewHeads(now: Instant): void {
    this.#headsAt = after(now, HEAD_CHECK);
    const wall = this.#options.wall();
    for (const { ledger } of this.networks.all()) {
      const due = ledger.headDueAt();
      if (ledger.versions.state === 'ready' && (due === undefined || due <= wall))
        this.#renewHead(now, ledger);
      this.#keep(now, ledger.key, ledger.forgetExpired(wall), () => undefined);
    }
  }

  #renewHead(now: Instant, ledger: NetworkLedger): void {
    this.#commits.whenSettled(now, ledger.key, when => {
      const turn = this.#spreader.freshHead(ledger, this.#options.wall());
      this.#keep(when, ledger.key, turn, (at, kept) => {
        if (kept) this.#tell(at, ledger.key, turn);
      });
    });
  }

  /** Follows a session that moved, and tells its node where it is seen. */
  #tellAddress(now: Instant, session: SessionHandle): void {
    const guest = this.#guests.get(session);
    const open = this.#endpoint.open(session);
    if (!guest || !open || guest.peer.asker.kind !== 'member') return;
    const path = this.#endpoint.paths.get(open.activePath);
    if (!path) return;
    const { networkKey, nodeId } = guest.peer.asker;
    const rtt = open.pathStatistics(open.activePath)?.rtt;
    if (rtt !== undefined) this.rendezvous.handleRoundTrip(networkKey, nodeId, rtt);
    if (guest.told === path.remote.key) return;
    guest.told = path.remote.key;
    this.rendezvous.handleAddress(networkKey, nodeId, session, path.link, path.remote);
    this.#introducer.observed(now, session, path.remote);
  }

  #send(...[now, session, service, bytes, options]: Parameters<SendMessage>): void {
    const open: Session | undefined = this.#endpoint.open(session);
    const guest = this.#guests.get(session);
    if (!open || !guest) return;
    if (guest.mail.send(now, open, service, bytes, options)) return;
    // It takes nothing in: better a new session that begins with everything than one with a hole in it.
    this.drops.count('queueFull');
    open.close(now, CloseCode.done, 'too much waits for you');
  }
}
