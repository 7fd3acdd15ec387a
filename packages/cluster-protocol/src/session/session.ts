import {
  ClusterError,
  after,
  seconds,
  type DropCounters,
  type DropReason,
  type Duration,
  type Instant,
} from '../base/index.js';
import { CloseCode, DATA_OVERHEAD, MAX_PACKET, MAX_PACKET_NUMBER } from '../wire/index.js';
import { AckFrequency } from './ack-frequency.js';
import { AckTracker } from './ack-tracker.js';
import { ControlQueue } from './control-queue.js';
import { DatagramQueue } from './datagram-queue.js';
import { EventQueue } from './event-queue.js';
import { FrameCounts } from './frame-counts.js';
import { MessageControl } from './message-control.js';
import { MessageMemory } from './message-memory.js';
import { MessageQueue } from './message-queue.js';
import type { OutboundMessage } from './outgoing-message.js';
import { PacketInspector } from './packet-inspector.js';
import { PacketIntake } from './packet-intake.js';
import { PacketOpener } from './packet-opener.js';
import { PacketSchedule } from './packet-schedule.js';
import { awaitsPeer, type PacketSources } from './packet-sources.js';
import { MIN_WORTHWHILE, PacketWriter } from './packet-writer.js';
import { PathSteering } from './path-steering.js';
import { closing, type SessionState } from './session-state.js';
import { Rekey } from './rekey.js';
import { SessionStreams } from './session-streams.js';
import { StreamMemory } from './stream-memory.js';
import { Reassembler } from './reassembler.js';
import type { ClosedBy, PathId, SessionEvent, SessionTransmit } from './session-event.js';
import { checkedConfig, type SessionConfig, type SessionOptions } from './session-options.js';
import {
  sessionStatistics,
  statisticsOf,
  type PathStatistics,
  type SessionStatistics,
} from './session-statistics.js';
import { TimerTable, type TimerReason } from './timer-table.js';

/** The peer is asked for a sign of life this often while nothing but its grant is missing: thrice before the session ends. */
const GRANT_PING = seconds(10);

/** Why the operating system did not send a packet, or that it sent one of more than 1,200 bytes in pieces. */
export type SendErrorCode = 'messageTooLong' | 'fragmented' | 'unreachable' | 'refused' | 'other';

/**
 * One encrypted session between two nodes, from the end of its handshake to its close: packets, acks, recovery, paths,
 * messages. It knows neither sockets nor identities. `handle…` tells it what happened, plain verbs what the application
 * wants, `poll…` takes what comes of it: after every call, poll events until there is none, then packets until there is
 * none, then the next timeout.
 */
export class Session {
  readonly #config: SessionConfig;
  readonly #drops: DropCounters;
  readonly #opener: PacketOpener;
  readonly #inspector = new PacketInspector();
  readonly #events: EventQueue;
  readonly #steering: PathSteering;
  readonly #acks: AckTracker;
  readonly #ackFrequency: AckFrequency;
  readonly #messageControl = new MessageControl({
    repeatArrived: message => {
      this.#reassembler.repeatArrived(message);
    },
    abandonArrived: message => {
      this.#messages.abandonArrived(message);
    },
  });
  readonly #reassembler: Reassembler;
  readonly #intake: PacketIntake;
  readonly #control = new ControlQueue();
  readonly #datagrams: DatagramQueue;
  readonly #messages: MessageQueue;
  readonly #options: Pick<SessionOptions, 'role' | 'streamMemory'>;
  readonly #sources: PacketSources;
  readonly #writer: PacketWriter;
  readonly #schedule: PacketSchedule;
  readonly #timers = new TimerTable();
  readonly #sentFrames = new FrameCounts();
  readonly #receivedFrames = new FrameCounts();
  readonly #receipts = { packets: 0, bytes: 0, sendErrors: 0 };
  #state: SessionState = { kind: 'open' };
  #confirmed = false;

  constructor(options: SessionOptions) {
    this.#config = checkedConfig(options.config);
    this.#drops = options.drops;
    this.#events = new EventQueue(options.trace);
    this.#opener = new PacketOpener(options.receiveKey, options.localIndex);
    this.#steering = new PathSteering(options, this.#config, this.#events);
    this.#acks = new AckTracker(this.#config.ackDelay);
    this.#ackFrequency = new AckFrequency(this.#config.ackDelay);
    this.#datagrams = new DatagramQueue(MAX_PACKET - DATA_OVERHEAD);
    this.#messages = new MessageQueue(MAX_PACKET - DATA_OVERHEAD, this.#messageControl, sequence =>
      this.#events.push({ kind: 'messageAcknowledged', sequence }),
    );
    this.#reassembler = new Reassembler(
      options.messageMemory ?? new MessageMemory(),
      this.#messageControl,
      options.wake ?? (() => undefined),
    );
    this.#intake = new PacketIntake({
      acks: this.#acks,
      steering: this.#steering,
      reassembler: this.#reassembler,
      messages: this.#messages,
      events: this.#events,
      drops: this.#drops,
      counts: this.#receivedFrames,
      session: {
        isOpen: () => this.#isOpen(),
        streams: () => this.streams,
        rekey: () => this.#sources.rekey,
        acknowledged: at => {
          this.#schedule.probes = 0;
          this.#schedule.waitingSince = at;
          this.#steering.acknowledged();
          this.#ackFrequency.update(this.#steering.active);
        },
        closed: (code, reason) => {
          this.#settle('peer', code, reason);
          this.#end();
        },
        violated: (at, reason) => {
          this.close(at, CloseCode.protocolViolation, reason);
        },
      },
    });
    this.#options = options;
    this.#sources = {
      acks: this.#acks,
      ackFrequency: this.#ackFrequency,
      control: this.#control,
      datagrams: this.#datagrams,
      messages: this.#messages,
      messageControl: this.#messageControl,
      streams: undefined,
      rekey: undefined,
    };
    this.#writer = new PacketWriter(
      options.sendKey,
      options.remoteIndex,
      options.random,
      this.#steering.recovery,
      this.#sources,
      this.#sentFrames,
      options.now,
    );
    this.#schedule = new PacketSchedule(this.#steering, this.#sources, this.#writer);
    const { now, rekeyNoise } = options;
    if (rekeyNoise)
      this.#sources.rekey = new Rekey(now, rekeyNoise, this.#opener, this.#writer, this, this.#config);
  }

  /** How long an ack on the active path may take. */
  probeTimeout(): Duration {
    return this.#steering.active.probeInterval(this.#config.ackDelay);
  }

  /** The path that everything new goes to. */
  get activePath(): PathId {
    return this.#steering.active.id;
  }

  /** Before the first packet: the path of the handshake on which it is about to be tried. */
  rehome(now: Instant, path: PathId): void {
    this.#steering.rehome(now, path);
  }

  /** Whether it takes messages: neither closed nor saying goodbye. */
  get isOpen(): boolean {
    return this.#isOpen();
  }

  /** Whether the session has ended and has nothing more to send: it may be forgotten. */
  get finished(): boolean {
    return this.#state.kind === 'closed';
  }

  /** Why the session wants to wake up next, for explanations. */
  get nextTimer(): TimerReason | undefined {
    this.#arm();
    return this.#timers.nextReason;
  }

  // What the world tells.

  /**
   * A datagram of kind `data` came on a path. It is decrypted in place and not kept. Gives why it was dropped, which the
   * session has counted already; `undefined` when it was taken.
   */
  handlePacket(now: Instant, path: PathId, packet: Uint8Array): DropReason | undefined {
    const reason = this.#receive(now, path, packet);
    if (reason === undefined) return undefined;
    this.#drops.count(reason);
    this.#events.trace?.dropped(path, packet, reason);
    return reason;
  }

  /** Time passed; calling early does nothing. */
  handleTimeout(now: Instant): void {
    this.#arm();
    const timers = this.#timers;
    if (timers.expired('draining', now)) this.#end();
    if (this.#state.kind !== 'open') return;
    if (timers.expired('idle', now)) {
      this.#settle('idle', CloseCode.idle, 'nothing was acknowledged for too long');
      this.#end();
      return;
    }
    if (timers.expired('rekey', now)) this.#sources.rekey?.handleTimeout(now);
    if (!this.#isOpen()) return;
    if (timers.expired('loss', now)) this.#steering.recovery.handleLossTimeout(now);
    if (timers.expired('probeTimeout', now)) this.#schedule.probes += this.#steering.probeTimeout(now);
    if (timers.expired('pathChallenge', now)) this.#steering.repeat(now);
    if (timers.expired('reassembly', now)) this.#reassembler.expire(now);
    if (timers.expired('keepAlive', now)) this.#schedule.pingWanted = true;
  }

  /** The operating system did not send a packet on a path. */
  handleSendError(now: Instant, path: PathId, code: SendErrorCode): void {
    this.#receipts.sendErrors++;
    const { active, paths } = this.#steering;
    if (code === 'messageTooLong') paths.get(path)?.tooLong(now);
    if (code === 'fragmented') paths.get(path)?.cut(now);
    // No route is a fact about our own host; the other codes may be single failures or somebody's forged ICMP.
    if (this.#state.kind === 'open' && code === 'unreachable' && path === active.id)
      this.#steering.failed(now, active);
  }

  /** The endpoint has seen the peer's reset token: the peer has no such session any more. */
  handleReset(_now: Instant): void {
    if (!this.#isOpen()) return;
    this.#settle('reset', CloseCode.reset, 'the peer lost its state');
    this.#end();
  }

  // What the application wants.

  /** Sends a message reliably; `messageAcknowledged` follows. Throws on misuse, when too many wait, and after the close. */
  sendMessage(now: Instant, message: OutboundMessage): void {
    this.#requireOpen('send a message');
    this.#messages.add(message);
    this.#schedule.waitingSince ??= now;
  }

  /**
   * Stops sending a message, and lets the peer forget what it has of it; `false` when it is acknowledged or unknown. The
   * peer may have got all of it nevertheless.
   */
  cancelMessage(sequence: number): boolean {
    return this.#messages.cancel(sequence);
  }

  /** Sends bytes once, in one packet; `false` when they do not fit, too many wait or the session is closed. */
  sendDatagram(now: Instant, service: number, bytes: Uint8Array): boolean {
    const room = this.#steering.active.packet - DATA_OVERHEAD;
    if (this.#state.kind !== 'open' || !this.#datagrams.add(service, bytes, room)) return false;
    this.#schedule.waitingSince ??= now;
    return true;
  }

  /** The streams of this session, for their verbs. They do nothing any more once it is closed: {@link Session.isOpen}. */
  get streams(): SessionStreams {
    return (this.#sources.streams ??= new SessionStreams({
      role: this.#options.role,
      memory: this.#options.streamMemory ?? new StreamMemory(),
      events: this.#events,
      accept: this.#config.acceptStreams,
      roundTrip: () => this.#steering.active.rtt.smoothed,
      window: () => this.#steering.active.congestion.window,
    }));
  }

  /** Sends a small frame reliably, at most 1,024 bytes; 64 may wait. Throws like {@link Session.sendMessage}. */
  sendControl(now: Instant, type: number, bytes: Uint8Array): void {
    this.#requireOpen('send a control frame');
    this.#control.add(type, bytes);
    this.#schedule.waitingSince ??= now;
  }

  /** Asks the peer for an ack: a sign of life and a round-trip sample. */
  ping(now: Instant): void {
    if (this.#state.kind !== 'open') return;
    this.#schedule.pingWanted = true;
    this.#schedule.waitingSince ??= now;
  }

  /**
   * Changes the keys, whatever their age; while they are being changed, once more after that. What is under way goes on.
   * Throws after the close, and `INVALID_STATE` in a session that was made without the means.
   */
  rekey(now: Instant): void {
    this.#requireOpen('change its keys');
    const { rekey } = this.#sources;
    if (rekey === undefined)
      throw new ClusterError('INVALID_STATE', 'this session cannot change its keys: give it a rekeyNoise');
    rekey.request(now);
    this.#schedule.waitingSince ??= now;
  }

  /** Ends the session; the reason is cut to 128 bytes. No effect on one that has ended. */
  close(now: Instant, code: number, reason: string): void {
    if (this.#state.kind !== 'open') return;
    this.#settle('local', code, reason);
    this.#state = closing(now, code, reason, this.probeTimeout());
  }

  /** Overwrites the keys, at once and without a word to the peer. The last call, whatever happened before. */
  destroy(): void {
    this.#end();
  }

  /** What paths may carry has changed: see {@link SessionOptions.pathLimit}. */
  refreshLimits(): void {
    this.#steering.refreshLimits();
  }

  /** Makes a path known, up to 12; nothing is sent there. Throws when there is no room. */
  addPath(now: Instant, path: PathId): void {
    if (this.#state.kind === 'open') this.#steering.add(now, path);
  }

  /** Forgets a path; what was in flight there is sent again on the active one. Throws for the active path. */
  removePath(now: Instant, path: PathId): void {
    if (this.#state.kind === 'open') this.#steering.remove(now, path);
  }

  /**
   * Sends one path challenge on a path as soon as possible; the caller has the peer's consent. `full` pads the packet to
   * the working size. `pathValidated` follows when it is answered.
   */
  probePath(now: Instant, path: PathId, full: boolean = false): void {
    if (this.#state.kind === 'open') this.#steering.probe(now, path, full);
  }

  /** Sends everything new on a path. Throws when it is not validated. */
  activatePath(now: Instant, path: PathId): void {
    if (this.#state.kind === 'open') this.#steering.activate(now, path);
  }

  /**
   * Until the active path, which is suspect, is acknowledged or left: what goes there goes over this path too. Throws when it
   * is not validated.
   */
  bridgePath(path: PathId): void {
    if (this.#state.kind === 'open') this.#steering.bridgeOver(path);
  }

  // What comes of it.

  pollEvent(): SessionEvent | undefined {
    return this.#events.shift();
  }

  /** When to call {@link Session.handleTimeout}; `undefined`: nothing is scheduled. */
  pollTimeout(): Instant | undefined {
    this.#arm();
    return this.#timers.next;
  }

  /** Writes the next packet to `into`, which holds a whole datagram. Call until `undefined`. The object is reused. */
  pollTransmit(now: Instant, into: Uint8Array): SessionTransmit | undefined {
    switch (this.#state.kind) {
      case 'closed':
        return undefined;
      case 'closing':
        return this.#transmitClose(now, into, this.#state);
      case 'open':
        break;
    }
    if (this.#steering.recovery.packets.next >= MAX_PACKET_NUMBER) {
      this.#settle('local', CloseCode.keysExhausted, 'the packet numbers of these keys are used up');
      this.#end();
      return undefined;
    }
    return this.#schedule.next(now, into, this.#confirmed);
  }

  /** What is known of a path; `undefined` when the session does not know it. */
  pathStatistics(path: PathId): PathStatistics | undefined {
    const known = this.#steering.paths.get(path);
    return known === undefined ? undefined : statisticsOf(known);
  }

  statistics(): SessionStatistics {
    return sessionStatistics({
      sources: this.#sources,
      writer: this.#writer,
      recovery: this.#steering.recovery,
      bridge: this.#steering.bridge,
      reassembler: this.#reassembler,
      sent: this.#sentFrames,
      received: this.#receivedFrames,
      receipts: this.#receipts,
    });
  }

  // Receiving.

  #receive(now: Instant, id: PathId, packet: Uint8Array): DropReason | undefined {
    if (this.#state.kind === 'closed') return 'wrongState';
    const size = packet.length;
    const { phase } = this.#opener;
    const dropped = this.#opener.open(packet);
    if (dropped !== undefined) {
      if (this.#opener.exhausted) this.close(now, CloseCode.keysExhausted, 'too many forged packets');
      return dropped;
    }
    if (this.#state.kind === 'closing') {
      this.#state.due = true;
      return 'wrongState';
    }
    this.#receipts.packets++;
    this.#receipts.bytes += size;
    const path = this.#steering.received(now, id, size);
    const { rekey } = this.#sources;
    if (this.#opener.phase !== phase) rekey?.heard(now, this.#events.trace);
    const { number, end } = this.#opener;
    const sentUpTo = this.#steering.recovery.packets.next;
    const refused = this.#inspector.refuses(
      now,
      packet,
      end,
      sentUpTo,
      this.#reassembler,
      this.#sources.streams,
    );
    if (refused !== undefined) return refused;
    this.#events.trace?.received(id, number, packet, end, size);
    if (!this.#confirmed) {
      this.#confirmed = true;
      this.#events.push({ kind: 'confirmed' });
    }
    const newest = number > this.#acks.largest;
    this.#acks.receive(now, number, this.#inspector.eliciting, id);
    this.#intake.take(now, packet, this.#opener.end, path);
    if (this.#inspector.data && this.#isOpen()) rekey?.traffic(now);
    if (newest && path !== undefined && this.#isOpen())
      this.#steering.newest(now, path, this.#inspector.probing);
    return undefined;
  }

  // Sending.

  #transmitClose(
    now: Instant,
    into: Uint8Array,
    state: SessionState & { kind: 'closing' },
  ): SessionTransmit | undefined {
    if (!state.due || state.copiesLeft === 0) return undefined;
    state.due = false;
    state.copiesLeft--;
    const path = this.#steering.active;
    const length = this.#writer.writeClose(now, into, path, state.code, state.reason);
    return length === 0 ? undefined : this.#schedule.written(path, length);
  }

  // Time and end.

  #arm(): void {
    const timers = this.#timers;
    timers.clear();
    if (this.#state.kind === 'closing') timers.set('draining', this.#state.until);
    if (this.#state.kind !== 'open') return;
    const { recovery, acks, active, paths } = this.#steering;
    const { keepAlive, idleTimeout } = this.#config;
    const busy = awaitsPeer(this.#sources, paths);
    if (!busy) this.#schedule.waitingSince = undefined;
    timers.set('loss', recovery.lossTime());
    timers.set('probeTimeout', recovery.probeTime());
    if (acks.budget >= MIN_WORTHWHILE) timers.set('ackDelay', this.#acks.dueAt);
    timers.set('pacing', this.#schedule.pacedUntil);
    timers.set('pathChallenge', this.#steering.repeatAt);
    timers.set('rekey', this.#sources.rekey?.timeout);
    timers.set('reassembly', this.#reassembler.nextExpiry);
    if (this.#schedule.waitingSince !== undefined)
      timers.set('idle', after(this.#schedule.waitingSince, idleTimeout));
    // Nothing is in flight while a message waits for its grant: a dead peer would not be noticed.
    if (this.#messages.awaitsGrant) timers.set('keepAlive', after(this.#writer.lastSentAt, GRANT_PING));
    // What is in flight keeps the mappings alive by its probes.
    const quiet = !busy && !this.#schedule.pingWanted && active.validated;
    if (keepAlive !== undefined && quiet) timers.set('keepAlive', after(this.#writer.lastSentAt, keepAlive));
  }

  /** A method, because the compiler would otherwise remember what an earlier look at the state showed. */
  #isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  #requireOpen(what: string): void {
    if (this.#isOpen()) return;
    throw new ClusterError(
      'SESSION_CLOSED',
      `cannot ${what}: the session is closed; open a new one to this peer`,
    );
  }

  /** Tells the end and lets go of everything that waited. */
  #settle(by: ClosedBy, code: number, reason: string): void {
    this.#events.push({ kind: 'closed', by, code, reason });
    this.#messages.clear();
    this.#messageControl.clear();
    this.#control.clear();
    this.#datagrams.clear();
    this.#sources.streams?.clear();
    this.#reassembler.clear();
  }

  #end(): void {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: 'closed' };
    this.#reassembler.clear();
    this.#opener.destroy();
    this.#writer.destroy();
    this.#sources.rekey?.destroy();
  }
}
