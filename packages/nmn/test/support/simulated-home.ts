import {
  type ClusterEvent,
  createNodeKeys,
  type CryptoProvider,
  type JoinOutcome,
  joinNetwork,
  MemberRuntime,
  MemoryStore,
  milliseconds,
  parseJoinUri,
} from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import { type SimulatedHost, type SimulatedNat, SimulatedWorld } from '@coconet/cluster-protocol/testing';

import { resolve } from './members.js';
import { foundNetwork, invite, NMN_PORT, type NmnLife, startNmn } from './simulated-nmn.js';

/** The real provider, for worlds of their own. */
export const crypto: CryptoProvider = await createCryptoProvider();
const yieldTurn = (): Promise<void> => new Promise(setImmediate);

/** A simulated world with an NMN and one network, whose owner runs and which others may join. */
export async function home(
  seed: number,
  { crypto: provider = crypto, ...life }: NmnLife & { readonly crypto?: CryptoProvider } = {},
) {
  const world = new SimulatedWorld({ seed, crypto: provider, yieldTurn });
  const nmn = startNmn(provider, world.host({ name: 'nmn' }), life);
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
  const newUri = (name: string, kind: 'device' | 'client' = 'device'): Promise<string> =>
    during(invite(nmn, owner, network, kind, name));
  const keys = createNodeKeys(provider, world.random);
  const joinAt = (host: SimulatedHost, uri: string): Promise<JoinOutcome> =>
    joinNetwork(host, parseJoinUri(uri), [nmn.host.address(NMN_PORT)], keys, { kind: 'device', name: '' });
  const join = async (name: string, kind: 'device' | 'client', on?: SimulatedNat) => {
    const uri = await newUri(name, kind);
    const host = world.host({ name, ...(on && { on }) });
    host.board.setConditions({ delay: milliseconds(10) });
    const store = new MemoryStore();
    const member = await during(
      MemberRuntime.open({ host, store, join: uri, kind, name, resolve, allowDocumentationAddresses: true }),
    );
    const events: ClusterEvent[] = [];
    member.on(event => events.push(event));
    return { member, events, host, store, uri };
  };
  return { world, nmn, owner, network, during, newUri, joinAt, join };
}

/** Messages of applications, as text. */
export const texts = (events: readonly ClusterEvent[]): string[] =>
  events.flatMap(event => (event.kind === 'message' ? [new TextDecoder().decode(event.bytes)] : []));
