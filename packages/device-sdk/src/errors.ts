import type { StatusCode } from '@coconet/capabilities';

/** Everything a program can do wrong with a device of its own. Match on the code, never on the message. */
export const DEVICE_ERROR_CODES = [
  'INVALID_OPTION',
  'INVALID_RESOURCE',
  'DUPLICATE_RESOURCE',
  'UNKNOWN_RESOURCE',
  'RESOURCE_REMOVED',
  'UNKNOWN_INSTANCE',
  'NOT_PUBLISHABLE',
  'LIMIT_REACHED',
  'DEVICE_CLOSED',
] as const;

/** A stable code of {@link DeviceError}. */
export type DeviceErrorCode = (typeof DEVICE_ERROR_CODES)[number];

/** A mistake in the use of a device: `code` for programs, `message` for people. */
export class DeviceError extends Error {
  readonly code: DeviceErrorCode;

  constructor(code: DeviceErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'DeviceError';
    this.code = code;
  }
}

/** Codes a handler may end its command with. Those that only the sender's side or this SDK can know are left out. */
export type RefusalCode = Exclude<
  StatusCode,
  'success' | 'inProgress' | 'timeout' | 'outcomeUnknown' | 'expired' | 'deviceUnreachable' | 'unknown'
>;

/** What a {@link CommandRefused} tells the sender besides its code. */
export interface RefusalDetails {
  /** The parameter that was the reason. */
  readonly field?: string;
}

/**
 * Thrown by a handler that does not do what it was asked: the sender gets the code and the message.
 *
 * @example
 * door.lock.handle({ unlock: ({ code }) => { if (code !== pin) throw new CommandRefused('authFailed', 'wrong code'); } });
 */
export class CommandRefused extends Error {
  readonly status: RefusalCode;
  readonly field: string | undefined;

  constructor(status: RefusalCode, message: string, details: RefusalDetails = {}) {
    super(message);
    this.name = 'CommandRefused';
    this.status = status;
    this.field = details.field;
  }
}
