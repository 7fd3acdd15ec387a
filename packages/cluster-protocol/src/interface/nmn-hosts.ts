import { sameBytes } from '../base/index.js';
import { formatHostPort, type HostPort, type JoinUri, MAX_HOSTS, parseHostPort } from '../network/index.js';
import { encodeWith, Reader, socketAddress, type SocketAddress } from '../wire/index.js';
import type { Membership } from './cluster-options.js';
import type { Store } from './machine.js';

/** Name of the store's entry with the NMN's hosts: beside the membership, because hosts move and keys do not. */
export const NMN_HOSTS_KEY = 'node/nmn-hosts';

/** Hosts that are kept: those of two URIs, of before and after a move. */
const MAX_KNOWN_HOSTS = 2 * MAX_HOSTS;
/** Bytes of one host with its port and their length: a DNS name has 253 at most (RFC 1035, section 2.3.4). */
const HOST_LENGTH = 300;

/** Hosts as the store keeps them, the best first; 16 at most. */
export function encodeHosts(hosts: readonly HostPort[]): Uint8Array {
  return encodeWith(1 + MAX_KNOWN_HOSTS * HOST_LENGTH, writer => {
    const kept = hosts.slice(0, MAX_KNOWN_HOSTS);
    writer.uint8(kept.length);
    for (const host of kept) writer.text(formatHostPort(host));
  });
}

async function loadHosts(store: Store): Promise<readonly HostPort[]> {
  const bytes = await store.read(NMN_HOSTS_KEY);
  if (!bytes) return [];
  const reader = new Reader(bytes);
  const hosts: HostPort[] = [];
  for (let left = reader.uint8(); left > 0 && !reader.failed; left--)
    hosts.push(parseHostPort(reader.text(HOST_LENGTH)));
  return hosts;
}

/**
 * Where the NMN of a member may be: what the store knows, and what a join URI of the same network knows besides, which
 * is written before it is returned. New and old ones take turns, because only so many are tried at once.
 */
export async function knownHosts(
  { store, notice }: { readonly store: Store; readonly notice?: (text: string) => void },
  membership: Membership,
  uri: JoinUri | undefined,
): Promise<readonly HostPort[]> {
  const stored = await loadHosts(store);
  const known = new Set(stored.map(formatHostPort));
  const news = uri?.hosts.filter(host => !known.has(formatHostPort(host))) ?? [];
  if (!uri || news.length === 0) return stored;
  if (!sameBytes(uri.nmnKey, membership.nmnStaticKey)) {
    notice?.(
      'the join URI names another NMN of the network than the one this node was admitted by; it is left out',
    );
    return stored;
  }
  const turns = Math.max(news.length, stored.length);
  const hosts = Array.from({ length: turns }, (_, i) => [news[i], stored[i]])
    .flat()
    .filter(host => host !== undefined)
    .slice(0, MAX_KNOWN_HOSTS);
  await store.write(new Map([[NMN_HOSTS_KEY, encodeHosts(hosts)]]));
  return hosts;
}

/** The addresses of all hosts that can be resolved, in their order. */
export async function resolveAll(
  { resolve }: { readonly resolve: (host: string) => Promise<readonly string[]> },
  hosts: readonly HostPort[],
): Promise<readonly SocketAddress[]> {
  const resolved = await Promise.all(
    hosts.map(async ({ host, port }) => {
      const addresses = await resolve(host).catch(() => []);
      return addresses.map(address => socketAddress(address, port));
    }),
  );
  return resolved.flat().filter(address => address !== undefined);
}
