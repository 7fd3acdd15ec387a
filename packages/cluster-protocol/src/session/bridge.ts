import type { Instant } from '../base/index.js';
import type { SessionPath } from './session-path.js';

/**
 * Bytes that may go over a second path at one go: 32 KiB are some hundred commands, what a house says in a second, or two
 * windows of a path that nobody used yet.
 */
export const BRIDGE_RESERVE = 32_768;

/**
 * Each byte sent on the active path earns this share of one for the second path: where packets get lost now and then, and
 * a path is suspect again and again although it lives, an eighth more is sent at most.
 */
export const BRIDGE_SHARE: number = 1 / 8;

/**
 * How much goes over the second path while the active one is suspect: no more than that path's window and pacer let go, and
 * no more in the long run than a share of everything.
 */
export class Bridge {
  #allowance = BRIDGE_RESERVE;
  /** Packets whose frames went over both paths. */
  doubled = 0;
  /** When the pacer of the second path lets the next packet go; `undefined`: it does not hold any back. */
  pacedUntil: Instant | undefined;

  /** Whether a packet for `active` may go over `second` now. */
  allows(now: Instant, active: SessionPath, second: SessionPath): boolean {
    const size = Math.min(active.packet, second.packet);
    if (this.#allowance < size) return false;
    const ready = second.readyAt(now, size);
    if (ready > now && ready !== Infinity) this.pacedUntil = ready;
    return ready <= now;
  }

  /** Bytes that may go over the second path now, as far as the allowance goes. */
  get allowance(): number {
    return Math.floor(this.#allowance);
  }

  /** A packet of `bytes` went over the active path. */
  earn(bytes: number): void {
    this.#allowance = Math.min(BRIDGE_RESERVE, this.#allowance + BRIDGE_SHARE * bytes);
  }

  /** A packet of `bytes` went over the second path. */
  spend(bytes: number): void {
    this.#allowance -= bytes;
  }
}
