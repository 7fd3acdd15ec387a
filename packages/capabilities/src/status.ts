/**
 * What can become of a command, with its number on the wire: stable, never reused. Every code but `inProgress` is
 * terminal: exactly one terminal status ends a command.
 */
export const STATUS_NUMBERS = {
  /** Done as asked. */
  success: 0,
  /** Done (onboarding), but the link to the resource has no encryption. */
  successInsecure: 1,
  /** Some of it worked; the response lists which. */
  partialSuccess: 2,
  /** Some of it worked, and the link to the resource has no encryption. */
  partialSuccessInsecure: 3,
  /** Work goes on, more statuses follow. */
  inProgress: 4,
  /** Parameters missing, malformed or out of range; the status names the field. */
  invalid: 5,
  /** Tried and failed. */
  failure: 6,
  /** No terminal status in time; made by the sender's own side. */
  timeout: 7,
  /** Understood and refused by the device or its user. */
  rejected: 8,
  /** Cannot run now; try again. */
  busy: 9,
  /** A credential in the command (PIN, key, token) was wrong. */
  authFailed: 10,
  /** The sender's role or grant does not allow this. */
  permissionDenied: 11,
  /** The device cannot work with that kind of resource. */
  resourceNotSupported: 12,
  /** This resource does not have the command. */
  commandNotSupported: 13,
  /** No such network, node, resource, capability or item. */
  notFound: 14,
  /** The device could not reach a service or radio that it needs. */
  connectivityError: 15,
  /** The sender has no link to the network at all. */
  networkDisconnected: 16,
  /** The network is up, that device is not. */
  deviceUnreachable: 17,
  /** Network or device is suspended by its operator. */
  networkBlocked: 18,
  /** The user's session is missing. */
  tokenNotSet: 19,
  /** The user's session can no longer be renewed: sign in again. */
  tokenRefreshFailed: 20,
  /** This protocol or device has nothing to discover. */
  discoveryNotApplicable: 21,
  /** Capacity is used up: clients, users, appliances, streams, … */
  limitReached: 22,
  /** State changed meanwhile, or the name is used already. */
  conflict: 23,
  /** Whether it ran cannot be known; a late event brings the truth. */
  outcomeUnknown: 24,
  /** Never ran: its time was over before it was delivered. */
  expired: 25,
  /** The sender aborted. */
  cancelled: 26,
  /** A code that this version does not know. */
  unknown: 255,
} as const;

/** A status code, as the catalogue names it. */
export type StatusCode = keyof typeof STATUS_NUMBERS;

const NAMES: ReadonlyMap<number, StatusCode> = new Map(
  (Object.keys(STATUS_NUMBERS) as StatusCode[]).map(code => [STATUS_NUMBERS[code], code]),
);

/** All status codes, in the order of their numbers. */
export const STATUS_CODES: readonly StatusCode[] = [...NAMES.values()];

/** Whether the code ends its command. An unknown code does: a sender must not wait for what it cannot understand. */
export const isTerminal = (code: StatusCode): boolean => code !== 'inProgress';

const SUCCESSES: readonly StatusCode[] = [
  'success',
  'successInsecure',
  'partialSuccess',
  'partialSuccessInsecure',
];

/** Whether the command ran, at least in part. */
export const isSuccess = (code: StatusCode): boolean => SUCCESSES.includes(code);

/** The code of a number from the wire; a number of a later version is `unknown`. */
export const statusOfNumber = (number: number): StatusCode => NAMES.get(number) ?? 'unknown';
