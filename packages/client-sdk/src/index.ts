/**
 * Finds, reads, watches and commands the devices of a Coconet network.
 *
 * @module
 */
export { CLIENT_ERROR_CODES, COMMAND_ERROR_CODES, ClientError, CommandError } from './errors.js';
export type { ClientErrorCode, CommandErrorCode, CommandErrorDetails, FailureStatus } from './errors.js';
export type {
  Administration,
  ConnectOptions,
  CreatedNetwork,
  CreateNetworkOptions,
  Invitation,
  InvitationWish,
  Network,
  NodeChange,
  DropCounts,
  NodeExplanation,
  NodeInfo,
  NodePath,
  PingOptions,
  PingReply,
  TriedAddress,
  WaitOptions,
} from './network.js';
export type {
  AttributeReport,
  CallOptions,
  CapabilityHandle,
  CapabilityInfo,
  GenericCapability,
  LateOutcome,
  Loose,
  Progress,
  ReadOptions,
  Resource,
  ResourceInfo,
  ResourceWatchOptions,
  TypedResource,
  WatchOptions,
} from './resource.js';
export { connect, createNetwork } from './client.js';
