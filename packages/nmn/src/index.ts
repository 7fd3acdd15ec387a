/**
 * The Network Management Node: admits nodes to networks, introduces them to each other, and relays as a last resort.
 *
 * @module
 */
export { connectToNmn, type NetworkSummary, type NmnAdmin, type NmnStatus } from './admin/admin-socket.js';
export {
  DEFAULT_CONFIG,
  DEFAULT_PORT,
  type HttpConfig,
  type ListenConfig,
  type MembershipConfig,
  type NmnConfig,
  type NmnConfigInput,
  parseConfig,
} from './config.js';
export { NMN_ERROR_CODES, NmnError, type NmnErrorCode } from './errors.js';
export { LOG_LEVELS, type LogLevel } from './log.js';
export { type NmnOptions, type RunningNmn, startNmn } from './nmn.js';
export type { Migration } from './storage/migrations/index.js';
export type {
  Caller,
  Health,
  HttpRequest,
  HttpResponse,
  HttpRoute,
  Metric,
  MetricSample,
  NmnEvent,
  ServiceHandler,
  Subsystem,
  SubsystemSurroundings,
} from './subsystem.js';
