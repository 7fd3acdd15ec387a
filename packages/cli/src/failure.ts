import type { CapabilityErrorCode } from '@coconet/capabilities';
import type { ClientErrorCode, CommandErrorCode } from '@coconet/client-sdk';
import type { ClusterErrorCode } from '@coconet/cluster-protocol';
import type { NmnErrorCode } from '@coconet/nmn';

import { CliError, type CliErrorCode, UsageError } from './errors.js';

/** Everything that can end a command, with a stable code. */
export type FailureCode =
  CliErrorCode | CapabilityErrorCode | ClientErrorCode | CommandErrorCode | ClusterErrorCode | NmnErrorCode;

/** A failure as the tool tells it. */
export interface Failure {
  readonly code: string;
  /** What happened, and why. */
  readonly message: string;
  /** What to do next. */
  readonly next: string | undefined;
  /** 1: it failed; 2: what was typed can never be right. */
  readonly exit: 1 | 2;
  /** The word of the device in the catalogue's spelling, where one answered. */
  readonly status: string | undefined;
}

const MESSAGE_SAYS_IT = undefined;
const WHO = '`coconet nodes` shows who is there';
const WHAT = '`coconet ls` shows what there is';
const HELP = 'add --help to see how the command is typed';
const AGAIN = 'try again in a moment';
const DOCTOR = '`coconet doctor` looks for the reason';
const ASK_OWNER = 'ask an owner or admin of the network';

/** What to do next, for each code; where its message says that already, nothing. */
const NEXT: Readonly<Record<FailureCode, string | undefined>> = {
  USAGE: HELP,
  NO_MEMBERSHIP: MESSAGE_SAYS_IT,
  NMN_NOT_RUNNING: 'start one with `coconet nmn start`, or name its data folder with --data',
  NOTHING_TO_READ: WHAT,
  NOTHING_TO_EXPLAIN: WHO,
  OUTPUT_FAILED: 'is the disk full? see the message',
  NOT_CLEAR: MESSAGE_SAYS_IT,
  NO_ANSWER: DOCTOR,
  COMMAND_FAILED: MESSAGE_SAYS_IT,
  CHECKS_FAILED: MESSAGE_SAYS_IT,
  INTERNAL: 'this is a bug: run it again with COCONET_DEBUG=1 and report what it prints',

  INVALID_DEFINITION: MESSAGE_SAYS_IT,
  DUPLICATE_CAPABILITY: MESSAGE_SAYS_IT,
  VALUE_WRONG_TYPE: MESSAGE_SAYS_IT,
  VALUE_OUT_OF_RANGE: MESSAGE_SAYS_IT,
  VALUE_TOO_LONG: MESSAGE_SAYS_IT,
  VALUE_TOO_DEEP: MESSAGE_SAYS_IT,
  UNKNOWN_CAPABILITY: WHAT,
  UNKNOWN_ATTRIBUTE: WHAT,
  UNKNOWN_COMMAND: WHAT,
  UNKNOWN_INFO_REQUEST: WHAT,
  UNKNOWN_PARAMETER: 'parameters read name=value, as in level=40',
  MISSING_PARAMETER: 'parameters read name=value, as in level=40',
  NOT_WRITABLE:
    '`coconet ls` shows what is writable; what a device does, it does on a command: `coconet call`',
  MALFORMED: 'the device runs another version of this capability: update the older of the two',
  MESSAGE_TOO_LARGE: 'send less at once',

  INVALID_OPTION: HELP,
  ADDRESS_INVALID: 'an address reads DEVICE/RESOURCE CAPABILITY.MEMBER, as in Desk/lamp onOff.on',
  UNKNOWN_NODE: WHO,
  AMBIGUOUS_NAME: "use the id instead of the name, in quotes, as in '#17/lamp'",
  UNKNOWN_RESOURCE: WHAT,
  CAPABILITY_MISSING: WHAT,
  MEMBER_MISSING: WHAT,
  INSTANCE_NEEDED: WHAT,
  DEVICE_UNREACHABLE: `is it on, and its program running? ${WHO}`,
  TIMEOUT: `${DOCTOR}; a command that has --timeout waits for longer`,
  CANCELLED: MESSAGE_SAYS_IT,
  MALFORMED_ANSWER: 'the other side runs another version: update the older of the two',
  ADMIN_REFUSED: ASK_OWNER,
  NETWORK_CLOSED: AGAIN,
  EXPELLED: 'ask for a new invitation, and join with another --store',
  FILE_EXISTS: 'name another file; this one is never overwritten',
  HOLDER_LOST: AGAIN,
  NOT_SUPPORTED: MESSAGE_SAYS_IT,

  INVALID: 'the device refuses these parameters: see the message',
  FAILURE: 'the device tried and failed: see its own log',
  REJECTED: 'the device or its user said no',
  BUSY: AGAIN,
  AUTH_FAILED: 'the PIN, key or token in the command is wrong',
  PERMISSION_DENIED: ASK_OWNER,
  RESOURCE_NOT_SUPPORTED: WHAT,
  COMMAND_NOT_SUPPORTED: WHAT,
  NOT_FOUND: WHAT,
  CONNECTIVITY_ERROR: 'the device could not reach what it needs: see its own log',
  NETWORK_DISCONNECTED: DOCTOR,
  NETWORK_BLOCKED: 'ask the operator of the network',
  TOKEN_NOT_SET: 'sign in again',
  TOKEN_REFRESH_FAILED: 'sign in again',
  DISCOVERY_NOT_APPLICABLE: MESSAGE_SAYS_IT,
  LIMIT_REACHED: 'remove something that is not needed any more',
  CONFLICT: 'look at the present state and decide again',
  OUTCOME_UNKNOWN:
    'it may have run or not: look at the present state with `coconet get` before you repeat it',
  EXPIRED: `it never ran and never will; ${WHO}`,
  UNKNOWN: 'the device runs a newer version: update this tool',

  INVALID_ARGUMENT: HELP,
  INVALID_STATE: AGAIN,
  HANDSHAKE_FAILED: DOCTOR,
  HANDSHAKE_TIMEOUT: DOCTOR,
  HANDSHAKE_REFUSED: DOCTOR,
  SESSION_CLOSED: AGAIN,
  QUEUE_FULL: AGAIN,
  PEER_UNKNOWN: WHO,
  PEER_AWAY: WHO,
  JOIN_URI_INVALID: 'copy the whole URI, in quotes: a shell cuts it at &',
  JOIN_REFUSED: MESSAGE_SAYS_IT,
  WRONG_NETWORK: MESSAGE_SAYS_IT,
  CERTIFICATE_INVALID: 'ask for a new invitation; if it happens again, do not trust this NMN',
  NOT_A_MEMBER: 'join with `coconet join URI`, or name another store with --store',
  NOT_PERMITTED: ASK_OWNER,
  STORE_IN_USE: 'name another store with --store',
  STORE_UNUSABLE: MESSAGE_SAYS_IT,
  STORE_NEWER: 'update this tool: npm install --global coconet@latest',
  PORT_IN_USE: 'name another port with --port, or stop what uses this one',
  SOCKET_FAILED: DOCTOR,
  NMN_UNREACHABLE: `is it running, and is UDP let through? ${DOCTOR}`,
  STREAM_RESET: undefined,
  STREAM_STOPPED: undefined,

  CONFIG_INVALID: HELP,
  DATA_FOLDER_IN_USE: '`coconet nmn status` shows the one that runs',
  DATA_FOLDER_NEWER: MESSAGE_SAYS_IT,
  DATA_FOLDER_FOREIGN: MESSAGE_SAYS_IT,
  DATA_FOLDER_UNWRITABLE: 'name another folder with --data, or make this one writable',
  DATA_FOLDER_UNSAFE: MESSAGE_SAYS_IT,
  DATABASE_DAMAGED: 'restore a backup of the data folder',
  DATABASE_UNSUPPORTED: MESSAGE_SAYS_IT,
  STORAGE_FAILED: 'is the disk full? see the message',
  ADMIN_SOCKET_FAILED: 'name a folder with a shorter path with --data',
  NETWORK_UNKNOWN: '`coconet network list` shows the networks',
  NETWORK_EXISTS: '`coconet network list` shows the networks',
  NETWORK_INVALID: MESSAGE_SAYS_IT,
};

/** What no change around the tool can make right: the command line has to be another one. */
const USED_WRONGLY: ReadonlySet<string> = new Set<FailureCode>([
  'USAGE',
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
  'INVALID_OPTION',
  'ADDRESS_INVALID',
  'INVALID_ARGUMENT',
  'JOIN_URI_INVALID',
  'CONFIG_INVALID',
]);

/** Every code that the tool explains. */
export const FAILURE_CODES: readonly string[] = Object.keys(NEXT);

/** What the operating system says, in words. */
const SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'this user may not do that: check the permissions of the file or folder',
  EPERM: 'this user may not do that: check the permissions of the file or folder',
  ENOSPC: 'the disk is full: make room and try again',
  EDQUOT: 'the disk quota is used up: make room and try again',
  EROFS: 'the file system is read-only: name another folder',
  ENOENT: 'a file or folder is missing: check its name',
  ENOTDIR: 'a part of the path is no folder: check its name',
  EMFILE: 'too many files are open: close some programs and try again',
};

/** The failure that an error means. What has no code of ours is a bug of ours. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const { code, status } = fieldsOf(error);
  const statusText = typeof status === 'string' ? status : undefined;
  if (error instanceof CliError) {
    const exit = error instanceof UsageError ? 2 : 1;
    return { code: error.code, message, next: error.next ?? NEXT[error.code], exit, status: statusText };
  }
  if (typeof code === 'string' && Object.hasOwn(NEXT, code)) {
    const exit = USED_WRONGLY.has(code) ? 2 : 1;
    return { code, message, next: NEXT[code as FailureCode], exit, status: statusText };
  }
  if (typeof code === 'string' && Object.hasOwn(SYSTEM, code))
    return { code, message, next: SYSTEM[code], exit: 1, status: undefined };
  return {
    code: 'INTERNAL',
    message: `something that must not happen has happened: ${message}`,
    next: NEXT.INTERNAL,
    exit: 1,
    status: undefined,
  };
}

function fieldsOf(error: unknown): { readonly code?: unknown; readonly status?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}
