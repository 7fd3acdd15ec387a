import { roleSuffices } from '@coconet/capabilities';
import type { Role } from '@coconet/capabilities';
import type { MemberReport } from '@coconet/cluster-protocol';

/** What a peer may do here; `none` has no right at all. */
export type PeerRole = Role | 'none';

const STRANGER: Omit<MemberReport, 'nodeId'> = { name: '', kind: 'device', role: 'none', user: '' };

/**
 * Who a peer is and what it may do. The role is that of its certificate, as the network state has it: nothing that a
 * request says counts. A guest may do whatever no definition keeps for admins or owners; a member without a role
 * (another device, a service, the NMN) may do nothing.
 */
export class Access {
  readonly #nodes: () => readonly MemberReport[];
  /** One entry per member that ever asked for something; as many as the network has members at most. */
  readonly #known = new Map<number, MemberReport>();
  readonly #changed = new Map<number, number>();

  /** `nodes`: all members as they are now. */
  constructor(nodes: () => readonly MemberReport[]) {
    this.#nodes = nodes;
  }

  /** The peer as the network knows it. */
  of(peer: number): MemberReport {
    const known = this.#known.get(peer);
    if (known !== undefined) return known;
    const member = this.#nodes().find(({ nodeId }) => nodeId === peer) ?? { ...STRANGER, nodeId: peer };
    this.#known.set(peer, member);
    return member;
  }

  /** The member changed: whether its rights did. `version`: that of the device's state now. */
  refresh(peer: number, version: number): boolean {
    const before = this.#known.get(peer);
    if (before === undefined) return false;
    this.#known.delete(peer);
    if (this.of(peer).role === before.role) return false;
    this.#changed.set(peer, version);
    return true;
  }

  /** The device's version when the peer's rights changed last; what it held before is not to be built upon. */
  changedAt(peer: number): number {
    return this.#changed.get(peer) ?? 0;
  }
}

/** Whether a peer of that role may use what asks for `minimum`. */
export const permits = (role: PeerRole, minimum: Role): boolean =>
  role !== 'none' && roleSuffices(role, minimum);
