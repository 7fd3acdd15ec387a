import type { StatusCode } from '@coconet/capabilities';

/** Everything that can go wrong with an app's view of its network. Match on the code, never on the message. */
export const CLIENT_ERROR_CODES = [
  'INVALID_OPTION',
  'ADDRESS_INVALID',
  'UNKNOWN_NODE',
  'AMBIGUOUS_NAME',
  'UNKNOWN_RESOURCE',
  'CAPABILITY_MISSING',
  'MEMBER_MISSING',
  'INSTANCE_NEEDED',
  'DEVICE_UNREACHABLE',
  'TIMEOUT',
  'CANCELLED',
  'MALFORMED_ANSWER',
  'ADMIN_REFUSED',
  'NETWORK_CLOSED',
  'EXPELLED',
  'FILE_EXISTS',
  'HOLDER_LOST',
  'NOT_SUPPORTED',
] as const;

/** A stable code of {@link ClientError}. */
export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number];

/** An app's mistake, or something it waited for that did not come: `code` for programs, `message` for people. */
export class ClientError extends Error {
  readonly code: ClientErrorCode;
  /** What a node answered, where one did. */
  readonly status: StatusCode | undefined;

  constructor(
    code: ClientErrorCode,
    message: string,
    options: { readonly status?: StatusCode; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ClientError';
    this.code = code;
    this.status = options.status;
  }
}

/** A status that ends a command without success. */
export type FailureStatus = Exclude<
  StatusCode,
  'success' | 'successInsecure' | 'partialSuccess' | 'partialSuccessInsecure' | 'inProgress'
>;

/** Every code of {@link CommandError}: the status codes that are no success, in capitals and in their order. */
export const COMMAND_ERROR_CODES = [
  'INVALID',
  'FAILURE',
  'TIMEOUT',
  'REJECTED',
  'BUSY',
  'AUTH_FAILED',
  'PERMISSION_DENIED',
  'RESOURCE_NOT_SUPPORTED',
  'COMMAND_NOT_SUPPORTED',
  'NOT_FOUND',
  'CONNECTIVITY_ERROR',
  'NETWORK_DISCONNECTED',
  'DEVICE_UNREACHABLE',
  'NETWORK_BLOCKED',
  'TOKEN_NOT_SET',
  'TOKEN_REFRESH_FAILED',
  'DISCOVERY_NOT_APPLICABLE',
  'LIMIT_REACHED',
  'CONFLICT',
  'OUTCOME_UNKNOWN',
  'EXPIRED',
  'CANCELLED',
  'UNKNOWN',
] as const;

/** A stable code of {@link CommandError}. */
export type CommandErrorCode = (typeof COMMAND_ERROR_CODES)[number];

const FAILURES: Readonly<Record<FailureStatus, CommandErrorCode>> = {
  invalid: 'INVALID',
  failure: 'FAILURE',
  timeout: 'TIMEOUT',
  rejected: 'REJECTED',
  busy: 'BUSY',
  authFailed: 'AUTH_FAILED',
  permissionDenied: 'PERMISSION_DENIED',
  resourceNotSupported: 'RESOURCE_NOT_SUPPORTED',
  commandNotSupported: 'COMMAND_NOT_SUPPORTED',
  notFound: 'NOT_FOUND',
  connectivityError: 'CONNECTIVITY_ERROR',
  networkDisconnected: 'NETWORK_DISCONNECTED',
  deviceUnreachable: 'DEVICE_UNREACHABLE',
  networkBlocked: 'NETWORK_BLOCKED',
  tokenNotSet: 'TOKEN_NOT_SET',
  tokenRefreshFailed: 'TOKEN_REFRESH_FAILED',
  discoveryNotApplicable: 'DISCOVERY_NOT_APPLICABLE',
  limitReached: 'LIMIT_REACHED',
  conflict: 'CONFLICT',
  outcomeUnknown: 'OUTCOME_UNKNOWN',
  expired: 'EXPIRED',
  cancelled: 'CANCELLED',
  unknown: 'UNKNOWN',
};

/** Whether a status ends a command without success. */
export const isFailure = (status: StatusCode): status is FailureStatus => Object.hasOwn(FAILURES, status);

/** What is known about a command that did not succeed, besides its code. */
export interface CommandErrorDetails {
  /** The device said so; absent: our own side. */
  readonly answered?: boolean;
  /** The parameter that was wrong. */
  readonly field?: string;
  readonly cause?: unknown;
}

/**
 * A command, read, write or info request that did not succeed. `EXPIRED`, `DEVICE_UNREACHABLE` and `CANCELLED`: it never
 * ran and never will. `OUTCOME_UNKNOWN`: it may have run or not. Everything else is the device's own word.
 */
export class CommandError extends Error {
  readonly code: CommandErrorCode;
  /** The status in the spelling of the catalogue, where a device answered. */
  readonly status: FailureStatus | undefined;
  /** The parameter that was wrong. */
  readonly field: string | undefined;

  constructor(failure: FailureStatus, message: string, details: CommandErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'CommandError';
    this.code = FAILURES[failure];
    this.status = details.answered === true ? failure : undefined;
    this.field = details.field;
  }
}
