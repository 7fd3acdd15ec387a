import type { DropCounters, DropReason, Duration, Instant, RandomSource } from '../base/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import type { Path } from './endpoint-paths.js';
import type { EndpointTracing } from './endpoint-trace.js';
import type { PathId, SessionEvent } from './session-event.js';
import type { SessionConfig } from './session-options.js';
import type { SizeFailures } from './size-failure.js';

/** Names a session of an endpoint: its local index. */
export type SessionHandle = number;

/** Names an outgoing handshake until it has become a session or failed. */
export type HandshakeId = number;

/** A message 1 whose sender holds the private key of `remoteStatic`. */
export interface InitiationRequest {
  /** Decrypted; who may see it has been decided by nobody yet. */
  readonly payload: Uint8Array;
  readonly remoteStatic: Uint8Array;
  readonly path: Path;
  /** It carries a nonce that we gave to this path a moment ago: it is no replay, whatever its counters say. */
  readonly fresh: boolean;
}

/** What to do with a message 1. */
export type InitiationVerdict<Peer> =
  | {
      readonly verdict: 'accept';
      readonly psk: Uint8Array;
      readonly payload: Uint8Array;
      readonly peer: Peer;
    }
  | { readonly verdict: 'drop'; readonly reason: DropReason }
  /** Tell the initiator, who has proved its key, why not. */
  | { readonly verdict: 'refuse'; readonly code: number; readonly text: string }
  /** It may be a replay: ask for a message 1 with a nonce. */
  | { readonly verdict: 'retry' };

/** What to do with a message 2; `peer` replaces the one given to `connect`. */
export type ResponseVerdict<Peer> =
  | { readonly verdict: 'accept'; readonly peer: Peer }
  | { readonly verdict: 'drop'; readonly reason: DropReason };

/** Decides who may have a session. Called synchronously, with authenticated but unjudged input. */
export interface EndpointPolicy<Peer> {
  judgeInitiation(now: Instant, request: InitiationRequest): InitiationVerdict<Peer>;
  judgeResponse(
    now: Instant,
    payload: Uint8Array,
    remoteStatic: Uint8Array,
    peer: Peer,
  ): ResponseVerdict<Peer>;
  /** Somebody whose message 1 was accepted has not proved in time that it holds the keys, or began again instead. */
  unproven?(now: Instant, peer: Peer): void;
  /** What to keep of a peer for the life of its session, once `opened` has told all of it. Default: all. */
  retained?(peer: Peer): Peer;
}

/** What an endpoint is made of. */
export interface EndpointOptions<Peer> {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  readonly drops: DropCounters;
  readonly staticKey: KeyPair;
  /** What a path may carry at most, in bytes of UDP payload, by what is known of its first link; 1452 bytes unless given. */
  readonly pathLimit?: (path: Path) => number;
  /** 32 secret bytes that survive restarts: reset tokens are made of them. */
  readonly resetSecret: Uint8Array;
  readonly policy: EndpointPolicy<Peer>;
  /** Sessions at once; further peers are dropped and counted. Default 4096. */
  readonly maxSessions?: number;
  /** What is known of sizes that fail; absent: nothing yet. */
  readonly sizeFailures?: SizeFailures | undefined;
  /** Hears what happens inside; `undefined`: nobody does. */
  readonly trace?: EndpointTracing<Peer> | undefined;
  /** Configuration of the sessions with a peer. */
  readonly session?: (peer: Peer) => Partial<SessionConfig>;
}

/** Whom to reach, and how. */
export interface ConnectOptions<Peer> {
  readonly remoteStatic: Uint8Array;
  readonly psk: Uint8Array;
  /** Makes the payload of message 1; called once for each message 1, at most `MAX_HANDSHAKE_PAYLOAD` bytes. */
  readonly payload: (now: Instant) => Uint8Array;
  readonly peer: Peer;
  /** Message 1 goes out on all of them; the first answer wins. At most 8. */
  readonly paths: readonly PathId[];
  /** Also hand message 1 to the caller (`carry`), who has another way to the peer. */
  readonly carry: boolean;
  /** Give up after this long. */
  readonly timeout: Duration;
}

/** Why an outgoing handshake ended without a session. */
export type HandshakeFailure =
  | {
      readonly kind: 'timeout';
      readonly peerVersions?: { readonly lowest: number; readonly highest: number };
    }
  | { readonly kind: 'refused'; readonly code: number; readonly text: string };

/** What an endpoint tells. */
export type EndpointEvent<Peer> =
  | {
      readonly kind: 'opened';
      readonly session: SessionHandle;
      readonly peer: Peer;
      readonly role: 'initiator' | 'responder';
      readonly path: Path;
      readonly remoteStatic: Uint8Array;
      /** The session of the same peer that this one takes over from; it is gone. */
      readonly replaced: SessionHandle | undefined;
      readonly handshake: HandshakeId | undefined;
    }
  | {
      readonly kind: 'closed';
      readonly session: SessionHandle;
      readonly peer: Peer;
      readonly by: 'peer' | 'local' | 'idle' | 'reset' | 'replaced';
      readonly code: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'session';
      readonly session: SessionHandle;
      readonly peer: Peer;
      readonly event: Exclude<SessionEvent, { readonly kind: 'closed' | 'confirmed' }>;
    }
  | {
      readonly kind: 'handshakeFailed';
      readonly handshake: HandshakeId;
      readonly peer: Peer;
      readonly failure: HandshakeFailure;
    }
  | {
      readonly kind: 'carry';
      readonly handshake: HandshakeId;
      readonly peer: Peer;
      readonly bytes: Uint8Array;
    };
