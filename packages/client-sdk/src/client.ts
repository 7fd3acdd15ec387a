import type { ConnectOptions, CreatedNetwork, CreateNetworkOptions, Network } from './network.js';
import { openNetwork } from './open-network.js';
import { foundNetwork } from './found-network.js';
import { platform } from '#platform';

/**
 * Opens the network whose member the store holds, or joins first with the URI. Waits for an NMN that does not answer
 * while joining, and says so once through `onNotice`; a member starts without it.
 *
 * Any number of programs may use one store: the first holds the node, the others reach it through that program, and when
 * it ends, the next one takes over.
 *
 * @throws {ClusterError} `JOIN_URI_INVALID`, `JOIN_REFUSED`, `WRONG_NETWORK`, `NOT_A_MEMBER`, `STORE_UNUSABLE`, …
 * @throws {ClientError} `INVALID_OPTION`, `CANCELLED`.
 * @example
 * const network = await connect({ join: process.env.COCONET_JOIN, store: './phone' });
 * const lamp = await network.resource('Desk/lamp', [onOff]);
 * await lamp.onOff.turnOn({}, { timeout: 2_000 });
 */
export async function connect(options: ConnectOptions): Promise<Network> {
  return openNetwork(platform, options);
}

/**
 * Makes a network: its root key and its first owner, in this process. The root key goes to a file of yours and nowhere
 * else; the owner's membership goes to the store, and {@link connect} opens it.
 *
 * @throws {ClusterError} `JOIN_URI_INVALID`, `NMN_UNREACHABLE`, `NOT_PERMITTED`, `STORE_UNUSABLE`, `STORE_IN_USE`, …
 * @throws {ClientError} `INVALID_OPTION`, `FILE_EXISTS`, `ADMIN_REFUSED`, `CANCELLED`.
 */
export async function createNetwork(options: CreateNetworkOptions): Promise<CreatedNetwork> {
  return foundNetwork(platform, options);
}
