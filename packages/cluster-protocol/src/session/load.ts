import type { Instant } from '../base/index.js';

/**
 * Initiations opened in a second before addresses have to be proved. Two Diffie–Hellman operations and the checks of a
 * credential are some 0.3 ms, so strangers have at most a twentieth of one core.
 */
const OPENED_PER_SECOND = 128;
/** As many at one moment: the members of a house that come back together ask for no cookie. */
const OPENED_AT_ONCE = 64;

const INTERVAL_MS = 1_000 / OPENED_PER_SECOND;

/** Which part of the table of pending sessions strangers may fill before addresses have to be proved: WireGuard's eighth. */
const PENDING_SHARE = 1 / 8;

/** Says when an endpoint has so much to do with handshakes that it asks for cookies (docs/spec/02-handshake.md, "Load"). */
export class HandshakeLoad {
  readonly #maxPending: number;
  /** When all that was opened will have been paid off at the rate above. */
  #paidAt = 0;

  /** `maxPending`: how many pending sessions there may be. */
  constructor(maxPending: number) {
    this.#maxPending = maxPending;
  }

  /** Whether an initiation that proves no address may not be opened now. */
  isHigh(now: Instant, pending: number): boolean {
    return (
      pending > this.#maxPending * PENDING_SHARE || this.#paidAt > now + (OPENED_AT_ONCE - 1) * INTERVAL_MS
    );
  }

  /** An initiation is opened, whether its address is proved or not. */
  count(now: Instant): void {
    const limit = now + OPENED_AT_ONCE * INTERVAL_MS;
    this.#paidAt = Math.min(limit, Math.max(this.#paidAt, now) + INTERVAL_MS);
  }
}
