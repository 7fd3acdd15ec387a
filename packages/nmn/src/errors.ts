/** What can go wrong around an NMN. What arrives wrong from the network never becomes one of these: it is counted. */
export const NMN_ERROR_CODES = [
  'CONFIG_INVALID',
  'DATA_FOLDER_IN_USE',
  'DATA_FOLDER_NEWER',
  'DATA_FOLDER_FOREIGN',
  'DATA_FOLDER_UNWRITABLE',
  'DATA_FOLDER_UNSAFE',
  'DATABASE_DAMAGED',
  'DATABASE_UNSUPPORTED',
  'STORAGE_FAILED',
  'PORT_IN_USE',
  'ADMIN_SOCKET_FAILED',
  'NETWORK_UNKNOWN',
  'NETWORK_EXISTS',
  'NETWORK_INVALID',
  'LIMIT_REACHED',
  'INVALID_STATE',
] as const;

/** A stable code of {@link NmnError}; match on it, never on the message. */
export type NmnErrorCode = (typeof NMN_ERROR_CODES)[number];

/** A mistake of the operator or a failure of the machine: `code` for programs, `message` for people. */
export class NmnError extends Error {
  readonly code: NmnErrorCode;

  constructor(code: NmnErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'NmnError';
    this.code = code;
  }
}
