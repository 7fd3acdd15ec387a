import { addressScope, type SocketAddress, socketAddress } from '../wire/index.js';
import { type Candidate, MAX_CANDIDATES } from './candidate.js';

/** An address of an interface of this machine, as the driver reads it. */
export interface InterfaceAddress {
  readonly host: string;
  readonly prefixLength: number;
  readonly interfaceName: string;
  /** Loopback and the like: nobody outside reaches it. */
  readonly internal: boolean;
}

/** A socket of ours: its number, family and port, and the addresses at which it is reached. */
export interface LocalLink {
  readonly link: number;
  readonly family: 4 | 6;
  readonly port: number;
  readonly addresses: readonly InterfaceAddress[];
}

/** Room in our list for what others see: one address per family and one to spare while we roam. */
const MAX_REFLEXIVE = 4;

/**
 * Interfaces of containers, virtual machines and tunnels, by the names that Linux, macOS and Windows give them. Their
 * addresses lead somewhere for few peers, and the same ones exist on many machines, so that they come last.
 */
const VIRTUAL =
  /^(docker|br-|veth|virbr|vmnet|vboxnet|vethernet|lxc|lxd|cni|flannel|cali|podman|tun|tap|utun|wg|zt|tailscale|ppp|ipsec|dummy|ifb|awdl|llw|anpi|bridge)/i;

/** Whether an interface's name says that it leads to containers, virtual machines or a tunnel. */
export const isVirtualInterface = (name: string): boolean => VIRTUAL.test(name);

/**
 * What we tell a peer of ourselves: addresses of real interfaces, then what others see, then virtual interfaces. Loopback
 * and IPv6 link-local addresses mean something else to everybody else and stay at home.
 */
export function gatherCandidates(
  links: readonly LocalLink[],
  reflexive: readonly SocketAddress[],
): readonly Candidate[] {
  const seen = reflexive
    .filter(address => travels(address))
    .slice(0, MAX_REFLEXIVE)
    .map((address): Candidate => ({ kind: 'reflexive', address }));
  const real = hostCandidates(links, false);
  const virtual = hostCandidates(links, true);
  const room = MAX_CANDIDATES - seen.filter(({ address }) => !real.some(sameAs(address))).length;
  const list: Candidate[] = [];
  for (const candidate of [...real.slice(0, room), ...seen, ...virtual]) {
    if (list.length < MAX_CANDIDATES && !list.some(sameAs(candidate.address))) list.push(candidate);
  }
  return list;
}

const sameAs = (address: SocketAddress) => (other: Candidate) => other.address.key === address.key;

function hostCandidates(links: readonly LocalLink[], virtual: boolean): Candidate[] {
  return links.flatMap(({ addresses, port }) =>
    addresses
      .filter(({ internal, interfaceName }) => !internal && isVirtualInterface(interfaceName) === virtual)
      .map(({ host }) => socketAddress(host, port))
      .filter(address => address !== undefined && travels(address))
      .map((address): Candidate => ({ kind: 'host', address: address! })),
  );
}

function travels(address: SocketAddress): boolean {
  const scope = addressScope(address);
  return (scope === 'global' || scope === 'private' || scope === 'documentation') && !isLinkLocal6(address);
}

/** Whether an address is an IPv6 link-local one: without its zone, which never travels, it names no place. */
export const isLinkLocal6 = (address: SocketAddress): boolean =>
  address.family === 6 && /^fe[89ab]/.test(address.host);
