/**
 * What the SDKs stand on: the CP interface and the values that cross it.
 *
 * @module
 */
export * from './base/index.js';
export * from './interface/index.js';
export * from './streams/index.js';
export {
  type CongestionControl,
  type SessionTuning,
  StreamCode,
  type StreamOptions,
} from './session/index.js';
export { formatJoinUri, formatNetworkId, parseJoinUri, SERVICES } from './network/index.js';
export type { JoinUri, NodeKind, Role } from './network/index.js';
export type { Explanation, PathReport } from './path/index.js';
export type { SocketAddress } from './wire/index.js';
export type { CryptoProvider } from './crypto/provider.js';
