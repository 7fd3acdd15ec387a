import type { Instant, RandomSource, TraceSink, WallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { NodeKeys } from '../network/index.js';
import type { SessionTuning, SizeFailures } from '../session/index.js';
import type { SocketAddress } from '../wire/index.js';

/** What joining a network gave; a node keeps it in its store. */
export interface Membership {
  /** 16 bytes. */
  readonly network: Uint8Array;
  /** Ed25519 public key; its hash is the network's id. */
  readonly rootKey: Uint8Array;
  readonly nodeId: number;
  /** The name under which the directory lists this node. */
  readonly name: string;
  /** Encoded credential: our certificate and its issuers. */
  readonly credential: Uint8Array;
  /** X25519 public key of the NMN. */
  readonly nmnStaticKey: Uint8Array;
}

/** What the store held when the process started; every part may be missing, except the first four. */
export interface SavedNode {
  readonly keys: NodeKeys;
  readonly membership: Membership;
  /** Starts of this node, this one included; written before the node was made. */
  readonly bootCounter: number;
  /** 8 random bytes that name the messages of this process. */
  readonly outboxIncarnation: Uint8Array;
  /** 8 random bytes that name what this process received. */
  readonly inboxIncarnation: Uint8Array;
  /** Inbox incarnations of earlier processes whose lasting records the store still holds, oldest first. */
  readonly formerInboxes: readonly Uint8Array[];
  /** 32 random bytes for reset tokens. */
  readonly resetSecret: Uint8Array;
  readonly state?: Uint8Array;
  readonly secrets?: Uint8Array;
  readonly replays?: Uint8Array;
  readonly time?: Uint8Array;
  /** When the NMN was last heard from, by the node's trusted time. */
  readonly lastNmnContact?: WallTime;
  /** Where peers were reached last, by node id. */
  readonly addresses: ReadonlyMap<number, readonly SocketAddress[]>;
}

/** What the program on top remembers for ever of messages that it received. */
export interface LastingMemory {
  /**
   * Whether a message is on record so that it cannot have its effect again, in this process or a later one.
   * `incarnation`: of the sender's outbox, hexadecimal.
   */
  remembers(peer: number, incarnation: string, sequence: number): boolean;
}

/** What a cluster node is made of. */
export interface ClusterNodeOptions {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  readonly now: Instant;
  readonly wall: WallTime;
  readonly saved: SavedNode;
  /** Where the NMN is tried, resolved; may change by `setNmnAddresses`. */
  readonly nmnAddresses: readonly SocketAddress[];
  /** Absent: after a restart peers are told that what they sent before is forgotten. */
  readonly memory?: LastingMemory;
  /** What is known of sizes that fail on the way to other hosts; absent: nothing yet. */
  readonly sizeFailures?: SizeFailures | undefined;
  /** Hears what happens inside; `undefined`: nobody does. */
  readonly trace?: TraceSink | undefined;
  /** Documentation ranges (RFC 5737) count as public addresses: for laboratories alone. */
  readonly allowDocumentationAddresses?: boolean;
  /** How all sessions of the node are, where not as by default. Each node chooses for itself; the stricter age of keys decides. */
  readonly transport?: Partial<SessionTuning>;
}
