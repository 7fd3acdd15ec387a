import { ClientError } from './errors.js';

/** ms that a device has to answer. */
export const CALL_TIMEOUT = 10_000;
/** ms that a resource has to appear. */
export const RESOURCE_TIMEOUT = 10_000;
/** ms that a picture has to become complete. */
export const READY_TIMEOUT = 3_000;
/** ms that an NMN has to answer. */
export const ADMIN_TIMEOUT = 10_000;
/** ms that a ping has to come back. */
export const PING_TIMEOUT = 2_000;
/** ms between two pings. */
export const PING_INTERVAL = 1_000;

/** Longest timeout that the wire can say: 49 days. */
const MAX_TIMEOUT = 0xffff_ffff;

/** A timeout in ms: above 0, or `Infinity`. @throws {ClientError} `INVALID_OPTION`. */
export function checkTimeout(timeout: number): number {
  if (timeout > 0 && (timeout === Infinity || timeout <= MAX_TIMEOUT)) return timeout;
  throw new ClientError('INVALID_OPTION', `timeout: ${timeout} is no time in ms above 0, nor Infinity`);
}
