/** Why a datagram, a frame or a message from the network was dropped; each is a counter. */
export const DROP_REASONS = [
  'empty',
  'tooLong',
  'unknownKind',
  'malformed',
  'unknownVersion',
  'badMac1',
  'cookieAsked',
  'badCookie',
  'unknownIndex',
  'badTag',
  'replayed',
  'tooOld',
  'unexpected',
  'wrongState',
  'handshakeFailed',
  'staleInitiation',
  'refusedPeer',
  'wrongNetwork',
  'certificateRefused',
  'pendingFull',
  'sessionsFull',
  'rateLimited',
  'wouldAmplify',
  'reassemblyFull',
  'fragmentConflict',
  'duplicateMessage',
  'windowExceeded',
  'badAck',
  'unknownService',
  'unknownChannel',
  'notConsented',
  'bogonAddress',
  'notPermitted',
  'queueFull',
] as const;

/** One of {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number];

/** The result of a parser: the value, or why the bytes were not one. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: DropReason };

/** A parser's success. */
export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
/** A parser's failure for bytes that no rule of the format explains. */
export const malformed: { readonly ok: false; readonly reason: DropReason } = {
  ok: false,
  reason: 'malformed',
};

/** Counts of what was dropped, by reason. Bounded by the closed list of reasons. */
export class DropCounters {
  readonly #counts = new Map<DropReason, number>();

  count(reason: DropReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  get(reason: DropReason): number {
    return this.#counts.get(reason) ?? 0;
  }

  /** All reasons that happened at least once. */
  snapshot(): Partial<Record<DropReason, number>> {
    return Object.fromEntries(this.#counts);
  }
}
