export { Session } from './session.js';
export type { SendErrorCode } from './session.js';
export type { OutboundMessage } from './outgoing-message.js';
export type { PathStatistics, SessionStatistics } from './session-statistics.js';
export type { FrameTally } from './frame-counts.js';
export type { ClosedBy, PathId, SessionEvent, SessionTransmit } from './session-event.js';
export { DEFAULT_SESSION_CONFIG } from './session-options.js';
export type { CongestionControl } from './congestion.js';
export type { SessionConfig, SessionOptions } from './session-options.js';
export { KeyRatchet, REKEY_EXPORT, type KeyRatchetOptions } from './key-ratchet.js';
export {
  checkTuning,
  MAX_REKEY_AFTER,
  MAX_REKEY_PACKETS,
  MIN_REKEY_AFTER,
  type SessionTuning,
} from './session-tuning.js';
export type { RekeyAnswer, RekeyNoise, RekeyOffer } from './rekey-noise.js';
export { StreamCode } from './session-streams.js';
export type { SessionStreams, StreamOptions } from './session-streams.js';
export type { StreamChunk } from './incoming-stream.js';
export { MessageMemory } from './message-memory.js';
export { SizeFailure, SizeFailures } from './size-failure.js';
export { StreamMemory } from './stream-memory.js';
export { isOneWay, streamOpener } from './stream-id.js';
export { Endpoint } from './endpoint.js';
export { EndpointPaths } from './endpoint-paths.js';
export type { Path } from './endpoint-paths.js';
export type { EndpointTracing } from './endpoint-trace.js';
export type { LossTrigger, SessionName, SessionTrace, StreamTraceState } from './session-trace.js';
export type {
  ConnectOptions,
  EndpointEvent,
  EndpointOptions,
  EndpointPolicy,
  HandshakeFailure,
  HandshakeId,
  InitiationRequest,
  InitiationVerdict,
  ResponseVerdict,
  SessionHandle,
} from './endpoint-types.js';
export { MAX_HANDSHAKE_PAYLOAD } from './handshake-packets.js';
export { MAX_HANDSHAKE_PATHS } from './outgoing-handshake.js';
