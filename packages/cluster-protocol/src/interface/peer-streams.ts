import { ClusterError, type Instant } from '../base/index.js';
import type {
  Endpoint,
  SessionEvent,
  SessionHandle,
  SessionStreams,
  StreamChunk,
  StreamOptions,
} from '../session/index.js';
import type { SessionPeer } from '../network/index.js';

/** Names a stream of this node: with whom, in which session, which one. A stream ends with its session. */
export interface StreamRef {
  readonly peer: number;
  readonly session: SessionHandle;
  readonly stream: number;
}

/** What a session tells of its streams. */
export type StreamEvent = Extract<
  SessionEvent,
  {
    readonly kind:
      | 'streamOpened'
      | 'streamReadable'
      | 'streamWritable'
      | 'streamFinished'
      | 'streamReset'
      | 'streamStopped'
      | 'streamsAvailable';
  }
>;

/** Whether what a session tells is about its streams. */
export const isStreamEvent = (event: SessionEvent): event is StreamEvent => event.kind.startsWith('stream');

/**
 * The streams of a node with its peers (docs/spec/03-session.md, section 11). Every verb is followed by a turn of the
 * machine, like the verbs of `ClusterNode`; what comes of it are the events `stream` and `streamsClosed`.
 */
export class PeerStreams {
  /** Whether somebody here takes streams of peers; until then each is refused. */
  accepting = false;
  readonly #endpoint: Endpoint<SessionPeer>;
  readonly #sessionWith: (peer: number) => SessionHandle | undefined;

  constructor(endpoint: Endpoint<SessionPeer>, sessionWith: (peer: number) => SessionHandle | undefined) {
    this.#endpoint = endpoint;
    this.#sessionWith = sessionWith;
  }

  /** Opens a stream in the session with a peer. Throws `PEER_AWAY` without one, `QUEUE_FULL` when it allows no more now. */
  open(peer: number, options: StreamOptions): StreamRef {
    const session = this.#sessionWith(peer);
    const streams = session === undefined ? undefined : this.#endpoint.open(session)?.streams;
    if (session === undefined || streams === undefined) {
      throw new ClusterError(
        'PEER_AWAY',
        `there is no session with node #${peer} now: call connect and wait for the event connected`,
      );
    }
    return { peer, session, stream: streams.open(options) };
  }

  /** Writes copies of as many bytes as there is room for; returns how many. Throws `INVALID_STATE`, `SESSION_CLOSED`. */
  write(ref: StreamRef, bytes: Uint8Array): number {
    return this.#of(ref).write(ref.stream, bytes);
  }

  /** Ends our half behind what was written. Throws like {@link PeerStreams.write}. */
  end(ref: StreamRef): void {
    this.#of(ref).end(ref.stream);
  }

  /** Gives our half up with a code; no effect on what has ended. */
  reset(ref: StreamRef, code: number): void {
    this.#known(ref)?.reset(ref.stream, code);
  }

  /** Reads no more, and asks the peer to stop with a code; no effect on what has ended. */
  stop(now: Instant, ref: StreamRef, code: number): void {
    this.#known(ref)?.stop(now, ref.stream, code);
  }

  /** Takes what can be read now, a part at a time; `undefined`: nothing. */
  read(now: Instant, ref: StreamRef): StreamChunk | undefined {
    return this.#known(ref)?.read(now, ref.stream);
  }

  #known({ session }: StreamRef): SessionStreams | undefined {
    return this.#endpoint.open(session)?.streams;
  }

  #of(ref: StreamRef): SessionStreams {
    const streams = this.#known(ref);
    if (streams !== undefined) return streams;
    throw new ClusterError(
      'SESSION_CLOSED',
      `stream ${ref.stream} ended with the session with node #${ref.peer}; open a new one`,
    );
  }
}
