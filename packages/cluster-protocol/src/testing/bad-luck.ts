import { milliseconds } from '../base/index.js';
import { type LinkConditions, PERFECT_LINK } from './link-conditions.js';
import type { SeededRandom } from './seeded-random.js';

/** IPv4 and UDP headers: the link counts them, too. */
const HEADERS = 28;
/** The packet that every path is expected to carry: 1,200 bytes of payload (docs/spec/04-path.md). */
const LEAST_MTU = 1_200 + HEADERS;
const ETHERNET_MTU = 1_500;

/**
 * A bad link, drawn: each trouble is there or not on its own, up to loss 30 %, bursts of loss, reorder 30 % by up to 2 s,
 * duplication 50 %, corruption and truncation 5 %, 375 ms each way with 100 ms jitter, 8 KB/s to 8 MB/s before a
 * bounded queue, and an MTU that the packets of a session fit.
 */
export function drawBadLink(random: SeededRandom): Partial<LinkConditions> {
  const perhaps = <T>(oneIn: number, value: () => T, otherwise: T): T =>
    random.below(oneIn) === 0 ? value() : otherwise;
  const small = (most: number): number => random.fraction() * most;
  return {
    loss: perhaps(2, () => small(0.3), 0),
    burst: perhaps(
      4,
      () => ({ enter: small(0.1), leave: 0.1 + small(0.4), loss: 0.5 + small(0.5) }),
      undefined,
    ),
    reorder: perhaps(3, () => small(0.3), 0),
    reorderBy: milliseconds(perhaps(6, () => random.below(2_000), random.below(60))),
    duplicate: perhaps(3, () => small(0.5), 0),
    corrupt: perhaps(4, () => small(0.05), 0),
    truncate: perhaps(5, () => small(0.05), 0),
    delay: milliseconds(perhaps(5, () => random.below(375), random.below(60))),
    jitter: milliseconds(perhaps(3, () => random.below(100), 0)),
    bandwidth: perhaps(3, () => 8_000 * 10 ** small(3), undefined),
    queue: 4_000 + random.below(60_000),
    mtu: perhaps(3, () => LEAST_MTU + random.below(ETHERNET_MTU - LEAST_MTU + 1), ETHERNET_MTU),
  };
}

/** A black hole for all but small packets: handshakes, full packets and probes vanish, acks pass. */
export function drawBlackHole(random: SeededRandom): Partial<LinkConditions> {
  return { mtu: 120 + random.below(LEAST_MTU - 120) };
}

/** What everything is like once it has healed: an ordinary line of 10 ms each way. */
export const HEALED_LINK: LinkConditions = { ...PERFECT_LINK, delay: milliseconds(5) };
