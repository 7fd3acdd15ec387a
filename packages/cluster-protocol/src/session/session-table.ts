import type { Duration } from '../base/index.js';
import type { TransportKeys } from '../crypto/index.js';
import type { SessionHandle } from './endpoint-types.js';
import type { EndpointPaths, Path } from './endpoint-paths.js';
import { MAX_PATHS } from './path-table.js';
import type { Session } from './session.js';
import type { PathId } from './session-event.js';

/**
 * Paths held for one session: those that it knows, and as many again, so that a peer whose every packet comes from
 * another address makes us look for forgotten ones once in a while only.
 */
const MAX_HELD_PATHS = 2 * MAX_PATHS;

/**
 * A session of an endpoint. Pending: the responder has answered, the initiator has not proved itself yet. Closing: it was
 * ended here, and does nothing but say so again to a peer that missed it.
 */
export interface LiveSession<Peer> {
  readonly state: 'pending' | 'open' | 'closing';
  readonly handle: SessionHandle;
  readonly session: Session;
  readonly peer: Peer;
  readonly role: 'initiator' | 'responder';
  readonly remoteStatic: Uint8Array;
  /** {@link LiveSession.remoteStatic} as a key of maps. */
  readonly remoteKey: string;
  readonly remoteIndex: number;
  /** With this the peer may tell us that it lost the session. */
  readonly remoteToken: Uint8Array;
  /** Paths that it holds in the path table. */
  readonly paths: Set<PathId>;
  /** While pending: what to answer when the same message 1 comes again. */
  readonly answer: { readonly mac1: Uint8Array; readonly response: Uint8Array } | undefined;
}

/** What an endpoint makes a session of. */
export type NewSession<Peer> = Omit<LiveSession<Peer>, 'handle' | 'session' | 'remoteKey' | 'paths'> & {
  readonly keys: TransportKeys;
  /** The exported key of the handshake that the next keys begin with; owned by the session from now on. */
  readonly rekeySecret: Uint8Array;
  readonly localIndex: number;
  readonly path: Path;
  readonly handshakeRtt?: Duration | undefined;
};

/** The sessions of an endpoint by everything they are looked up by: at most one open and one pending for each key. */
export class SessionTable<Peer> {
  readonly #paths: EndpointPaths;
  readonly #byHandle = new Map<SessionHandle, LiveSession<Peer>>();
  readonly #openByKey = new Map<string, SessionHandle>();
  readonly #pendingByKey = new Map<string, SessionHandle>();
  readonly #byRemoteIndex = new Map<number, SessionHandle>();
  readonly #closing = new Set<SessionHandle>();

  constructor(paths: EndpointPaths) {
    this.#paths = paths;
  }

  get size(): number {
    return this.#byHandle.size;
  }

  get openCount(): number {
    return this.#byHandle.size - this.#pendingByKey.size - this.#closing.size;
  }

  get pendingCount(): number {
    return this.#pendingByKey.size;
  }

  get(handle: SessionHandle): LiveSession<Peer> | undefined {
    return this.#byHandle.get(handle);
  }

  getOpen(handle: SessionHandle | undefined): LiveSession<Peer> | undefined {
    const live = handle === undefined ? undefined : this.#byHandle.get(handle);
    return live?.state === 'open' ? live : undefined;
  }

  openWith(remoteKey: string): SessionHandle | undefined {
    return this.#openByKey.get(remoteKey);
  }

  pendingWith(remoteKey: string): LiveSession<Peer> | undefined {
    return this.#byHandle.get(this.#pendingByKey.get(remoteKey) ?? -1);
  }

  withRemoteIndex(index: number): SessionHandle | undefined {
    return this.#byRemoteIndex.get(index);
  }

  entries(): Iterable<[SessionHandle, LiveSession<Peer>]> {
    return this.#byHandle;
  }

  addPending(live: LiveSession<Peer>): void {
    this.#byHandle.set(live.handle, live);
    this.#pendingByKey.set(live.remoteKey, live.handle);
  }

  /** Adds an open session, or opens a pending one; the one it replaces must have been removed. */
  addOpen(live: LiveSession<Peer>): void {
    const handle = live.handle;
    if (this.#pendingByKey.get(live.remoteKey) === handle) this.#pendingByKey.delete(live.remoteKey);
    this.#byHandle.set(handle, live);
    this.#openByKey.set(live.remoteKey, handle);
    this.#byRemoteIndex.set(live.remoteIndex, handle);
  }

  get closingCount(): number {
    return this.#closing.size;
  }

  /** Keeps an open session under its handle alone: whoever looks for the peer does not find it any more. */
  addClosing(live: LiveSession<Peer>): void {
    this.#forget(live);
    this.#byHandle.set(live.handle, { ...live, state: 'closing' });
    this.#closing.add(live.handle);
  }

  remove(handle: SessionHandle): void {
    const live = this.#byHandle.get(handle);
    if (!live) return;
    for (const path of live.paths) this.#paths.release(path);
    live.paths.clear();
    this.#byHandle.delete(handle);
    this.#closing.delete(handle);
    this.#forget(live);
  }

  #forget(live: LiveSession<Peer>): void {
    const { handle } = live;
    for (const index of [this.#openByKey, this.#pendingByKey])
      if (index.get(live.remoteKey) === handle) index.delete(live.remoteKey);
    if (this.#byRemoteIndex.get(live.remoteIndex) === handle) this.#byRemoteIndex.delete(live.remoteIndex);
  }

  /** Keeps a path alive as long as the session lives and knows it. */
  hold(live: LiveSession<Peer>, path: PathId): void {
    if (live.paths.has(path)) return;
    if (live.paths.size >= MAX_HELD_PATHS) this.#releaseForgotten(live);
    live.paths.add(path);
    this.#paths.hold(path);
  }

  #releaseForgotten(live: LiveSession<Peer>): void {
    for (const path of live.paths) {
      if (live.session.pathStatistics(path) !== undefined) continue;
      live.paths.delete(path);
      this.#paths.release(path);
    }
  }
}
