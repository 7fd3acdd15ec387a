import type { Duration } from '../base/index.js';
import type { ManagementContent, NodeKind, Role } from '../network/index.js';
import type { PathReport } from '../path/index.js';
import type { SessionHandle } from '../session/index.js';
import type { StreamEvent } from './peer-streams.js';

/** Why a session with a peer ended or did not come about. */
export type AwayReason =
  /** It said goodbye. */
  | 'closed'
  /** Nothing of ours was acknowledged for the idle time-out. */
  | 'silent'
  /** It lost its state: it was restarted. A new session is being set up. */
  | 'restarted'
  /** A newer session of the same peer took over. */
  | 'replaced'
  /** We ended it. */
  | 'local'
  /** Its membership was revoked. */
  | 'revoked';

/** A member, as the network's directory lists it. */
export interface MemberReport {
  readonly nodeId: number;
  readonly name: string;
  readonly kind: NodeKind;
  readonly role: Role;
  /** Whom it acts for; may be empty. */
  readonly user: string;
}

/** What a cluster node tells the program on top of it. Byte arrays belong to the receiver. */
export type ClusterEvent =
  /** A session with a member is there. */
  | {
      readonly kind: 'connected';
      readonly peer: number;
      readonly path: PathReport;
      /** Names the life of the peer's memory, hexadecimal: a new one with each of its starts. */
      readonly inbox: string;
    }
  | {
      readonly kind: 'disconnected';
      readonly peer: number;
      readonly reason: AwayReason;
      readonly text: string;
    }
  /** A try to reach a member failed; another one follows after `retryIn` as long as somebody wants it. */
  | {
      readonly kind: 'unreachable';
      readonly peer: number;
      readonly text: string;
      readonly retryIn: Duration | undefined;
    }
  /** A message, once. (`peer`, `incarnation`, `sequence`) is its id. */
  | {
      readonly kind: 'message';
      readonly peer: number;
      readonly service: number;
      /** Hexadecimal. */
      readonly incarnation: string;
      readonly sequence: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly kind: 'datagram';
      readonly peer: number;
      readonly service: number;
      readonly bytes: Uint8Array;
    }
  /** A stream with a peer has news. */
  | {
      readonly kind: 'stream';
      readonly peer: number;
      readonly session: SessionHandle;
      readonly event: StreamEvent;
    }
  /** A session ended, and all its streams with it. */
  | {
      readonly kind: 'streamsClosed';
      readonly peer: number;
      readonly session: SessionHandle;
      readonly text: string;
    }
  /** The peer has received the message whole. */
  | { readonly kind: 'delivered'; readonly peer: number; readonly sequence: number }
  /** The peer was restarted and remembers everything that must have one effect and that it had acknowledged. */
  | { readonly kind: 'inboxKept'; readonly peer: number }
  /**
   * The peer was restarted and does not remember everything that it received before: its store was lost, damaged or put
   * back, or it keeps no memory. What was delivered to an earlier life of it (see `connected`) and not answered may have
   * had its effect or not.
   */
  | {
      readonly kind: 'inboxChanged';
      readonly peer: number;
      /** Messages sent with `once` of which some had been sent: held back until `release` or `cancel`. */
      readonly undecided: readonly number[];
    }
  /** The message is not sent any more. `sent`: some of it was, and the peer may have it. */
  | {
      readonly kind: 'undelivered';
      readonly peer: number;
      readonly sequence: number;
      readonly sent: boolean;
      readonly reason: 'expired' | 'cancelled' | 'superseded' | 'revoked';
    }
  /** Data to a peer now takes another path. */
  | {
      readonly kind: 'path';
      readonly peer: number;
      readonly from: PathReport | undefined;
      readonly to: PathReport;
    }
  /** The NMN or a session of our own says so. `lastSeen` in ms of civil time, 0: never. */
  | { readonly kind: 'presence'; readonly peer: number; readonly online: boolean; readonly lastSeen: number }
  | {
      readonly kind: 'nmn';
      readonly state: 'connected' | 'away';
      readonly text: string;
    }
  | {
      readonly kind: 'member';
      readonly nodeId: number;
      readonly change: 'changed' | 'removed';
      readonly name: string;
      readonly nodeKind: NodeKind | undefined;
    }
  /**
   * `stale`: nothing newer came by the time that the authority had promised; revocations may be kept from this node.
   * `current`: it has been heard from again. `nextUpdateBy` in ms of civil time, 0: it never promised anything.
   */
  | {
      readonly kind: 'networkState';
      readonly state: 'stale' | 'current';
      readonly nextUpdateBy: number;
    }
  /** The NMN's answer to a request of ours. */
  | { readonly kind: 'management'; readonly requestId: number; readonly content: ManagementContent }
  /** This node is not a member any more. The last event. */
  | { readonly kind: 'expelled'; readonly text: string }
  /** To be written to the store, all of it or nothing; `undefined` deletes. */
  | { readonly kind: 'persist'; readonly changes: ReadonlyMap<string, Uint8Array | undefined> };
