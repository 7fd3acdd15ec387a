import {
  type ClusterEvent,
  ClusterNode,
  type Host,
  type RunningMachine,
  wallTime,
} from '@coconet/cluster-protocol/core';
import { createNodeHost } from '@coconet/cluster-protocol/node';
import {
  memberOf,
  savedNode,
  SeededRandom,
  type SmallNetwork,
  smallNetwork,
} from '@coconet/cluster-protocol/testing';
import { socketAddress } from '@coconet/cluster-protocol/wire';

/** A service of nobody's. */
export const SERVICE = 0x8000;

/** The same network in every process that is given the same two numbers. */
export async function openFloodNetwork(
  seed: number,
  madeAt: number,
): Promise<{ readonly host: Host; readonly network: SmallNetwork }> {
  const host = await createNodeHost();
  const wishes = [
    { name: 'lamp', kind: 'device' },
    { name: 'phone', kind: 'client', role: 'guest' },
    { name: 'door', kind: 'device' },
  ] as const;
  return { host, network: smallNetwork(host.crypto, new SeededRandom(seed), wallTime(madeAt), wishes) };
}

/** Starts a member on loopback, who knows where the lamp is if `lampPort` is given. */
export async function startMember(
  host: Host,
  network: SmallNetwork,
  name: string,
  lampPort: number | undefined,
  listener: (event: ClusterEvent) => void,
): Promise<{ readonly node: ClusterNode; readonly running: RunningMachine }> {
  const lamp = lampPort === undefined ? undefined : socketAddress('127.0.0.1', lampPort);
  const addresses = new Map(lamp ? [[memberOf(network, 'lamp').nodeId, [lamp]]] : []);
  const node = new ClusterNode({
    provider: host.crypto,
    random: host.random,
    now: host.now(),
    wall: host.wallTime(),
    saved: savedNode(network, name, host.random, addresses),
    nmnAddresses: [],
  });
  const running = await host.run(node, { bind: ['127.0.0.1'] }, listener);
  return { node, running };
}
