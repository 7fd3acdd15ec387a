import { inPrefix } from '../path/index.js';
import type { Path } from '../session/index.js';
import {
  addressScope,
  MAX_RECEIVED_DATAGRAM,
  MAX_UNPROVED_DATAGRAM,
  MIN_PATH_DATAGRAM,
} from '../wire/index.js';
import type { Link, LocalAddress } from './machine.js';

/** Headers of IP and UDP, without options. */
const HEADERS = { 4: 28, 6: 48 } as const;

/**
 * What a path may carry at most, in bytes of UDP payload, as far as this machine can know (docs/spec/03-session.md, section
 * 12): the MTU of the interface through which it leads, so that no packet is cut into pieces here. More than any network
 * carries is only tried where the peer is on this machine or on the same link.
 */
export function pathLimit(links: readonly Link[], { link, remote }: Path): number {
  const addresses = links.find(({ id }) => id === link)?.addresses ?? [];
  const own = addresses.some(({ host }) => host === remote.host);
  const near =
    own || addressScope(remote) === 'loopback'
      ? addresses.filter(({ internal }) => internal)
      : addresses.filter(
          ({ internal, host, prefixLength }) => !internal && inPrefix(remote, host, prefixLength),
        );
  if (near.length > 0) return payload(near, remote.family, MAX_RECEIVED_DATAGRAM);
  // Which way it leads is the routing table's to say: no interface is asked for more than it takes.
  return payload(
    addresses.filter(({ internal }) => !internal),
    remote.family,
    MAX_UNPROVED_DATAGRAM,
  );
}

function payload(addresses: readonly LocalAddress[], family: 4 | 6, most: number): number {
  const known = addresses.map(({ mtu }) =>
    mtu === undefined ? MAX_UNPROVED_DATAGRAM : mtu - HEADERS[family],
  );
  return Math.max(
    MIN_PATH_DATAGRAM,
    Math.min(most, ...known, known.length === 0 ? MAX_UNPROVED_DATAGRAM : most),
  );
}
