import type { Duration } from '../base/index.js';

/** A path as the endpoint numbers it: a small integer for (link, remote address, relay channel). */
export type PathId = number;

/** A packet to send. One object that every call of `pollTransmit` overwrites. */
export interface SessionTransmit {
  readonly path: PathId;
  /** Bytes of the packet in the caller's buffer, from its beginning. */
  readonly length: number;
}

/** Who or what ended a session. */
export type ClosedBy = 'peer' | 'local' | 'idle' | 'reset';

/** What a session tells. `bytes` belong to the receiver of the event. */
export type SessionEvent =
  /** The first packet of the peer passed: it has the keys, and the responder may act. */
  | { readonly kind: 'confirmed' }
  /** A message is complete; `floor` is the lowest sequence that its sender may still send. */
  | {
      readonly kind: 'message';
      readonly sequence: number;
      readonly floor: number;
      readonly service: number;
      readonly bytes: Uint8Array;
    }
  /** The peer has every byte of the message. */
  | { readonly kind: 'messageAcknowledged'; readonly sequence: number }
  | { readonly kind: 'datagram'; readonly service: number; readonly bytes: Uint8Array }
  /** A control frame; each comes at most once, in any order. */
  | { readonly kind: 'control'; readonly type: number; readonly bytes: Uint8Array }
  /** The peer opened a stream for a service. */
  | {
      readonly kind: 'streamOpened';
      readonly stream: number;
      readonly service: number;
      readonly priority: number;
      readonly oneWay: boolean;
    }
  /** A stream has bytes or its end to read; told once, and again for what comes after everything was read. */
  | { readonly kind: 'streamReadable'; readonly stream: number }
  /** A stream that took only a part of a write has room again. */
  | { readonly kind: 'streamWritable'; readonly stream: number }
  /** The peer has our half of a stream, its end included. */
  | { readonly kind: 'streamFinished'; readonly stream: number }
  /** The peer gave its half up: what was not read is gone. */
  | { readonly kind: 'streamReset'; readonly stream: number; readonly code: number }
  /** The peer reads our half no more; it was reset. */
  | { readonly kind: 'streamStopped'; readonly stream: number; readonly code: number }
  /** A stream may be opened again. */
  | { readonly kind: 'streamsAvailable' }
  /** A challenge was answered on its own path: the peer is there. */
  | { readonly kind: 'pathValidated'; readonly path: PathId; readonly rtt: Duration }
  /** The peer sends there now: its newest packet came on another path than the one before. */
  | { readonly kind: 'peerPath'; readonly path: PathId }
  /** Something waited on the active path for a probe timeout and no ack came: it may be dead. */
  | { readonly kind: 'pathSuspect'; readonly path: PathId }
  /** A second probe timeout passed without an ack, or the operating system found no route: the path should be left. */
  | { readonly kind: 'pathFailed'; readonly path: PathId }
  /** An ack for something that was sent on a suspect or failed path came. */
  | { readonly kind: 'pathAlive'; readonly path: PathId }
  /** The last event of a session. */
  | { readonly kind: 'closed'; readonly by: ClosedBy; readonly code: number; readonly reason: string };
