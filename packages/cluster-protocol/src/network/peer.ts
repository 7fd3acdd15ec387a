import {
  type Instant,
  type RandomSource,
  randomFraction,
  seconds,
  type Duration,
  milliseconds,
  after,
  earliest,
} from '../base/index.js';
import type { ConsentRules } from '../path/index.js';
import { PathAgent } from '../path/index.js';
import type { HandshakeId, Path, SessionHandle } from '../session/index.js';
import { DuplicateFilter } from './duplicate-filter.js';
import type { SessionKind } from './handshake-payload.js';
import { Outbox } from './outbox.js';
import { PeerMemory } from './peer-memory.js';
import { TakeoverWait } from './takeover-wait.js';

/** How far we are with a peer. */
export type PeerConnection =
  /** Nobody wants it, or nothing can be done until something changes. */
  | { readonly kind: 'idle' }
  /** The last try failed; the next one begins at `retryAt`. */
  | { readonly kind: 'waiting'; readonly retryAt: Instant }
  | { readonly kind: 'handshaking'; readonly handshake: HandshakeId; readonly session: SessionKind }
  | { readonly kind: 'connected'; readonly session: SessionHandle; readonly since: Instant };

/**
 * Waits between tries of 10 s each: none for the first minute, because most interruptions are short, then longer and
 * longer; anything that changes (presence, interfaces, a new message) starts over at once.
 */
const BACKOFF: readonly Duration[] = [0, 0, 0, 0, 0, 0, 2, 4, 8, 15, 30, 60].map(seconds);
/** Retries spread by this share, so that a crowd that lost its NMN does not come back in step. */
const JITTER = 0.25;

/**
 * A peer that loses its state a second time within this is taken for two that hold the same keys and answer for each
 * other: what one of them knows nothing of, the other one holds. A restart takes longer.
 */
const RESTART_INTERVAL: Duration = seconds(5);

/** The path agent hears of the active path's round trip this often; its choice between paths needs no more. */
const MEASURE_INTERVAL: Duration = seconds(1);

/** Peers that one node deals with: as many as a network has members at most. */
export const MAX_PEERS = 4_096;

/** A member as this node deals with it; lives as long as the node. */
export class Peer {
  readonly nodeId: number;
  readonly outbox: Outbox = new Outbox();
  /** The lowest sequence that may still be sent; one function for all messages. */
  readonly floor: () => number = () => this.outbox.floor;
  readonly memory: PeerMemory = new PeerMemory();
  readonly filter: DuplicateFilter = new DuplicateFilter();
  readonly agent: PathAgent;
  connection: PeerConnection = { kind: 'idle' };
  /** Whether the program wants a session for its own sake; waiting messages want one as well. */
  wanted = false;
  /** The program has said goodbye: the session, or the one that is being made, ends as soon as nothing waits. */
  leaving = false;
  /** The session is for catching up: nothing but network state and its secret travels in it. */
  catchingUp = false;
  /** The path that is to be used as soon as the session has proved it. */
  wantedPath: Path | undefined;
  /** Names the peer's messages in its latest session, hexadecimal. */
  outboxIncarnation = '';
  #failures = 0;
  #measuredAt: Instant | undefined;
  readonly #takeovers = new TakeoverWait();
  #notBefore: Instant | undefined;
  #restartedAt: Instant | undefined;

  constructor(nodeId: number, random: RandomSource, rules: ConsentRules) {
    this.nodeId = nodeId;
    this.agent = new PathAgent({ random, rules });
  }

  /** The session, if there is one. */
  get session(): SessionHandle | undefined {
    return this.connection.kind === 'connected' ? this.connection.session : undefined;
  }

  /** The session that carries streams, if there is one: catching up allows none. */
  get streamSession(): SessionHandle | undefined {
    return this.catchingUp ? undefined : this.session;
  }

  /** Whether there is a reason to have a session. */
  get needed(): boolean {
    return this.wanted || this.outbox.size > 0;
  }

  /** Whether the session is to be closed now: the program has left, and nothing waits any more. */
  get left(): boolean {
    return this.leaving && !this.needed;
  }

  /** A try has failed: when the next one is to begin. */
  failed(now: Instant, random: RandomSource): Duration {
    const base = BACKOFF[Math.min(this.#failures++, BACKOFF.length - 1)]!;
    const wait = milliseconds(base * (1 + JITTER * randomFraction(random)));
    this.connection = { kind: 'waiting', retryAt: after(now, wait) };
    return wait;
  }

  /** Another session under our keys took the place of ours: nothing shortens the wait that follows. */
  replaced(now: Instant, random: RandomSource): void {
    this.#notBefore = after(now, this.#takeovers.next(now, random));
    this.connection = { kind: 'waiting', retryAt: this.#notBefore };
  }

  /** The peer has lost its state: it is met again at once, unless that happens too often to be true. */
  restarted(now: Instant, random: RandomSource): void {
    const last = this.#restartedAt;
    this.#restartedAt = now;
    if (last !== undefined && now < after(last, RESTART_INTERVAL)) this.replaced(now, random);
    else this.connection = { kind: 'waiting', retryAt: now };
  }

  /** Something has changed, or worked: the next try need not wait. */
  encourage(now: Instant): void {
    this.#failures = 0;
    const retryAt = this.#notBefore !== undefined && this.#notBefore > now ? this.#notBefore : now;
    if (this.connection.kind === 'waiting') this.connection = { kind: 'waiting', retryAt };
  }

  /** Whether a second has passed since this last said so. */
  measureDue(now: Instant): boolean {
    if (this.#measuredAt !== undefined && now < after(this.#measuredAt, MEASURE_INTERVAL)) return false;
    this.#measuredAt = now;
    return true;
  }

  /** The earliest moment at which this peer needs attention. */
  get deadline(): Instant | undefined {
    const retry = this.connection.kind === 'waiting' ? this.connection.retryAt : undefined;
    const expiry = this.outbox.nextExpiry;
    return earliest(earliest(retry, expiry), this.agent.pollTimeout());
  }
}
