/** What can go wrong in the tool itself; what it stands on has codes of its own. */
export const CLI_ERROR_CODES = [
  'USAGE',
  'NO_MEMBERSHIP',
  'NMN_NOT_RUNNING',
  'NOTHING_TO_READ',
  'NOTHING_TO_EXPLAIN',
  'OUTPUT_FAILED',
  'NOT_CLEAR',
  'NO_ANSWER',
  'COMMAND_FAILED',
  'CHECKS_FAILED',
  'INTERNAL',
] as const;

/** A stable code of {@link CliError}; match on it, never on the message. */
export type CliErrorCode = (typeof CLI_ERROR_CODES)[number];

/** A failure with a `code` for programs, a `message` that says what happened and why, and what to do `next`. */
export class CliError extends Error {
  readonly code: CliErrorCode;
  /** One sentence; absent where the message says it, or where nothing can be done. */
  readonly next: string | undefined;

  constructor(code: CliErrorCode, message: string, options: { next?: string; cause?: unknown } = {}) {
    super(message, options);
    this.name = 'CliError';
    this.code = code;
    this.next = options.next;
  }
}

/** The command line itself is wrong: exit status 2, and a pointer to the help of the command. */
export class UsageError extends CliError {
  constructor(message: string, next?: string) {
    super('USAGE', message, next === undefined ? {} : { next });
    this.name = 'UsageError';
  }
}
