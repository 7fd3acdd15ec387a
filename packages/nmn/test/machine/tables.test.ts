import test from 'ava';
import { minutes, MemberRuntime, milliseconds, seconds } from '@coconet/cluster-protocol/core';
import { AuthenticatingProvider } from '@coconet/cluster-protocol/testing';
import { home } from '../support/simulated-home.js';
import { resolve } from '../support/members.js';

test('after a thousand sessions that came and went all tables are as large as before', async t => {
  t.timeout(120_000);
  const { world, nmn, join, during } = await home(41, { crypto: new AuthenticatingProvider() });
  const nats = ['a', 'b'].map(name => world.network.lan({ name, nat: 'symmetric' }));
  const lamp = await join('lamp', 'device', nats[0]);
  const phone = await join('phone', 'client', nats[1]);
  const lampId = lamp.member.node.nodeId;
  const phoneId = phone.member.node.nodeId;
  let member = phone.member;
  const isConnected = (): boolean =>
    member.node.explain(phone.host.now(), lampId).path !== undefined &&
    member.node.explain(phone.host.now(), lampId).waitingMessages === 0 &&
    lamp.member.node.explain(lamp.host.now(), phoneId).path !== undefined;
  const meet = async (): Promise<void> => {
    member.do((node, now) => {
      node.connect(now, lampId);
    });
    await world.until(isConnected, seconds(10), 'the session');
    member.do((node, now) => {
      node.disconnect(now, lampId);
    });
    await world.until(
      () => lamp.member.node.explain(lamp.host.now(), phoneId).path === undefined,
      seconds(10),
      'the end of the session',
    );
  };
  const tables = () => ({
    nmn: nmn.machine.tables,
    relay: { leases: nmn.machine.relay.counters.leases, channels: nmn.machine.relay.counters.channels },
    online: nmn.machine.rendezvous.counters.online,
    lamp: lamp.member.node.tables,
    phone: member.node.tables,
  });
  await meet();
  await world.run(minutes(2));
  const before = tables();

  for (let i = 1; i < 1_000; i++) {
    await meet();
    if (i % 20 === 0) await world.run(seconds(40)); // The lease is given back, and the next session needs a new one.
    if (i % 100 === 0) {
      await during(member.close());
      member = await during(
        MemberRuntime.open({
          host: phone.host,
          store: phone.store,
          kind: 'client',
          resolve,
          allowDocumentationAddresses: true,
        }),
      );
      await world.run(milliseconds(500));
    }
  }
  const during1000 = nmn.machine.relay.counters.granted;
  await world.run(minutes(2));

  t.deepEqual(tables(), before);
  t.deepEqual(before.relay, { leases: 0, channels: 0 });
  t.true(during1000 >= 50, `${during1000} leases were granted`);
});
