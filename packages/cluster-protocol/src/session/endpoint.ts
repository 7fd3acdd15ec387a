import {
  after,
  assert,
  DeadlineQueue,
  type DropReason,
  type Instant,
  instant,
  seconds,
  toHex,
} from '../base/index.js';
import {
  CloseCode,
  firstByte,
  MAX_DATAGRAM,
  MAX_RECEIVED_DATAGRAM,
  MAX_UNPROVED_DATAGRAM,
  packetKind,
  readUint32,
  RELAY_HEADER,
  type SocketAddress,
  WIRE_VERSION,
  writeUint32,
  DATA_OVERHEAD,
} from '../wire/index.js';
import { Dialer } from './dialer.js';
import type {
  ConnectOptions,
  EndpointEvent,
  EndpointOptions,
  HandshakeId,
  SessionHandle,
} from './endpoint-types.js';
import {
  freshIndex,
  RESET_LENGTH,
  resetPacket,
  RESET_TOKEN_LENGTH,
  RESPONSE_OVERHEAD,
} from './handshake-packets.js';
import { EndpointPaths, NO_PATH, type Path } from './endpoint-paths.js';
import { EndpointTrace } from './endpoint-trace.js';
import { KeyRatchet, REKEY_EXPORT } from './key-ratchet.js';
import { ResetLimiter } from './reset-limiter.js';
import { Responder } from './responder.js';
import { type SendErrorCode, Session } from './session.js';
import { type LiveSession, type NewSession, SessionTable } from './session-table.js';
import type { ClosedBy, PathId, SessionEvent } from './session-event.js';
import { MessageMemory } from './message-memory.js';
import { SizeFailures } from './size-failure.js';
import { StreamMemory } from './stream-memory.js';

/** How long a responder waits for the initiator's proof: as long as the initiator's own patience. */
const PENDING_LIFETIME = seconds(10);
/** Sessions that were closed here a moment ago and may have to say so again; a lost close beyond that costs a reset. */
const MAX_CLOSING = 1_024;
/** Replies to strangers that wait to be sent; above that they are dropped, and may be asked for again. */
const MAX_REPLIES = 512;

interface Outbound {
  readonly path: Path;
  readonly bytes: Uint8Array;
}

/**
 * All sessions and handshakes of one static key, as a pure machine: datagrams and time in; datagrams, events and the
 * next deadline out. Who may have a session is the policy's to say; what travels in one is none of its business.
 *
 * After any call drain `pollTransmit`, then `pollEvent`; both may be called at any time.
 */
export class Endpoint<Peer> {
  readonly #options: EndpointOptions<Peer>;
  readonly #trace: EndpointTrace<Peer> | undefined;
  readonly #resets = new ResetLimiter();
  readonly #streamMemory = new StreamMemory();
  readonly #messageMemory = new MessageMemory();
  readonly #sizeFailures: SizeFailures;
  readonly paths: EndpointPaths = new EndpointPaths();
  readonly #sessions = new SessionTable<Peer>(this.paths);
  readonly #dialer: Dialer<Peer>;
  readonly #responder: Responder<Peer>;
  /** Sessions by their handle, outgoing handshakes by −id, expiry of pending ones by handle + 2^32. */
  readonly #deadlines = new DeadlineQueue<number>();
  readonly #ready = new Set<SessionHandle>();
  readonly #replies: Outbound[] = [];
  readonly #events: EndpointEvent<Peer>[] = [];
  readonly #transmit: { path: Path; bytes: Uint8Array };
  #lastNow: Instant = instant(0);

  constructor(options: EndpointOptions<Peer>) {
    this.#options = options;
    this.#trace = options.trace && new EndpointTrace(options.trace, this.paths);
    this.#sizeFailures = options.sizeFailures ?? new SizeFailures();
    this.#transmit = { path: NO_PATH, bytes: new Uint8Array(0) };
    this.#dialer = new Dialer(options, {
      paths: this.paths,
      freshIndex: () => this.#freshIndex(),
      resetToken: index => this.#resetToken(index),
      send: (id, bytes) => {
        const path = this.paths.get(id);
        if (path) this.#reply(path, bytes);
      },
      emit: event => this.#events.push(event),
      schedule: (id, due) => {
        this.#deadlines.set(-id, due);
      },
    });
    this.#responder = new Responder(options, {
      sessions: this.#sessions,
      crossing: remoteStatic => this.#dialer.to(remoteStatic)?.startedAt,
      freshIndex: () => this.#freshIndex(),
      resetToken: index => this.#resetToken(index),
      reply: (path, bytes) => {
        this.#reply(path, bytes);
      },
      pend: (now, made) => {
        this.#pend(now, made);
      },
    });
  }

  /** Handshakes and sessions of all kinds that take memory now. */
  get size(): number {
    return this.#sessions.size + this.#dialer.size;
  }

  /** Bytes held for streams of all sessions. */
  get streamBytes(): number {
    return this.#streamMemory.held;
  }

  /** Open sessions. */
  get sessionCount(): number {
    return this.#sessions.openCount;
  }

  /** The open session with the holder of this static key. */
  sessionWith(remoteStatic: Uint8Array): SessionHandle | undefined {
    return this.#sessions.openWith(toHex(remoteStatic));
  }

  /** The session behind a handle, for its verbs; what it wants to send goes out with the next drain. */
  open(handle: SessionHandle): Session | undefined {
    const live = this.#sessions.getOpen(handle);
    if (!live?.session.isOpen) return undefined;
    this.#ready.add(handle);
    return live.session;
  }

  /** Tells a session about a path, so that it may probe and use it. */
  addPath(
    now: Instant,
    handle: SessionHandle,
    link: number,
    remote: SocketAddress,
    channel?: number,
  ): PathId | undefined {
    const live = this.#sessions.getOpen(handle);
    if (!live) return undefined;
    const path = this.paths.intern(link, remote, channel);
    this.#sessions.hold(live, path.id);
    live.session.addPath(now, path.id);
    this.#ready.add(handle);
    return path.id;
  }

  /** What paths may carry has changed: the interfaces are others. */
  refreshLimits(): void {
    for (const [, live] of this.#sessions.entries()) live.session.refreshLimits();
  }

  /** Begins a handshake. The result is an `opened` or a `handshakeFailed` event with the returned id. */
  connect(now: Instant, options: ConnectOptions<Peer>): HandshakeId {
    return this.#dialer.connect(now, options);
  }

  /** A new way to the peer of a running handshake; message 1 goes out on it at once. */
  addHandshakePath(now: Instant, id: HandshakeId, path: PathId): void {
    this.#dialer.addPath(now, id, path);
  }

  /** Gives a handshake up, without an event. */
  abandon(id: HandshakeId): void {
    this.#dialer.abandon(id);
  }

  handleDatagram(now: Instant, link: number, remote: SocketAddress, bytes: Uint8Array): void {
    this.#lastNow = now;
    const reason = this.#receive(now, link, remote, bytes);
    this.#trace?.received(link, remote, bytes, reason);
    if (reason !== undefined) this.#options.drops.count(reason);
  }

  /** A packet that a peer of ours brought in its session, as an introduction does; answers go out on `path`. */
  handleCarried(now: Instant, path: Path, packet: Uint8Array): void {
    this.#lastNow = now;
    const reason = this.#receivePacket(now, path, packet, true);
    this.#trace?.received(path.link, path.remote, packet, reason);
    this.paths.sweep(path.id);
    if (reason !== undefined) this.#options.drops.count(reason);
  }

  handleSendError(now: Instant, link: number, remote: SocketAddress, error: SendErrorCode): void {
    const path = this.paths.find(link, remote, undefined);
    if (!path) return;
    for (const [handle, live] of this.#sessions.entries()) {
      if (!live.paths.has(path.id)) continue;
      live.session.handleSendError(now, path.id, error);
      this.#settle(handle, live);
    }
  }

  handleTimeout(now: Instant): void {
    this.#lastNow = now;
    for (let key = this.#deadlines.takeDue(now); key !== undefined; key = this.#deadlines.takeDue(now)) {
      if (key < 0) this.#dialer.handleTimeout(now, -key);
      else if (key >= EXPIRY) this.#forgetPending(key - EXPIRY);
      else {
        const live = this.#sessions.get(key);
        if (!live) continue;
        live.session.handleTimeout(now);
        this.#ready.add(key); // Its next deadline is known once it has sent what it has to send.
      }
    }
  }

  /** Fills `into` (at least 1500 bytes) with the next datagram; the result is valid until the next call. */
  pollTransmit(
    now: Instant,
    into: Uint8Array,
  ): { readonly path: Path; readonly bytes: Uint8Array } | undefined {
    const reply = this.#replies.shift();
    if (reply) return this.#emit(into, reply.path, reply.bytes.length, reply.bytes);
    for (const handle of this.#ready) {
      const live = this.#sessions.get(handle);
      const sent = live?.session.pollTransmit(now, into.subarray(RELAY_HEADER));
      if (live && sent) {
        const path = this.paths.get(sent.path);
        assert(path !== undefined, 'a session sends on paths that it holds');
        return this.#emit(into, path, sent.length, undefined);
      }
      this.#ready.delete(handle);
      if (live) this.#settle(handle, live);
    }
    return undefined;
  }

  /** Whether `pollEvent` has something. */
  get hasEvents(): boolean {
    return this.#events.length > 0;
  }

  pollEvent(): EndpointEvent<Peer> | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.#replies.length > 0 ? this.#lastNow : this.#deadlines.earliest;
  }

  #emit(
    into: Uint8Array,
    path: Path,
    length: number,
    bytes: Uint8Array | undefined,
  ): { path: Path; bytes: Uint8Array } {
    if (bytes) {
      this.#trace?.sent(path, bytes);
      into.set(bytes, RELAY_HEADER);
    }
    this.#transmit.path = path;
    if (path.channel === undefined) {
      this.#transmit.bytes = into.subarray(RELAY_HEADER, RELAY_HEADER + length);
    } else {
      into[0] = firstByte('relay', 0);
      writeUint32(into, 1, path.channel);
      this.#transmit.bytes = into.subarray(0, RELAY_HEADER + length);
    }
    return this.#transmit;
  }

  #receive(now: Instant, link: number, remote: SocketAddress, bytes: Uint8Array): DropReason | undefined {
    const first = bytes[0];
    if (first === undefined) return 'empty';
    if (bytes.length > MAX_RECEIVED_DATAGRAM) return 'tooLong';
    if (packetKind(first) === 'relay') {
      if (bytes.length <= RELAY_HEADER) return 'malformed';
      const path = this.paths.find(link, remote, readUint32(bytes, 1));
      return path ? this.#receivePacket(now, path, bytes.subarray(RELAY_HEADER)) : 'unknownChannel';
    }
    const path = this.paths.intern(link, remote, undefined);
    const reason = this.#receivePacket(now, path, bytes);
    this.paths.sweep(path.id);
    return reason;
  }

  #receivePacket(now: Instant, path: Path, packet: Uint8Array, vouched = false): DropReason | undefined {
    const kind = packetKind(packet[0] ?? 0);
    switch (kind) {
      case 'data':
        return this.#receiveData(now, path, packet);
      case 'initiation':
        return this.#responder.receive(now, path, packet, vouched);
      case 'response':
        return this.#receiveResponse(now, path, packet);
      case 'retry':
        return this.#dialer.receiveRetry(now, packet);
      case 'cookie':
        return this.#dialer.receiveCookie(now, path.id, packet);
      case 'refusal':
        return this.#dialer.receiveRefusal(packet);
      case 'versionRefusal':
        return this.#dialer.receiveVersionRefusal(packet);
      case 'reset':
        return this.#receiveReset(now, packet);
      default:
        return 'unknownKind';
    }
  }

  #receiveData(now: Instant, path: Path, packet: Uint8Array): DropReason | undefined {
    if (packet.length <= DATA_OVERHEAD) return 'malformed';
    const handle = readUint32(packet, 1);
    const live = this.#sessions.get(handle);
    if (!live) {
      this.#offerReset(now, path, handle);
      return 'unknownIndex';
    }
    if (live.state === 'closing') {
      live.session.handlePacket(now, path.id, packet); // Says again that it is over, if it is the peer's.
      this.#ready.add(handle);
      return undefined;
    }
    // Its message 1 was answered on several paths: the one it took is the one it proves. The session counts its drops.
    if (live.state === 'pending' && live.paths.has(path.id)) live.session.rehome(now, path.id);
    if (live.session.handlePacket(now, path.id, packet) !== undefined) return undefined;
    this.#sessions.hold(live, path.id);
    if (live.state === 'pending' && !live.session.isOpen) {
      this.#retire(now, handle, live); // Its first packet ends it: nothing has begun, and nothing is to be replaced.
      return undefined;
    }
    const open = live.state === 'pending' ? this.#confirm(now, handle, live, path) : live;
    this.#ready.add(handle);
    this.#settle(handle, open);
    return undefined;
  }

  /** The responder's half: it may do nothing before the initiator's first packet has come. */
  #pend(now: Instant, made: NewSession<Peer>): void {
    const pending = this.#make(now, made);
    const before = this.#sessions.pendingWith(pending.remoteKey);
    if (before) this.#forgetPending(before.handle); // Not before: their path may be held by nobody else.
    this.#sessions.addPending(pending);
    this.#deadlines.set(pending.handle + EXPIRY, after(now, PENDING_LIFETIME));
  }

  #receiveResponse(now: Instant, path: Path, packet: Uint8Array): DropReason | undefined {
    if (packet.length < RESPONSE_OVERHEAD || packet[1] !== WIRE_VERSION) return 'malformed';
    const handshake = this.#dialer.withIndex(readUint32(packet, 8));
    if (!handshake) return 'unknownIndex';
    const opened = handshake.openResponse(packet);
    if (!opened) return 'handshakeFailed';
    const { remoteStatic, peer } = handshake.options;
    const judged = this.#options.policy.judgeResponse(now, opened.payload, remoteStatic, peer);
    if (judged.verdict === 'drop') {
      opened.noise.destroy();
      return judged.reason;
    }
    const handle = handshake.localIndex;
    const keys = opened.noise.transportKeys();
    const rekeySecret = opened.noise.exportKey(REKEY_EXPORT);
    opened.noise.destroy();
    const live = this.#make(now, {
      state: 'open',
      role: 'initiator',
      keys,
      rekeySecret,
      localIndex: handle,
      remoteIndex: opened.remoteIndex,
      remoteStatic,
      remoteToken: opened.resetToken.slice(),
      peer: judged.peer,
      path,
      answer: undefined,
      handshakeRtt: handshake.roundTrip(now),
    });
    this.#announce(now, handle, live, path, handshake.id);
    this.#dialer.forget(handshake);
    live.session.ping(now); // The responder may do nothing before it heard from us under the new keys.
    this.#ready.add(handle);
    this.#settle(handle, live);
    return undefined;
  }

  #receiveReset(now: Instant, packet: Uint8Array): DropReason | undefined {
    if (packet.length !== RESET_LENGTH) return 'malformed';
    const handle = this.#sessions.withRemoteIndex(readUint32(packet, 1));
    const live = this.#sessions.getOpen(handle);
    if (handle === undefined || !live) return 'unknownIndex';
    if (!this.#options.provider.equal(packet.subarray(5), live.remoteToken)) return 'badTag';
    live.session.handleReset(now);
    this.#settle(handle, live);
    return undefined;
  }

  #offerReset(now: Instant, path: Path, index: number): void {
    if (!this.#resets.allows(now, path)) return;
    this.#reply(path, resetPacket(index, this.#resetToken(index)));
  }

  #make(now: Instant, made: NewSession<Peer>): LiveSession<Peer> {
    const { keys, rekeySecret, localIndex, path, handshakeRtt, ...rest } = made;
    const { provider, random, staticKey } = this.#options;
    const { remoteStatic, remoteIndex } = made;
    const session = new Session({
      role: made.role,
      sendKey: keys.sendKey,
      receiveKey: keys.receiveKey,
      localIndex,
      remoteIndex,
      rekeyNoise: new KeyRatchet({
        provider,
        random,
        staticKey,
        remoteStatic,
        localIndex,
        remoteIndex,
        secret: rekeySecret,
      }),
      path: path.id,
      trace: this.#trace?.session(made, made.peer, path.id),
      pathValidated: made.state === 'open',
      now,
      random,
      drops: this.#options.drops,
      streamMemory: this.#streamMemory,
      pathLimit: id => this.#limitOf(id),
      sizeFailure: id => this.#sizeFailures.of(this.paths.get(id)),
      messageMemory: this.#messageMemory,
      wake: () => {
        this.#ready.add(localIndex);
      },
      ...(handshakeRtt !== undefined && { handshakeRtt }),
      ...(this.#options.session && { config: this.#options.session(made.peer) }),
    });
    const live: LiveSession<Peer> = {
      ...rest,
      handle: localIndex,
      session,
      remoteKey: toHex(made.remoteStatic),
      paths: new Set(),
    };
    this.#sessions.hold(live, path.id);
    return live;
  }

  // The initiator has shown that it holds the keys: only now may its session replace an older one.
  #confirm(now: Instant, handle: SessionHandle, pending: LiveSession<Peer>, path: Path): LiveSession<Peer> {
    const live: LiveSession<Peer> = { ...pending, state: 'open', answer: undefined };
    this.#deadlines.set(handle + EXPIRY, undefined);
    this.#announce(now, handle, live, path, undefined);
    return live;
  }

  #announce(
    now: Instant,
    handle: SessionHandle,
    live: LiveSession<Peer>,
    path: Path,
    handshake: HandshakeId | undefined,
  ): void {
    const replaced = this.#sessions.openWith(live.remoteKey);
    const old = this.#sessions.getOpen(replaced);
    if (replaced !== undefined && old) {
      // An initiator has let go of it by itself. Whoever else still has it uses a copy of the same keys, and hears why.
      if (live.role === 'responder') old.session.close(now, CloseCode.replaced, REPLACED);
      this.#drain(replaced, old);
      if (live.role === 'responder') this.#linger(now, replaced, old);
      else this.#retire(now, replaced, old);
      this.#events.push({
        kind: 'closed',
        session: replaced,
        peer: old.peer,
        by: 'replaced',
        code: CloseCode.replaced,
        reason: REPLACED,
      });
    }
    const { policy } = this.#options;
    this.#sessions.addOpen({ ...live, peer: policy.retained?.(live.peer) ?? live.peer });
    const crossing = this.#dialer.to(live.remoteStatic);
    if (crossing && crossing.id !== handshake) this.#dialer.forget(crossing);
    this.#events.push({
      kind: 'opened',
      session: handle,
      peer: live.peer,
      role: live.role,
      path: this.paths.get(live.session.activePath) ?? path,
      remoteStatic: live.remoteStatic,
      replaced,
      handshake,
    });
  }

  /** Takes what a session has to tell, and its next deadline. */
  #settle(handle: SessionHandle, live: LiveSession<Peer>): void {
    const closed = this.#drain(handle, live);
    if (closed) {
      this.#linger(this.#lastNow, handle, live);
      const { by, code, reason } = closed;
      this.#events.push({ kind: 'closed', session: handle, peer: live.peer, by, code, reason });
      return;
    }
    if (live.session.finished) {
      this.#retire(this.#lastNow, handle, live);
      return;
    }
    this.#deadlines.set(handle, live.session.pollTimeout());
  }

  #drain(
    handle: SessionHandle,
    live: LiveSession<Peer>,
  ): { readonly by: ClosedBy; readonly code: number; readonly reason: string } | undefined {
    let closed: Extract<SessionEvent, { kind: 'closed' }> | undefined;
    for (let event = live.session.pollEvent(); event; event = live.session.pollEvent()) {
      if (event.kind === 'closed') closed = event;
      else if (event.kind !== 'confirmed' && live.state === 'open')
        this.#events.push({ kind: 'session', session: handle, peer: live.peer, event });
    }
    return closed;
  }

  /** A session that was closed here may have to say so again; any other end is the end. */
  #linger(now: Instant, handle: SessionHandle, live: LiveSession<Peer>): void {
    if (live.session.finished || live.state !== 'open' || this.#sessions.closingCount >= MAX_CLOSING) {
      this.#retire(now, handle, live);
      return;
    }
    this.#sessions.addClosing(live);
    this.#ready.add(handle);
    this.#deadlines.set(handle, live.session.pollTimeout());
  }

  #retire(now: Instant, handle: SessionHandle, live: LiveSession<Peer>): void {
    this.#flush(now, handle, live);
    live.session.destroy();
    this.#sessions.remove(handle);
    this.#ready.delete(handle);
    this.#deadlines.set(handle, undefined);
    this.#deadlines.set(handle + EXPIRY, undefined);
  }

  // A close frame that the session still holds must leave before its paths are let go.
  #flush(now: Instant, handle: SessionHandle, live: LiveSession<Peer>): void {
    if (!this.#ready.has(handle)) return;
    const packet = new Uint8Array(MAX_DATAGRAM);
    const sent = live.session.pollTransmit(now, packet);
    const path = sent && this.paths.get(sent.path);
    if (sent && path) this.#reply(path, packet.slice(0, sent.length));
  }

  #forgetPending(handle: SessionHandle): void {
    const live = this.#sessions.get(handle);
    if (live?.state !== 'pending') return;
    this.#retire(this.#lastNow, handle, live);
    this.#options.policy.unproven?.(this.#lastNow, live.peer);
  }

  #reply(path: Path, bytes: Uint8Array): void {
    if (this.#replies.length >= MAX_REPLIES) this.#options.drops.count('queueFull');
    else this.#replies.push({ path, bytes });
  }

  #limitOf(id: PathId): number {
    const path = this.paths.get(id);
    // What the relay's system cuts into pieces arrives all the same: a probe over a relay proves nothing.
    if (path?.channel !== undefined) return MAX_DATAGRAM;
    return path && this.#options.pathLimit ? this.#options.pathLimit(path) : MAX_UNPROVED_DATAGRAM;
  }

  #resetToken(index: number): Uint8Array {
    const name = new Uint8Array(4);
    writeUint32(name, 0, index);
    return this.#options.provider.blake2b(RESET_TOKEN_LENGTH, name, this.#options.resetSecret);
  }

  #freshIndex(): number {
    return freshIndex(
      this.#options.random,
      index => this.#sessions.get(index) !== undefined || this.#dialer.uses(index),
    );
  }
}

const REPLACED = 'a newer session of the same peer took over';

/** Keys of the deadline queue from here on are expiries of pending sessions. */
const EXPIRY = 2 ** 32;
