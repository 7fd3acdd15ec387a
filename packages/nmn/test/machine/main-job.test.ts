import test from 'ava';
import {
  type ClusterEvent,
  encodeText,
  MemberRuntime,
  milliseconds,
  MemoryStore,
  seconds,
} from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import { type SimulatedNat, SimulatedWorld } from '@coconet/cluster-protocol/testing';
import { foundNetwork, invite, resolve, startNmn } from './simulated-nmn.js';

const crypto = await createCryptoProvider();
const yieldTurn = (): Promise<void> => new Promise(setImmediate);
const SERVICE = 0x8000;

async function home(seed: number) {
  const world = new SimulatedWorld({ seed, crypto, yieldTurn });
  const nmn = startNmn(crypto, world.host({ name: 'nmn' }));
  const during = async <T>(promise: Promise<T>, limit = 20_000): Promise<T> => {
    let settled = false;
    let failed: unknown;
    promise.then(
      () => {
        settled = true;
      },
      error => {
        settled = true;
        failed = error;
      },
    );
    await world.until(() => settled, milliseconds(limit), 'the promise');
    if (failed !== undefined) throw failed;
    return promise;
  };
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

const texts = (events: readonly ClusterEvent[]): string[] =>
  events.flatMap(event => (event.kind === 'message' ? [new TextDecoder().decode(event.bytes)] : []));

test('a device and a client join, meet through the NMN and talk directly', async t => {
  const { world, join } = await home(1);
  const lamp = await join('lamp', 'device');
  const phone = await join('phone', 'client');
  await world.until(
    () => phone.member.node.nodes().some(({ name, online }) => name === 'lamp' && online),
    seconds(5),
  );
  const lampId = lamp.member.node.nodeId;

  phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText('on')));
  await world.until(() => texts(lamp.events).length === 1, seconds(2), 'the first message');
  await world.until(
    () => phone.member.node.explain(phone.host.now(), lampId).path === 'direct',
    seconds(5),
    'the direct path',
  );
  phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText('off')));
  await world.until(() => texts(lamp.events).length === 2, seconds(2), 'the second message');

  t.deepEqual(texts(lamp.events), ['on', 'off']);
});
