import { type Duration, milliseconds } from '@coconet/cluster-protocol/core';

/**
 * Added to the slower side's way: what a node needs to read the message and make its first probe ready. Smaller than the
 * error of the measurement, larger than a turn of the event loop.
 */
const PREPARATION: Duration = milliseconds(10);
/** A round-trip time above this says that the measurement is wrong; nobody waits longer for it. */
const LONGEST_ROUND_TRIP: Duration = milliseconds(3_000);
/** Assumed where nothing was measured yet (RFC 9002, section 6.2.2). */
const UNKNOWN_ROUND_TRIP: Duration = milliseconds(333);

/** In how many whole milliseconds after it heard so each side begins to probe. */
export interface PunchTiming {
  readonly first: number;
  readonly second: number;
}

/**
 * Both sides begin at the same moment if each message takes half of its round trip: whoever is nearer waits longer, by
 * the difference. A probe that leaves too early dies at a NAT that is still closed, and with some NATs closes it for the
 * peer's address.
 */
export function punchTiming(first: Duration | undefined, second: Duration | undefined): PunchTiming {
  const oneWay = [first, second].map(roundTrip => {
    const known = roundTrip !== undefined && roundTrip >= 0 ? roundTrip : UNKNOWN_ROUND_TRIP;
    return Math.min(known, LONGEST_ROUND_TRIP) / 2;
  });
  const start = Math.max(...oneWay) + PREPARATION;
  return { first: Math.round(start - oneWay[0]!), second: Math.round(start - oneWay[1]!) };
}
