import type { Peer } from '../network/index.js';
import type { Explanation, LocalLink, PathReport } from '../path/index.js';
import type { Path, SessionStatistics } from '../session/index.js';
import { MAX_DATAGRAM, type SocketAddress } from '../wire/index.js';
import type { AwayReason, MemberReport } from './events.js';
import type { Link } from './machine.js';

/** What is known of one member at one moment. */
export interface NodeReport extends MemberReport {
  readonly self: boolean;
  readonly online: boolean;
  readonly lastSeen: number;
  readonly path: PathReport | undefined;
}

/** Why the path to a peer is what it is, and what it carried. */
export interface PeerExplanation extends Explanation {
  readonly nodeId: number;
  readonly name: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly lostPackets: number;
  /** Packets whose contents went over a second path as well, while the first was suspect. */
  readonly doubledPackets: number;
  readonly waitingMessages: number;
  /** Bytes of the largest datagram that is sent to it. */
  readonly mtu: number;
  readonly nmn: 'connected' | 'away';
  /** Where the NMN sees this node, the newest first; empty: it has not said so. */
  readonly seenAs: readonly SocketAddress[];
}

/** Entries of a node's tables, for diagnostics. */
export interface NodeTables {
  /** Members that it deals or dealt with; they stay. */
  readonly peers: number;
  /** Sessions and handshakes, with the NMN's. */
  readonly sessions: number;
  readonly paths: number;
  /** Relay channels. */
  readonly leases: number;
  /** Bytes held for streams. */
  readonly streamBytes: number;
}

/** What is known of a member. `presence` is the NMN's word, the peer's session and its `path` ours. */
export function reportNode(
  member: MemberReport,
  ownId: number,
  peer: Peer | undefined,
  presence: { readonly online: boolean; readonly lastSeen: number } | undefined,
  path: PathReport | undefined,
): NodeReport {
  const self = member.nodeId === ownId;
  const connected = peer?.session !== undefined;
  return {
    ...member,
    self,
    online: self || connected || presence?.online === true,
    lastSeen: presence?.lastSeen ?? 0,
    path: connected ? path : undefined,
  };
}

/** Why the path to a peer is what it is, and what it carried. */
export function explainPeer(
  explanation: Explanation,
  peer: Peer,
  name: string,
  totals: SessionStatistics | undefined,
  mtu: number | undefined,
  nmn: { readonly connected: boolean; readonly reflexive: readonly SocketAddress[] },
): PeerExplanation {
  return {
    ...explanation,
    nodeId: peer.nodeId,
    name,
    sentBytes: totals?.sentBytes ?? 0,
    receivedBytes: totals?.receivedBytes ?? 0,
    sentPackets: totals?.sentPackets ?? 0,
    lostPackets: totals?.lostPackets ?? 0,
    doubledPackets: totals?.doubledPackets ?? 0,
    waitingMessages: peer.outbox.size,
    mtu: mtu ?? MAX_DATAGRAM,
    nmn: nmn.connected ? 'connected' : 'away',
    seenAs: nmn.reflexive,
  };
}

/** How the end of a session reads to the program. */
export const AWAY: Record<'peer' | 'local' | 'idle' | 'reset', AwayReason> = {
  peer: 'closed',
  local: 'local',
  idle: 'silent',
  reset: 'restarted',
};

/** The path to the NMN, which no agent steers. */
export const nmnPath = (path: Path): PathReport => ({
  path: 'direct',
  scope: 'internet',
  remote: path.remote,
  rtt: undefined,
});

/** The links as path agents know them. */
export const localLinks = (links: readonly Link[]): readonly LocalLink[] =>
  links.map(({ id, family, port, addresses }) => ({ link: id, family, port, addresses }));
