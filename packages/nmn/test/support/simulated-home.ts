import {
  createNodeKeys,
  type JoinOutcome,
  joinNetwork,
  milliseconds,
  parseJoinUri,
} from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import { type SimulatedHost, SimulatedWorld } from '@coconet/cluster-protocol/testing';

import { foundNetwork, invite, NMN_PORT, type NmnLife, startNmn } from './simulated-nmn.js';

/** The real provider, for worlds of their own. */
export const crypto = await createCryptoProvider();
const yieldTurn = (): Promise<void> => new Promise(setImmediate);

/** A simulated world with an NMN and one network, whose owner runs. */
export async function home(seed: number, life: NmnLife = {}) {
  const world = new SimulatedWorld({ seed, crypto, yieldTurn });
  const staticKey = crypto.dhKeyPair(new Uint8Array(32).fill(seed));
  const board = world.host({ name: 'nmn' });
  const nmn = startNmn(crypto, board, { ...life, staticKey });
  const during = async <T>(promise: Promise<T>, limit = 30_000): Promise<T> => {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await world.until(() => settled, milliseconds(limit), 'the promise');
    return promise;
  };
  const { owner, network } = await during(foundNetwork(nmn, world.host({ name: 'owner' })));
  const newUri = (name: string): Promise<string> => during(invite(nmn, owner, network, 'device', name));
  const keys = createNodeKeys(crypto, world.random);
  const joinAt = (host: SimulatedHost, uri: string): Promise<JoinOutcome> =>
    joinNetwork(host, parseJoinUri(uri), [nmn.host.address(NMN_PORT)], keys, { kind: 'device', name: '' });
  return { world, nmn, owner, network, during, newUri, joinAt, staticKey };
}
