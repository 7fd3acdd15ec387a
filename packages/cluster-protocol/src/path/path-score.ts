import { type Duration, milliseconds } from '../base/index.js';
import type { SocketAddress } from '../wire/index.js';
import { isOnThisMachine, localLinkOf } from './consent.js';
import { isLinkLocal6, type LocalLink } from './local-candidates.js';

/**
 * Kinds of paths, the best first (docs/spec/04-path.md, section 6): another process of this machine, the same local
 * network, the peer's own address elsewhere, over a third member, over the NMN.
 */
export const PATH_CLASSES = ['host', 'lan', 'direct', 'peerRelay', 'relay'] as const;

/** One of `PATH_CLASSES`. */
export type PathClass = (typeof PATH_CLASSES)[number];

/** How datagrams travel. A path on the local network is direct. */
export type PathRoute = 'direct' | 'peerRelay' | 'relay';

/** How far datagrams travel: inside this machine, inside a network where we have an interface, or beyond. A relayed path counts as `internet`. */
export type PathScope = 'host' | 'lan' | 'internet';

/** IPv6 has no address translation in its way and no mapping that times out: worth 3 ms of round trip. */
const IPV6_BONUS: Duration = milliseconds(3);

/** A change of path costs a fresh congestion window: less than 5 ms is not worth it … */
const WORTHWHILE_GAIN: Duration = milliseconds(5);

/** … nor is less than 10 % of a long round trip, which jitter alone makes and takes away. */
const WORTHWHILE_SHARE = 0.1;

/** The class of an unrelayed path to `remote`. */
export function classOf(remote: SocketAddress, links: readonly LocalLink[]): PathClass {
  if (isOnThisMachine(remote, links)) return 'host';
  return isLinkLocal6(remote) || localLinkOf(remote, links) !== undefined ? 'lan' : 'direct';
}

/** The rank of a class: lower is better. */
export const rankOf = (pathClass: PathClass): number => PATH_CLASSES.indexOf(pathClass);

/** How a path of this class is reported. */
export const routeOf = (pathClass: PathClass): PathRoute =>
  pathClass === 'relay' || pathClass === 'peerRelay' ? pathClass : 'direct';

/** How far a path of this class reaches. */
export const scopeOf = (pathClass: PathClass): PathScope =>
  pathClass === 'host' || pathClass === 'lan' ? pathClass : 'internet';

/** What two paths of one class are compared by: their round trip, less the bonus for IPv6. Unmeasured ones come last. */
export const delayScore = (remote: SocketAddress, rtt: Duration | undefined): number =>
  rtt === undefined ? Infinity : rtt - (remote.family === 6 ? IPV6_BONUS : 0);

/** Whether a path with score `other` is so much better than the one in use with score `current` that a change pays. */
export const isWorthwhile = (current: number, other: number): boolean =>
  current - other >= WORTHWHILE_GAIN && current - other >= WORTHWHILE_SHARE * current;
