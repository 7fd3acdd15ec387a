import type { Description } from './description.js';
import type { NodeInfo } from './network.js';

/** What is known of one device. */
export interface DevicePicture {
  readonly nodeId: number;
  readonly connected: boolean;
  /** Why it cannot be reached, in words; `undefined`: it can, or that is not known yet. */
  readonly unreachable: string | undefined;
  /** `undefined`: it has not told yet. */
  readonly description: Description | undefined;
}

/** What is known of the network itself. */
export interface NetworkCondition {
  readonly nmn: 'connected' | 'away';
  /** Presence is known as far as it can be known now. */
  readonly presenceKnown: boolean;
}

/** What has changed. */
export type ViewChange =
  | { readonly kind: 'node'; readonly nodeId: number; readonly before: NodeInfo | undefined }
  | { readonly kind: 'device'; readonly nodeId: number }
  | { readonly kind: 'condition' };

/** The live picture of a network: its nodes, what its devices are, and whether the NMN is there. */
export class NetworkView {
  readonly #nodes = new Map<number, NodeInfo>();
  readonly #devices = new Map<number, DevicePicture>();
  readonly #listeners = new Set<(change: ViewChange) => void>();
  #condition: NetworkCondition = { nmn: 'away', presenceKnown: false };

  get nodes(): ReadonlyMap<number, NodeInfo> {
    return this.#nodes;
  }

  get devices(): ReadonlyMap<number, DevicePicture> {
    return this.#devices;
  }

  get condition(): NetworkCondition {
    return this.#condition;
  }

  /** Whether every device that is there has told what it is. */
  get complete(): boolean {
    if (!this.#condition.presenceKnown) return false;
    for (const { kind, nodeId, self } of this.#nodes.values()) {
      if (kind !== 'device' || self) continue;
      const device = this.#devices.get(nodeId);
      const isSettled = device?.connected === true ? device.description : device?.unreachable;
      if (isSettled === undefined) return false;
    }
    return true;
  }

  /** Calls `listener` after each change. Returns how to stop. */
  on(listener: (change: ViewChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes the members as they are now; those that are not named are gone. */
  setNodes(nodes: readonly NodeInfo[]): void {
    const gone = new Set(this.#nodes.keys());
    for (const node of nodes) {
      gone.delete(node.nodeId);
      this.setNode(node);
    }
    for (const nodeId of gone) this.removeNode(nodeId);
  }

  /** Takes one member as it is now. */
  setNode(node: NodeInfo): void {
    const before = this.#nodes.get(node.nodeId);
    if (before && isSameNode(before, node)) return;
    this.#nodes.set(node.nodeId, node);
    this.#tell({ kind: 'node', nodeId: node.nodeId, before });
  }

  /** A member is none any more. */
  removeNode(nodeId: number): void {
    const before = this.#nodes.get(nodeId);
    this.#nodes.delete(nodeId);
    this.#devices.delete(nodeId);
    if (before) this.#tell({ kind: 'node', nodeId, before });
  }

  /** Takes what is known of a device now. */
  setDevice(device: DevicePicture): void {
    this.#devices.set(device.nodeId, device);
    this.#tell({ kind: 'device', nodeId: device.nodeId });
  }

  /** Takes what is known of the network itself. */
  setCondition(condition: NetworkCondition): void {
    const { nmn, presenceKnown } = this.#condition;
    if (nmn === condition.nmn && presenceKnown === condition.presenceKnown) return;
    this.#condition = condition;
    this.#tell({ kind: 'condition' });
  }

  #tell(change: ViewChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

function isSameNode(a: NodeInfo, b: NodeInfo): boolean {
  return (
    a.name === b.name &&
    a.kind === b.kind &&
    a.role === b.role &&
    a.user === b.user &&
    a.self === b.self &&
    a.online === b.online &&
    a.lastSeen?.getTime() === b.lastSeen?.getTime() &&
    a.path?.path === b.path?.path &&
    a.path?.scope === b.path?.scope &&
    a.path?.remote === b.path?.remote
  );
}
