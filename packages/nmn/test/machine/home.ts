import {
  type ClusterEvent,
  type CryptoProvider,
  MemberRuntime,
  milliseconds,
  MemoryStore,
  seconds,
} from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import { type SimulatedNat, SimulatedWorld } from '@coconet/cluster-protocol/testing';
import type { RelayOptions } from '../../src/relay/relay-options.js';
import { foundNetwork, invite, resolve, startNmn } from './simulated-nmn.js';

const real = await createCryptoProvider();
const yieldTurn = (): Promise<void> => new Promise(setImmediate);

/** A network with an NMN and its owner in a simulated world, which others may join. */
export async function home(
  seed: number,
  {
    crypto = real,
    relay = {},
  }: { readonly crypto?: CryptoProvider; readonly relay?: Partial<RelayOptions> } = {},
) {
  const world = new SimulatedWorld({ seed, crypto, yieldTurn });
  const nmn = startNmn(crypto, world.host({ name: 'nmn' }), { networks: [], relay });
  const during = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { settled: false };
    const outcome = promise.finally(() => {
      state.settled = true;
    });
    outcome.catch(() => undefined);
    await world.until(() => state.settled, seconds(20), 'the promise');
    return outcome;
  };
  await world.run(milliseconds(10));
  const { owner, network } = await during(foundNetwork(nmn, world.host({ name: 'owner' })));
  const join = async (name: string, kind: 'device' | 'client', on?: SimulatedNat) => {
    const uri = await during(invite(nmn, owner, network, kind, name));
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
  return { world, nmn, owner, network, join, during };
}

/** Messages of applications, as text. */
export const texts = (events: readonly ClusterEvent[]): string[] =>
  events.flatMap(event => (event.kind === 'message' ? [new TextDecoder().decode(event.bytes)] : []));
