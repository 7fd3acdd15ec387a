import {
  type ClusterEvent,
  MemoryStore,
  milliseconds,
  minutes,
  seconds,
} from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import { AuthenticatingProvider, SimulatedWorld } from '@coconet/cluster-protocol/testing';
import test from 'ava';

import { openMember } from '../../packages/nmn/test/support/members.js';
import { foundNetwork, invite, startNmn } from '../../packages/nmn/test/support/simulated-nmn.js';
import { revokeOne } from './revocation.js';

test('a revoked node is cut off by everybody within two seconds, and neither a restart nor a backup brings it back', async t => {
  t.timeout(120_000);

  const { cutAfter, cutOffAfter, flaws } = await revokeOne(new AuthenticatingProvider(), 1, 20);

  t.log(`20 nodes: the last after ${Math.max(...cutAfter)} ms, without an NMN ${cutOffAfter ?? NaN} ms`);
  t.deepEqual(flaws, []);
  t.is(cutAfter.length, 18);
});

test('the same with the real cryptography', async t => {
  t.timeout(120_000);

  const { flaws } = await revokeOne(await createCryptoProvider(), 2, 8);

  t.deepEqual(flaws, []);
});

test('a node whose NMN withholds what is new calls its state stale, and current when it is told', async t => {
  t.timeout(120_000);
  const life = minutes(30);
  const crypto = await createCryptoProvider();
  const world = new SimulatedWorld({ seed: 1, crypto, yieldTurn: () => new Promise(setImmediate) });
  const during = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await world.until(() => settled, seconds(20), 'the promise');
    return promise;
  };
  const nmn = startNmn(crypto, world.host({ name: 'nmn' }), { membership: { headLife: life } });
  const { owner, network } = await during(foundNetwork(nmn, world.host({ name: 'owner' })));
  const uri = await during(invite(nmn, owner, network, 'device', 'lamp'));
  const lamp = await during(openMember(world.host({ name: 'lamp' }), new MemoryStore(), 'device', uri));
  const told: ClusterEvent[] = [];
  lamp.on(event => {
    if (event.kind === 'networkState') told.push(event);
  });
  const states = (): string[] => told.map(event => ('state' in event ? event.state : ''));

  await world.run(milliseconds(2 * life));
  const whileServed = states();
  nmn.disk.held = true;
  await world.run(milliseconds(2 * life));
  const whileWithheld = states();
  nmn.disk.release();
  await world.run(minutes(1));

  t.deepEqual(whileServed, []);
  t.deepEqual(whileWithheld, ['stale']);
  t.deepEqual(states(), ['stale', 'current']);
  t.true(lamp.node.nodes().length >= 3);
});
