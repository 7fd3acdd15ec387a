/** Everything an application can do wrong with a capability. Match on the code, never on the message. */
export const CAPABILITY_ERROR_CODES = [
  'INVALID_DEFINITION',
  'DUPLICATE_CAPABILITY',
  'VALUE_WRONG_TYPE',
  'VALUE_OUT_OF_RANGE',
  'VALUE_TOO_LONG',
  'VALUE_TOO_DEEP',
  'UNKNOWN_CAPABILITY',
  'UNKNOWN_ATTRIBUTE',
  'UNKNOWN_COMMAND',
  'UNKNOWN_INFO_REQUEST',
  'UNKNOWN_PARAMETER',
  'MISSING_PARAMETER',
  'NOT_WRITABLE',
  'MALFORMED',
  'MESSAGE_TOO_LARGE',
] as const;

/** A stable code of {@link CapabilityError}. */
export type CapabilityErrorCode = (typeof CAPABILITY_ERROR_CODES)[number];

/** What a {@link CapabilityError} is about, for programs that show it their own way. */
export interface CapabilityErrorDetails {
  /** Name (or, of an unknown one, id) of the capability. */
  readonly capability?: string;
  /** Name of the attribute, command, info request or parameter. */
  readonly member?: string;
  /** What is allowed, in words: a range with its unit, or a list of names. */
  readonly allowed?: string;
  /** The known name closest to an unknown one. */
  readonly nearest?: string;
}

/** A mistake of the caller: `code` for programs, `message` for people, `details` for user interfaces. */
export class CapabilityError extends Error {
  readonly code: CapabilityErrorCode;
  readonly details: CapabilityErrorDetails;

  constructor(code: CapabilityErrorCode, message: string, details: CapabilityErrorDetails = {}) {
    super(message);
    this.name = 'CapabilityError';
    this.code = code;
    this.details = details;
  }
}
