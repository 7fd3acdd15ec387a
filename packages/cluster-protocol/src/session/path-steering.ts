import { ClusterError, earliest, elapsed, seconds, type Duration, type Instant } from '../base/index.js';
import { MAX_UNPROVED_DATAGRAM } from '../wire/index.js';
import { Bridge } from './bridge.js';
import type { EventQueue } from './event-queue.js';
import { PathTable } from './path-table.js';
import { Recovery } from './recovery.js';
import type { PathId } from './session-event.js';
import type { SessionConfig, SessionOptions } from './session-options.js';
import { SessionPath } from './session-path.js';
import type { SizeFailure } from './size-failure.js';

/** The first probe timeout makes a path suspect; RFC 9002 allows for one stray loss: the second in a row is its failure. */
const FAILED_PROBE_TIMEOUTS = 2;

/** Where nobody above chooses, a path is a second one while it was heard of within this: few NAT mappings die sooner. */
const SECOND_HEARD: Duration = seconds(30);

/**
 * Which paths there are, which of them carries what we send, where the peer sends, and where acks go. A path changes only
 * after its challenge was answered; the packet with the highest number tells where the peer is (RFC 9000, section 9.3),
 * so that a copied packet from elsewhere moves nothing for longer than until the peer's next one.
 */
export class PathSteering {
  readonly paths: PathTable = new PathTable();
  readonly recovery: Recovery;
  readonly bridge: Bridge = new Bridge();
  readonly #events: EventQueue;
  readonly #config: SessionConfig;
  readonly #limitOf: (path: PathId) => number;
  readonly #failureOf: (path: PathId) => SizeFailure | undefined;
  /** The responder's path of the handshake: the first packet there is the proof. */
  #provenByPacket: SessionPath | undefined;
  #active: SessionPath;
  #second: SessionPath | undefined;
  #acks: SessionPath;
  /** Where the newest packet of the peer that was no mere probe came from. */
  #peer: PathId;

  constructor(options: SessionOptions, config: SessionConfig, events: EventQueue) {
    this.#events = events;
    this.#config = config;
    const { pathLimit } = options;
    this.#limitOf = id => Math.min(config.maxDatagram, pathLimit?.(id) ?? MAX_UNPROVED_DATAGRAM);
    this.#failureOf = id => options.sizeFailure?.(id);
    const path = this.#make(options.now, options.path, options.pathValidated);
    if (options.handshakeRtt !== undefined) {
      path.rtt.sample(options.handshakeRtt, 0 as Duration);
      path.sampledAt = options.now;
    }
    this.paths.add(path);
    this.#provenByPacket = options.role === 'responder' ? path : undefined;
    this.#active = path;
    this.#acks = path;
    this.#peer = options.path;
    this.recovery = new Recovery(this.paths, config.ackDelay, options.trace);
  }

  /** Where everything new goes. */
  get active(): SessionPath {
    return this.#active;
  }

  /** The path that bridges the active one, while that is in doubt; `undefined`: there is none, or no need. */
  get second(): SessionPath | undefined {
    return this.#active.doubt === 'none' ? undefined : this.#second;
  }

  /** Where acks go: back to where the newest packet came from, if the peer has proved to be there. */
  get acks(): SessionPath {
    return this.#acks;
  }

  /** When a challenge is to be repeated. */
  get repeatAt(): Instant | undefined {
    let at: Instant | undefined;
    for (let i = 0; i < this.paths.size; i++) at = earliest(at, this.paths.at(i).validation.repeatAt);
    return at;
  }

  /** An authentic packet came on a path, which may be new. `undefined`: there is no room for another path. */
  received(now: Instant, id: PathId, size: number): SessionPath | undefined {
    const path = this.paths.get(id) ?? this.#add(now, id);
    if (path === undefined) return undefined;
    path.receivedBytes += size;
    path.lastReceived = now;
    // Only who received our handshake message at this address could make the keys that sealed it.
    if (path === this.#provenByPacket) path.validated = true;
    return path;
  }

  /**
   * The initiator's first packet comes on another path on which we answered its message 1: that one takes the place of
   * the first, of which nothing has been used yet.
   */
  rehome(now: Instant, id: PathId): void {
    const before = this.#provenByPacket;
    if (before === undefined || before.validated || before.id === id || this.paths.size > 1) return;
    const path = this.#make(now, id, false);
    this.paths.remove(before);
    this.paths.add(path);
    this.#provenByPacket = path;
    this.#active = path;
    this.#acks = path;
    this.#peer = id;
  }

  /** That packet has the highest number so far; `probing` when it carries nothing but challenges and their answers. */
  newest(now: Instant, path: SessionPath, probing: boolean): void {
    if (probing) return;
    this.#acks = path.validated ? path : this.#active;
    if (path.id !== this.#peer) {
      this.#peer = path.id;
      this.#events.push({ kind: 'peerPath', path: path.id });
    }
    if (!path.validated) {
      path.validation.requestRepeated(now, path.probeInterval(this.#config.ackDelay));
    } else if (path !== this.#active && this.#config.followPeer) {
      this.#follow(now, path);
    }
  }

  /** A response came on a path; `false` when no challenge of ours asked for it. */
  answered(now: Instant, path: SessionPath, high: number, low: number): boolean {
    const rtt = path.validation.answered(now, high, low);
    if (rtt === undefined) return false;
    path.validated = true;
    if (!path.rtt.sampled) {
      path.rtt.sample(rtt, 0 as Duration);
      path.sampledAt = now;
    }
    this.#events.push({ kind: 'pathValidated', path: path.id, rtt });
    const wanted = path.id === this.#peer || this.#active.doubt === 'failed';
    if (this.#config.followPeer && path !== this.#active && wanted) this.#follow(now, path);
    return true;
  }

  add(now: Instant, id: PathId): SessionPath {
    const path = this.paths.get(id) ?? this.#add(now, id);
    if (path === undefined) {
      throw new ClusterError(
        'INVALID_STATE',
        `path ${id} does not fit: all ${this.paths.size} paths are in use; remove one`,
      );
    }
    return path;
  }

  /** Asks for a challenge, with the agent's word that the peer wants to be probed there. */
  probe(now: Instant, id: PathId, full: boolean): void {
    const path = this.add(now, id);
    path.allow(path.packet);
    path.validation.request(full);
  }

  remove(now: Instant, id: PathId): void {
    const path = this.paths.get(id);
    if (path === undefined) return;
    if (path === this.#active) {
      throw new ClusterError(
        'INVALID_STATE',
        `path ${id} is the active one; activate another before removing it`,
      );
    }
    this.#remove(now, path);
  }

  activate(now: Instant, id: PathId): void {
    const path = this.paths.get(id);
    if (path === undefined || !path.validated) {
      throw new ClusterError(
        'INVALID_STATE',
        `path ${id} is not validated; probe it and wait for pathValidated`,
      );
    }
    if (path !== this.#active) this.#move(now, path);
  }

  /** What goes to the active path goes over this one too, while the active one is in doubt. Throws when it is not validated. */
  bridgeOver(id: PathId): void {
    const path = this.paths.get(id);
    if (path === undefined || !path.validated) {
      throw new ClusterError(
        'INVALID_STATE',
        `path ${id} is not validated; probe it and wait for pathValidated`,
      );
    }
    if (path !== this.#active && this.#active.doubt !== 'none') this.#bridgeOver(path);
  }

  /** A probe timeout passed on some path. Returns how many probes to send on the active one. */
  probeTimeout(now: Instant): number {
    let probes = 0;
    for (let i = 0; i < this.paths.size; i++) {
      const path = this.paths.at(i);
      const due = path.probeTime(this.#config.ackDelay);
      if (due > now) continue;
      this.#events.trace?.timer('pto', path);
      if (path !== this.#active) {
        // We send elsewhere now; whatever was under way here is better sent again there than asked for.
        this.recovery.abandon(now, path);
      } else {
        probes = this.recovery.probe(now, path);
        if (path.probeTimeouts >= FAILED_PROBE_TIMEOUTS) this.failed(now, path);
        else this.#suspect(now, path);
      }
    }
    return probes;
  }

  /** What paths may carry has changed: the interfaces are others. */
  refreshLimits(): void {
    for (let i = 0; i < this.paths.size; i++) {
      const path = this.paths.at(i);
      path.setLimit(this.#limitOf(path.id));
    }
  }

  /** The active path should be left: tells it once, and looks for another where nobody above does. */
  failed(now: Instant, path: SessionPath): void {
    if (path.doubt !== 'failed') {
      path.doubt = 'failed';
      path.heard = false;
      this.#events.push({ kind: 'pathFailed', path: path.id });
    }
    if (!this.#config.followPeer) return;
    if (this.#second?.heard === true) this.#move(now, this.#second);
    else this.#seekAnother();
  }

  /** Acks came: paths that are heard of again are alive. */
  acknowledged(): void {
    for (let i = 0; i < this.paths.size; i++) {
      const path = this.paths.at(i);
      if (path.doubt === 'none' || !path.heard) continue;
      path.doubt = 'none';
      if (path === this.#active) this.#second = undefined;
      this.#events.push({ kind: 'pathAlive', path: path.id });
    }
  }

  /** Repeats the challenges that are due. */
  repeat(now: Instant): void {
    for (let i = 0; i < this.paths.size; i++) {
      const { validation } = this.paths.at(i);
      if (validation.repeatAt !== undefined && validation.repeatAt <= now) validation.repeat(now);
    }
  }

  /** The path may be dead: until that is clear, another one carries what it carries, chosen here where nobody above does. */
  #suspect(now: Instant, path: SessionPath): void {
    if (path.doubt !== 'none') return;
    path.doubt = 'suspect';
    path.heard = false;
    this.#events.push({ kind: 'pathSuspect', path: path.id });
    const second = this.#config.followPeer ? this.#heardLatest(now) : undefined;
    if (second !== undefined) this.#bridgeOver(second);
  }

  /** What is in flight may be lost: the second path carries it as well, the oldest first. */
  #bridgeOver(path: SessionPath): void {
    if (this.#second === path) return;
    this.#second = path;
    path.heard = false;
    this.recovery.resend(this.#active, this.bridge.allowance);
  }

  #heardLatest(now: Instant): SessionPath | undefined {
    let found: SessionPath | undefined;
    for (const path of this.paths) {
      const { lastReceived, validated } = path;
      if (path === this.#active || !validated || lastReceived === undefined) continue;
      if (elapsed(lastReceived, now) > SECOND_HEARD) continue;
      if (found === undefined || lastReceived > found.lastReceived!) found = path;
    }
    return found;
  }

  #seekAnother(): void {
    for (const path of this.paths)
      if (path !== this.#active && path.validated) path.validation.request(false);
  }

  /**
   * The peer is on another path. The one it left is asked once more: if the peer is still there, its answer has a higher
   * number and brings us back, whatever somebody on the way did with a copy (RFC 9000, section 9.3.3).
   */
  #follow(now: Instant, path: SessionPath): void {
    this.#active.validation.request(false);
    this.#move(now, path);
  }

  #move(now: Instant, path: SessionPath): void {
    const left = this.#active;
    this.#active = path;
    this.#second = undefined;
    this.#events.trace?.moved(path.id);
    if (this.#acks === left) this.#acks = path;
    if (left.doubt === 'failed') this.recovery.abandon(now, left);
    left.doubt = 'none';
  }

  #add(now: Instant, id: PathId): SessionPath | undefined {
    const evicted = this.paths.evictable(this.#active);
    if (evicted !== undefined) this.#remove(now, evicted);
    const path = this.#make(now, id, false);
    return this.paths.add(path) ? path : undefined;
  }

  #make(now: Instant, id: PathId, validated: boolean): SessionPath {
    const { congestionControl } = this.#config;
    return new SessionPath(id, this.#limitOf(id), validated, now, congestionControl, this.#failureOf(id));
  }

  #remove(now: Instant, path: SessionPath): void {
    this.recovery.abandon(now, path);
    this.paths.remove(path);
    if (this.#acks === path) this.#acks = this.#active;
    if (this.#second === path) this.#second = undefined;
  }
}
