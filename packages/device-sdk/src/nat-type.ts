import type { AttributeInputs, diagnostics } from '@coconet/capabilities';
import type { Link, SocketAddress } from '@coconet/cluster-protocol';

/** How the network around this machine maps its addresses; `null`: not known. */
export type NatType = NonNullable<AttributeInputs<typeof diagnostics>['natType']> | null;

/**
 * What one observer tells of address translation. It can tell that there is none: the address that it sees is one of
 * ours. Where there is some, its kind shows only to several observers, and is `unknown`. `seenAs` is where the NMN sees
 * us; an empty list: it has not said.
 */
export function natTypeOf(links: readonly Link[], seenAs: readonly SocketAddress[]): NatType {
  // Translation is an affair of IPv4; IPv6 counts where there is nothing else.
  const seen = seenAs.find(({ family }) => family === 4) ?? seenAs[0];
  if (seen === undefined) return null;
  const own = links
    .filter(({ family, port }) => family === seen.family && port === seen.port)
    .flatMap(({ addresses }) => addresses)
    .find(({ host }) => host === seen.host);
  // An NMN on this very machine sees nothing of the network around it.
  return own === undefined || own.internal ? 'unknown' : 'none';
}
