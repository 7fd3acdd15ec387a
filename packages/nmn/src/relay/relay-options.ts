import { type Duration, minutes } from '@coconet/cluster-protocol/core';

/** What the relay allows. All bounds are counted and refused with a reason, never silently widened. */
export interface RelayOptions {
  /** How long a lease holds without renewal; a node renews at half of it. */
  readonly leaseLife: Duration;
  /** Bytes a second that one node may send through the relay, and how many at once. */
  readonly nodeBytesPerSecond: number;
  readonly nodeBurst: number;
  /** The same for all nodes of one network together. */
  readonly networkBytesPerSecond: number;
  readonly networkBurst: number;
  /** Leases that one node is part of. */
  readonly leasesPerNode: number;
  readonly leasesPerNetwork: number;
  readonly leases: number;
}

/**
 * Defaults: ten minutes outlive any NAT mapping and a restart of a client; 2 MiB/s carry a video stream, 1 MiB at once a
 * firmware block; 256 peers at a time for one node are more than an app shows on a screen; 65,536 leases take about
 * 40 MB of memory.
 */
export const DEFAULT_RELAY_OPTIONS: RelayOptions = {
  leaseLife: minutes(10),
  nodeBytesPerSecond: 2 * 1024 * 1024,
  nodeBurst: 1024 * 1024,
  networkBytesPerSecond: 32 * 1024 * 1024,
  networkBurst: 16 * 1024 * 1024,
  leasesPerNode: 256,
  leasesPerNetwork: 16_384,
  leases: 65_536,
};
