import { instant, type Instant } from '../base/index.js';

/** Why a session may want to wake up. */
export const TIMER_REASONS = [
  /** When a packet counts as lost because later ones were acknowledged (RFC 9002, section 6.1.2). */
  'loss',
  /** When no ack came for so long that a probe must ask for one (RFC 9002, section 6.2). */
  'probeTimeout',
  /** When an ack that waits for company must go alone. */
  'ackDelay',
  /** When the pacer lets the next packet go. */
  'pacing',
  /** When a ping must keep the path's NAT mappings. */
  'keepAlive',
  /** When something was unacknowledged for too long and the session gives up. */
  'idle',
  /** When a path challenge that we sent by ourselves is repeated. */
  'pathChallenge',
  /** When the keys before the present ones are overwritten, or a peer that does not change its keys is given up. */
  'rekey',
  /** When half a message without progress is thrown away. */
  'reassembly',
  /** When a closed session is forgotten. */
  'draining',
] as const;

/** One of {@link TIMER_REASONS}. */
export type TimerReason = (typeof TIMER_REASONS)[number];

/** Due times by reason; the next time-out is their minimum. Nothing here is a timer of the host's. */
export class TimerTable {
  readonly #due: number[] = new Array<number>(TIMER_REASONS.length).fill(Infinity);

  /** Sets or, with `undefined`, clears the due time of one reason. */
  set(reason: TimerReason, due: Instant | undefined): void {
    this.#due[TIMER_REASONS.indexOf(reason)] = due ?? Infinity;
  }

  /** Whether the reason is due. */
  expired(reason: TimerReason, now: Instant): boolean {
    return this.#due[TIMER_REASONS.indexOf(reason)]! <= now;
  }

  /** When to wake up, or `undefined` when nothing is scheduled. */
  get next(): Instant | undefined {
    let earliest = Infinity;
    for (let i = 0; i < this.#due.length; i++) earliest = Math.min(earliest, this.#due[i]!);
    return earliest === Infinity ? undefined : instant(earliest);
  }

  /** The reason that is due first: makes an unexpected wake-up explainable. */
  get nextReason(): TimerReason | undefined {
    const next = this.next;
    return next === undefined ? undefined : TIMER_REASONS[this.#due.indexOf(next)];
  }

  clear(): void {
    this.#due.fill(Infinity);
  }
}
