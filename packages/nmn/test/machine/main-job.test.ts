import test from 'ava';
import {
  type ClusterEvent,
  encodeText,
  MemberRuntime,
  milliseconds,
  seconds,
} from '@coconet/cluster-protocol/core';
import { home, texts } from '../support/simulated-home.js';
import { askNmn, resolve, revocationOf } from '../support/members.js';

const SERVICE = 0x8000;

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

test('behind two port-restricted NATs the first message goes over the relay and the path becomes direct', async t => {
  const { world, join } = await home(2);
  const nats = ['a', 'b'].map(name => world.network.lan({ name, nat: 'portRestricted' }));
  const lamp = await join('lamp', 'device', nats[0]);
  const phone = await join('phone', 'client', nats[1]);
  const lampId = lamp.member.node.nodeId;

  phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText('on')));
  await world.until(() => texts(lamp.events).length === 1, seconds(2), 'the first message');
  const first = phone.member.node.explain(phone.host.now(), lampId).path;
  await world.until(
    () => phone.member.node.explain(phone.host.now(), lampId).path === 'direct',
    seconds(5),
    'the direct path',
  );
  for (let i = 0; i < 20; i++)
    phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText(`${i}`)));
  await world.until(() => texts(lamp.events).length === 21, seconds(2), 'all messages');

  t.is(first, 'relay');
  t.deepEqual(texts(lamp.events).length, new Set(texts(lamp.events)).size);
});

test('behind two symmetric NATs everything goes over the relay, and explain says why', async t => {
  const { world, join } = await home(3);
  const nats = ['a', 'b'].map(name => world.network.lan({ name, nat: 'symmetric' }));
  const lamp = await join('lamp', 'device', nats[0]);
  const phone = await join('phone', 'client', nats[1]);
  const lampId = lamp.member.node.nodeId;

  phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText('on')));
  await world.until(() => texts(lamp.events).length === 1, seconds(2), 'the first message');
  await world.run(seconds(30));
  phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText('off')));
  await world.until(() => texts(lamp.events).length === 2, seconds(2), 'the second message');
  const explained = phone.member.node.explain(phone.host.now(), lampId);

  t.is(explained.path, 'relay', explained.sentence);
  t.regex(explained.sentence, /relay/);
});

test('with the NMN gone for good a restarted device and a restarted client find each other again', async t => {
  const { world, nmn, join, during } = await home(4);
  const lamp = await join('lamp', 'device');
  const phone = await join('phone', 'client');
  const lampId = lamp.member.node.nodeId;
  phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText('on')));
  await world.until(
    () => phone.member.node.explain(phone.host.now(), lampId).path === 'direct',
    seconds(5),
    'the direct path',
  );
  await world.run(seconds(3));
  nmn.host.crash();
  await during(lamp.member.close());
  await during(phone.member.close());
  await world.run(seconds(5));

  const again = await during(
    Promise.all(
      [lamp, phone].map(({ host, store }, i) =>
        MemberRuntime.open({
          host,
          store,
          kind: i === 0 ? 'device' : 'client',
          resolve,
          allowDocumentationAddresses: true,
        }),
      ),
    ),
  );
  const heard: ClusterEvent[] = [];
  again[0]!.on(event => heard.push(event));
  again[1]!.do((node, now) => node.send(now, lampId, SERVICE, encodeText('hello again')));
  await world.until(() => texts(heard).length === 1, seconds(10), 'the message without an NMN');

  t.deepEqual(texts(heard), ['hello again']);
});

test('revoking a member cuts its live sessions within two seconds and it cannot come back', async t => {
  const { world, owner, join, during } = await home(5);
  const lamp = await join('lamp', 'device');
  const phone = await join('phone', 'client');
  const lampId = lamp.member.node.nodeId;
  phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText('on')));
  await world.until(
    () => phone.member.node.explain(phone.host.now(), lampId).path === 'direct',
    seconds(5),
    'the direct path',
  );
  await world.until(
    () => owner.node.nodes().some(({ name }) => name === 'phone'),
    seconds(5),
    'the owner knows',
  );

  const answer = await during(
    askNmn(owner, { type: 'revoke', record: revocationOf(owner, phone.member.node.nodeId) }),
  );
  await world.run(seconds(2));

  t.is(answer.type, 'revoked');
  t.true(lamp.events.some(event => event.kind === 'disconnected' && event.reason === 'revoked'));
  t.true(phone.events.some(event => event.kind === 'expelled'));
  t.false(lamp.member.node.nodes().some(({ name }) => name === 'phone'));
});

test('a client that is started again and again hears the device every time at once', async t => {
  const { world, join, during } = await home(6);
  const lamp = await join('lamp', 'device');
  const phone = await join('phone', 'client');
  const lampId = lamp.member.node.nodeId;
  const phoneId = phone.member.node.nodeId;
  lamp.member.on(event => {
    if (event.kind === 'message')
      lamp.member.do((node, now) => node.send(now, phoneId, SERVICE, event.bytes));
  });
  let member = phone.member;
  const waits: number[] = [];

  for (let i = 0; i < 6; i++) {
    const heard: ClusterEvent[] = [];
    member.on(event => heard.push(event));
    const since = world.now;
    const text = `question ${i}`;
    member.do((node, now) => node.send(now, lampId, SERVICE, encodeText(text)));
    await world.until(() => texts(heard).includes(text), seconds(20), `the answer to ${text}`);
    waits.push(world.now - since);
    await world.run(seconds(1));
    await during(member.close());
    await world.run(milliseconds(300));
    member = await during(
      MemberRuntime.open({
        host: phone.host,
        store: phone.store,
        kind: 'client',
        resolve,
        allowDocumentationAddresses: true,
      }),
    );
  }

  for (const wait of waits) t.true(wait < 1_000, waits.join());
});

test('the way to the NMN is explained like any other, with the address at which it sees us', async t => {
  const { world, nmn, join } = await home(40);
  const { member, host } = await join('lamp', 'device');
  await world.run(seconds(2));
  const nodeId = member.node.nodes().find(({ kind }) => kind === 'nmn')!.nodeId;

  const there = member.node.explain(host.now(), nodeId);
  const listed = member.node.nodes().find(({ kind }) => kind === 'nmn')!;
  nmn.host.crash();
  await world.until(
    () => member.node.explain(host.now(), nodeId).nmn === 'away',
    seconds(120),
    'the NMN to be missed',
  );
  const away = member.node.explain(host.now(), nodeId);

  t.like(there, { path: 'direct', nmn: 'connected', rtt: listed.path?.rtt });
  t.regex(there.sentence, /^direct over the internet, \d+ ms: the NMN answers at \S+$/);
  t.true(there.rtt! >= 10);
  t.deepEqual(
    there.seenAs.map(({ host: seen }) => seen),
    [host.address(1).host],
  );
  t.like(there.candidates, [{ state: 'active' }]);
  t.is(away.path, undefined);
  t.regex(away.sentence, /^no path, because the NMN at \S+ cannot be used: /);
  t.is(member.node.nodes().find(({ kind }) => kind === 'nmn')!.path, undefined);
});
