import type { AnyCapability, CapabilityRegistry } from '@coconet/capabilities';
import type { DropReason, NodeKind, Role, Store, TransportOptions } from '@coconet/cluster-protocol';
import type { AttributeReport, Resource, ResourceWatchOptions, TypedResource } from './resource.js';

/** How long something is waited for. */
export interface WaitOptions {
  /** ms; each call names its default. */
  readonly timeout?: number | undefined;
  /** Ends the waiting with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
}

/** A member of the network, as this node sees it now. */
export interface NodeInfo {
  readonly nodeId: number;
  /** Unique as a rule, but nobody enforces it; may be empty. */
  readonly name: string;
  readonly kind: NodeKind;
  readonly role: Role;
  /** Whom it acts for; may be empty. */
  readonly user: string;
  /** It is this very node. */
  readonly self: boolean;
  readonly online: boolean;
  /** When it was last known to be online; `null`: never, or not known. */
  readonly lastSeen: Date | null;
  /** The path that data to it takes; `null`: there is no session with it. */
  readonly path: NodePath | null;
}

/** How data to a member travels. */
export interface NodePath {
  readonly path: 'direct' | 'peerRelay' | 'relay';
  readonly scope: 'host' | 'lan' | 'internet';
  /** Address and port of the other end; over a relay, the relay's. */
  readonly remote: string;
  /** Round-trip time in ms; `null`: not measured yet. */
  readonly rtt: number | null;
}

/** What became of a member. */
export interface NodeChange {
  /** `added` comes once for every member at first, and then for new ones. */
  readonly change: 'added' | 'changed' | 'removed';
  readonly node: NodeInfo;
}

/** One address of a peer that was tried. */
export interface TriedAddress {
  readonly address: string;
  readonly kind: string;
  readonly state: 'active' | 'standby' | 'suspect' | 'failed' | 'probing' | 'waiting' | 'refused';
  readonly lastResult: string;
  readonly probes: number;
}

/** Why the path to a member is what it is, and what it carried. */
export interface NodeExplanation {
  readonly nodeId: number;
  readonly name: string;
  /** `null`: there is no session. */
  readonly path: 'direct' | 'peerRelay' | 'relay' | null;
  readonly scope: 'host' | 'lan' | 'internet' | null;
  /** One sentence for people. */
  readonly sentence: string;
  /** Round-trip time in ms. */
  readonly rtt: number | null;
  readonly tried: readonly TriedAddress[];
  /** When the peer's addresses are probed next, in ms from now; `null`: there is no need. */
  readonly nextTry: number | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly lostPackets: number;
  /** Packets whose contents went over a second path as well, while the first was suspect. */
  readonly doubledPackets: number;
  /** Bytes that the relay dropped, because everything that this node sends through it exceeds its rate. */
  readonly shapedBytes: number;
  readonly waitingMessages: number;
  /** Bytes of the largest datagram that is sent to it. */
  readonly mtu: number;
  readonly nmn: 'connected' | 'away';
  /** Addresses and ports at which the NMN sees this node; empty: it has not said so. */
  readonly seenAs: readonly string[];
}

/** How often something from the network was dropped, by the reason of the cluster protocol (`badTag`, `replayed`, …). */
export type DropCounts = Partial<Readonly<Record<DropReason, number>>>;

/** Options of {@link Network.ping}. */
export interface PingOptions extends WaitOptions {
  /** Pings to send. Default 4; `Infinity`: until aborted. */
  readonly count?: number | undefined;
  /** ms between two pings. Default 1,000. */
  readonly interval?: number | undefined;
}

/** What became of one ping: a message to the node and its acknowledgement or answer. */
export interface PingReply {
  /** From 1. */
  readonly sequence: number;
  /** ms there and back; `null`: no answer in time. */
  readonly rtt: number | null;
  /** The path it took. */
  readonly path: NodePath | null;
}

/** Who is invited, and as what. */
export interface InvitationWish {
  readonly kind: 'device' | 'client' | 'service';
  /** Default: `none` for a device or service, `guest` for a client. `admin` needs an owner. */
  readonly role?: 'none' | 'guest' | 'admin' | undefined;
  /** Name for the node when it brings none of its own. */
  readonly name?: string | undefined;
  /** Whom the node will act for. */
  readonly user?: string | undefined;
  /** ms. Default 24 h. */
  readonly expiresIn?: number | undefined;
}

/** An invitation. Whoever has the URI can use it once. */
export interface Invitation {
  /** Holds the secret: show it to the invited one alone. */
  readonly uri: string;
  readonly nodeId: number;
  readonly expiresAt: Date;
}

/** What owners and admins do. */
export interface Administration {
  /** Invites. @throws {ClientError} `ADMIN_REFUSED`, `TIMEOUT`, `CANCELLED`. */
  createInvitation(wish: InvitationWish, options?: WaitOptions): Promise<Invitation>;
  /** Cuts a node off for good. @throws {ClientError} as {@link createInvitation}, `UNKNOWN_NODE`, `AMBIGUOUS_NAME`. */
  revoke(node: string | number, reason?: string, options?: WaitOptions): Promise<void>;
  /** This node leaves the network; the store forgets it. @throws {ClientError} `ADMIN_REFUSED`: an owner cannot. */
  leave(options?: WaitOptions): Promise<void>;
}

/** A network that this program is in: its nodes, their resources, and what one can do with them. */
export interface Network extends AsyncDisposable {
  /** 22 letters. */
  readonly networkId: string;
  /** This node's own id and name. */
  readonly nodeId: number;
  readonly name: string;
  readonly role: Role;
  /** Whether there is a session with the NMN. What is local goes on without it. */
  readonly nmn: 'connected' | 'away';
  /** Another program holds the node, and this one uses it. */
  readonly shared: boolean;
  readonly admin: Administration;

  /** The members, as they are known now. */
  nodes(): readonly NodeInfo[];
  /** A member by name, `#17`, or id. @throws {ClientError} `UNKNOWN_NODE` with the nearest name, `AMBIGUOUS_NAME`. */
  node(node: string | number): NodeInfo;
  /** All members first, then what becomes of them. A slow reader gets the newest state of each node only. */
  watchNodes(options?: Pick<WaitOptions, 'signal'>): AsyncIterable<NodeChange>;

  /** The resources that are known now, of devices that are there and that were. */
  resources(): readonly Resource[];
  /**
   * Resolves when the picture is complete: presence is known, and every device that is online has told its resources;
   * or when `timeout` (default 3 s) has passed. For programs that list and end.
   */
  ready(options?: WaitOptions): Promise<void>;
  /**
   * A resource by its address, `Desk/lamp` or `#17/lamp`, with the capabilities of the list as properties. Waits for it,
   * 10 s by default.
   *
   * @throws {ClientError} `UNKNOWN_RESOURCE`, `UNKNOWN_NODE` (with the nearest name), `AMBIGUOUS_NAME`,
   * `DEVICE_UNREACHABLE`, `CAPABILITY_MISSING`, `ADDRESS_INVALID`, `CANCELLED`.
   */
  resource<const L extends readonly AnyCapability[]>(
    address: string,
    capabilities: L,
    options?: WaitOptions,
  ): Promise<TypedResource<L>>;
  /** The same for programs that learn at run time what there is. */
  resource(address: string, options?: WaitOptions): Promise<Resource>;
  /** Follows the values of all resources of a device, or of the whole network: what {@link Resource.watch} gives. */
  watch(
    options?: ResourceWatchOptions & { readonly node?: string | number | undefined },
  ): AsyncIterable<readonly AttributeReport[]>;

  /** Datagrams, frames and messages that came since the start and were dropped, by reason; a reason without any is absent. */
  dropped(): Promise<DropCounts>;
  /** Why the path to a node is what it is. @throws {ClientError} `UNKNOWN_NODE`, `AMBIGUOUS_NAME`. */
  explain(node: string | number): Promise<NodeExplanation>;
  /** Measures the way to a node and back; `timeout` (default 2 s) is for each ping. Not yet connected: the first waits. */
  ping(node: string | number, options?: PingOptions): AsyncIterable<PingReply>;

  /** Says goodbye. What is under way ends with `NETWORK_CLOSED`. */
  close(): Promise<void>;
}

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** A join URI. Used only while the store holds no membership; may stay there for ever. */
  readonly join?: string | undefined;
  /** Where identity and network state are kept: a folder on Node, or an object of the `Store` interface. */
  readonly store: string | Store;
  /** Name wanted for this node; the invitation's comes first. */
  readonly name?: string | undefined;
  /** Ends the connecting with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** Something that a person should know and nobody waits for. Default: it is dropped. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Capabilities that generic use knows: the standard's, with vendors'. Default: `standardRegistry`. */
  readonly capabilities?: CapabilityRegistry | undefined;
  /** UDP port. Default: the one of the last start where it is free, else any. */
  readonly port?: number | undefined;
  /** Congestion control, and how old keys may be: up to an hour where each packet costs. Default: CUBIC, two minutes. */
  readonly transport?: TransportOptions | undefined;
  /** Counts documentation addresses (RFC 5737) as public ones: for laboratories alone. */
  readonly allowDocumentationAddresses?: boolean | undefined;
}

/** Options of {@link createNetwork}: exactly one of `operator` and `localSocket`. */
export interface CreateNetworkOptions {
  /** One-time URI of the operator of an NMN. */
  readonly operator?: string | undefined;
  /** Path of the local socket of an NMN on this machine, which then gives an operator URI itself. */
  readonly localSocket?: string | undefined;
  /** Name of the network. */
  readonly name: string;
  /** Name of the owner's node. Default: `user`. */
  readonly nodeName?: string | undefined;
  /** Name of the person who owns it. */
  readonly user: string;
  /** Gets the owner's membership; must hold none. It remembers a creation that got no answer, which is then finished. */
  readonly store: string | Store;
  /** Gets the root key, mode 0600; must not exist, unless it is that of a creation to be finished. */
  readonly rootFile: string;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link createNetwork} made. */
export interface CreatedNetwork {
  /** 22 letters. */
  readonly networkId: string;
  readonly name: string;
  /** The owner's node. */
  readonly nodeId: number;
  readonly rootFile: string;
}
