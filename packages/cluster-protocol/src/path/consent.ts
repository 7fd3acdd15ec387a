import { addressBytes, addressScope, samePrefix, socketAddress, type SocketAddress } from '../wire/index.js';
import { isLinkLocal6, type LocalLink } from './local-candidates.js';

/** What the node's owner and its surroundings add to the rules of consent. */
export interface ConsentRules {
  /** Documentation ranges count as public ones: for laboratories and simulations alone. */
  readonly allowDocumentation: boolean;
  /** Addresses never to be probed whoever names them: the NMN's own. Asked anew for every judgement. */
  readonly forbidden: () => readonly SocketAddress[];
}

/** What this node knows by itself when it judges an address. */
export interface ConsentFacts {
  readonly links: readonly LocalLink[];
  /** Our own addresses as others see them. */
  readonly reflexive: readonly SocketAddress[];
  /** Where the NMN saw the peer. */
  readonly observed: readonly SocketAddress[];
  readonly rules: ConsentRules;
}

/** Who names the address: the peer, the NMN that saw the peer there, or our own proof from an earlier session. */
export type ConsentSource = 'peer' | 'observed' | 'proved';

/**
 * Whether an address may be probed. `vouched`: somebody else than the peer knows that the peer is exactly there, so that
 * it is worth more than one round. `because` completes "not probed: …".
 */
export type ConsentVerdict =
  | { readonly allowed: true; readonly vouched: boolean }
  | { readonly allowed: false; readonly because: string };

/**
 * Prefixes wider than these are no local network but somebody's default route in disguise: RFC 1918 gives no wider one
 * than 10.0.0.0/8, and a site gets no more than a /48 of IPv6 (RFC 6177).
 */
const WIDEST_PREFIX = { 4: 8, 6: 48 } as const;

/** Whether `address` may be probed for a peer (docs/spec/04-path.md, section 4). The rules in their order: the first that fits decides. */
export function judgeConsent(
  address: SocketAddress,
  source: ConsentSource,
  facts: ConsentFacts,
): ConsentVerdict {
  if (!facts.links.some(link => link.family === address.family)) {
    return refused(`this node has no IPv${address.family} socket`);
  }
  const scope = addressScope(address);
  if (scope === 'multicast' || scope === 'broadcast' || scope === 'unspecified' || scope === 'reserved') {
    return refused(`${scope} addresses are nobody's`);
  }
  if (isSubnetBroadcast(address, facts.links)) return refused("it is a local network's broadcast address");
  if (scope === 'documentation' && !facts.rules.allowDocumentation) {
    return refused("documentation addresses are nobody's");
  }
  const forbidden = facts.rules.forbidden();
  if (forbidden.some(({ key }) => key === address.key)) return refused('it is the NMN');
  if (isOurself(address, facts)) return refused('it is this node itself');
  if (source === 'proved') return vouched;
  if (isLinkLocal6(address)) return refused('a link-local address means another place elsewhere');
  const exactly = source === 'observed' || facts.observed.some(({ key }) => key === address.key);
  if (scope === 'loopback') {
    if (!exactly) return refused('the NMN did not see the peer at this loopback address');
    return forbidden.some(nmn => isOnThisMachine(nmn, facts.links))
      ? vouched
      : refused('the NMN that saw it there runs on another machine');
  }
  if (exactly) return vouched;
  if (facts.observed.some(({ host }) => host === address.host)) return claimed;
  if (scope !== 'private') return refused('the NMN did not see the peer at this public address');
  return localLinkOf(address, facts.links) !== undefined
    ? claimed
    : refused('it is private, and no interface of this node is in its network');
}

const vouched: ConsentVerdict = { allowed: true, vouched: true };
const claimed: ConsentVerdict = { allowed: true, vouched: false };
const refused = (because: string): ConsentVerdict => ({ allowed: false, because });

/** The link with an interface in the same local network as `address`, if there is one. */
export function localLinkOf(address: SocketAddress, links: readonly LocalLink[]): LocalLink | undefined {
  return links.find(
    link =>
      link.family === address.family &&
      link.addresses.some(
        own =>
          !own.internal &&
          own.prefixLength >= WIDEST_PREFIX[link.family] &&
          inPrefix(address, own.host, own.prefixLength),
      ),
  );
}

/** Whether `address` is this machine: loopback, or an address that one of its interfaces has. The port does not count. */
export function isOnThisMachine(address: SocketAddress, links: readonly LocalLink[]): boolean {
  return (
    addressScope(address) === 'loopback' ||
    links.some(link => link.addresses.some(own => own.host === address.host))
  );
}

/** The link on which `address` is reached best: one in its network, else one of its family that leads outside. */
export function linkTowards(address: SocketAddress, links: readonly LocalLink[]): LocalLink | undefined {
  const fitting = links.filter(link => link.family === address.family);
  const outside = fitting.find(link => link.addresses.some(own => !own.internal));
  if (addressScope(address) === 'loopback') {
    return fitting.find(link => link.addresses.some(own => own.internal)) ?? outside ?? fitting[0];
  }
  return localLinkOf(address, fitting) ?? outside ?? fitting[0];
}

function isOurself(address: SocketAddress, { links, reflexive }: ConsentFacts): boolean {
  return (
    reflexive.some(({ key }) => key === address.key) ||
    links.some(
      ({ family, port }) =>
        family === address.family && port === address.port && isOnThisMachine(address, links),
    )
  );
}

/** The first and the last address of a local IPv4 network reach every machine in it (RFC 919); networks of two have neither (RFC 3021). */
function isSubnetBroadcast(address: SocketAddress, links: readonly LocalLink[]): boolean {
  if (address.family !== 4) return false;
  return links.some(link =>
    link.addresses.some(({ host, prefixLength, internal }) => {
      if (internal || prefixLength > 30 || !inPrefix(address, host, prefixLength)) return false;
      const bits = addressBytes(address).reduce((all, byte) => all * 256 + byte, 0);
      const hosts = 2 ** (32 - prefixLength);
      return bits % hosts === 0 || bits % hosts === hosts - 1;
    }),
  );
}

/** Whether an address lies in the network of an interface that has the address `host`. */
export function inPrefix(address: SocketAddress, host: string, prefixLength: number): boolean {
  const own = socketAddress(host, address.port);
  return own !== undefined && samePrefix(address, own, prefixLength);
}
