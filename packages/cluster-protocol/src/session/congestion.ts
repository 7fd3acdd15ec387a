import type { Instant } from '../base/index.js';

/** Decides how many bytes may be in flight on one path. Bytes in flight are counted outside. */
export interface CongestionController {
  /** Bytes that may be in flight. */
  readonly window: number;
  /** Whether the window still doubles with every round trip. */
  readonly slowStart: boolean;
  /**
   * A packet of `bytes`, sent at `sentAt`, was acknowledged. `limited` tells whether the window was what held the sender
   * back: a window that nobody filled proves nothing and does not grow (RFC 9002, section 7.8).
   */
  acknowledged(bytes: number, sentAt: Instant, limited: boolean): void;
  /** Packets were lost, the newest of them sent at `sentAt`. */
  lost(now: Instant, sentAt: Instant): void;
  /** Everything sent over a long time was lost (RFC 9002, section 7.6). */
  collapsed(): void;
}
