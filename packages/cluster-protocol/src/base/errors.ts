/**
 * What can go wrong by a mistake of the application or its surroundings. What arrives wrong from the network never
 * becomes an error: it is dropped with a {@link DropReason}.
 */
export const CLUSTER_ERROR_CODES = [
  'INVALID_ARGUMENT',
  'INVALID_STATE',
  'HANDSHAKE_FAILED',
  'HANDSHAKE_TIMEOUT',
  'HANDSHAKE_REFUSED',
  'SESSION_CLOSED',
  'MESSAGE_TOO_LARGE',
  'QUEUE_FULL',
  'PEER_UNKNOWN',
  'PEER_AWAY',
  'EXPIRED',
  'CANCELLED',
  'OUTCOME_UNKNOWN',
  'JOIN_URI_INVALID',
  'JOIN_REFUSED',
  'WRONG_NETWORK',
  'CERTIFICATE_INVALID',
  'NOT_A_MEMBER',
  'NOT_PERMITTED',
  'STORE_IN_USE',
  'STORE_UNUSABLE',
  'STORE_NEWER',
  'PORT_IN_USE',
  'SOCKET_FAILED',
  'NMN_UNREACHABLE',
  'STREAM_RESET',
  'STREAM_STOPPED',
] as const;

/** A stable code of {@link ClusterError}; match on it, never on the message. */
export type ClusterErrorCode = (typeof CLUSTER_ERROR_CODES)[number];

/** A mistake of the caller or a failure of its surroundings: `code` for programs, `message` for people. */
export class ClusterError extends Error {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ClusterError';
    this.code = code;
  }
}

/** States a fact that holds by construction; failing is a bug of ours and stops the program at once. */
export function assert(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${fact}`);
}
