export { Authorship } from './authorship.js';
export { ClusterNode } from './cluster-node.js';
export type { NodeReport, PeerExplanation } from './reports.js';
export type { ClusterNodeOptions, LastingMemory, Membership, SavedNode } from './cluster-options.js';
export type { AwayReason, ClusterEvent, MemberReport } from './events.js';
export { Cancellation } from './cancellation.js';
export { checkNetwork, joinNetwork } from './joining.js';
export { type Ask, callNmn, type CallOutcome, type CallTarget } from './nmn-conversation.js';
export type { Joined, JoinOutcome } from './joining.js';
export { DAMAGED_KEY } from './machine.js';
export type {
  Host,
  Link,
  LinkId,
  LinkOptions,
  LocalAddress,
  Machine,
  RunningMachine,
  SendError,
  Store,
  Transmit,
} from './machine.js';
export { MemberRuntime } from './member-runtime.js';
export { encodeHosts, NMN_HOSTS_KEY } from './nmn-hosts.js';
export type { MemberOptions } from './member-runtime.js';
export { NmnCall } from './nmn-call.js';
export type { CallEvent, CallFailure, CallOptions } from './nmn-call.js';
export { loadKeys, loadMembership, membershipChanges, startNode } from './saved-node.js';
export { PeerStreams } from './peer-streams.js';
export type { StreamEvent, StreamRef } from './peer-streams.js';
export { type TransportOptions, tuningOf } from './transport-options.js';
export { MemoryStore } from './memory-store.js';
