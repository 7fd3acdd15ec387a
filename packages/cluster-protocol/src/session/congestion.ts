import type { Duration, Instant } from '../base/index.js';

/** The algorithms that decide how much may be in flight. */
export const CONGESTION_CONTROLS = ['cubic', 'newReno'] as const;

/** The name of an algorithm that decides how much may be in flight. */
export type CongestionControl = (typeof CONGESTION_CONTROLS)[number];

/** RFC 9002, section 7.2: a path begins with ten full packets in flight. */
export const INITIAL_WINDOW_PACKETS = 10;

/** RFC 9002, section 7.2: the window is never smaller than two full packets. */
export const MINIMUM_WINDOW_PACKETS = 2;

/** The window never grows beyond this: 64 ms at 1 Gbit/s, and what the table of sent packets can hold. */
export const MAX_WINDOW: number = 8 * 1_024 * 1_024;

/** Decides how many bytes may be in flight on one path. Bytes in flight are counted outside. */
export interface CongestionController {
  /** Bytes that may be in flight. */
  readonly window: number;
  /** Whether the window still grows with every byte acknowledged. */
  readonly slowStart: boolean;
  /** A new sample of the path's round trip, told before the packets of the same ack. */
  sampled(latest: Duration): void;
  /**
   * A packet of `bytes`, sent at `sentAt`, was acknowledged. `limited` tells whether the window was what held the sender
   * back: a window that nobody filled proves nothing and does not grow (RFC 9002, section 7.8).
   */
  acknowledged(now: Instant, bytes: number, sentAt: Instant, limited: boolean): void;
  /** Packets were lost, the newest of them sent at `sentAt`. Tells whether that is a new congestion event. */
  lost(now: Instant, sentAt: Instant): boolean;
  /** Everything sent over a long time was lost (RFC 9002, section 7.6). */
  collapsed(): void;
  /** Full packets of the path have another size now, in bytes. */
  resize(packet: number): void;
  /** Everything that counted as lost in the last congestion event came after all: all as before it (RFC 9438, section 4.9). */
  undo(): void;
}
