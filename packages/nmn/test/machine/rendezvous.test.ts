import test from 'ava';
import { encodeText, milliseconds, minutes, seconds } from '@coconet/cluster-protocol/core';
import type { RelayOptions } from '../../src/relay/relay-options.js';
import { home, texts } from '../support/simulated-home.js';

const SERVICE = 0x8000;

/** A lamp and a phone, each behind a NAT of its own, that talk over the relay. */
async function relayed(
  seed: number,
  nat: 'symmetric' | 'portRestricted' = 'symmetric',
  relay: Partial<RelayOptions> = {},
) {
  const made = await home(seed, { relay });
  const nats = ['a', 'b'].map(name => made.world.network.lan({ name, nat }));
  const lamp = await made.join('lamp', 'device', nats[0]);
  const phone = await made.join('phone', 'client', nats[1]);
  const lampId = lamp.member.node.nodeId;
  const say = (text: string): void => {
    phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText(text)));
  };
  return { ...made, lamp, phone, lampId, say };
}

/** Counts the calls of one method, which goes on as before. */
function counted<K extends string>(target: Record<K, (...args: never[]) => unknown>, name: K): () => number {
  const original = target[name].bind(target);
  let calls = 0;
  target[name] = (...args) => {
    calls++;
    return original(...args);
  };
  return () => calls;
}

test('the renewal of a lease that is lost arrives as soon as packets do', async t => {
  const { world, nmn, lamp, phone, say } = await relayed(31);
  say('on');
  await world.until(() => texts(lamp.events).length === 1, seconds(3), 'the first message');
  await world.run(milliseconds(minutes(5) - seconds(2)));
  const renewals = counted(nmn.machine.relay, 'renew');
  const reached: number[] = [];

  for (const { host } of [lamp, phone]) host.board.setConditions({ loss: 1 });
  await world.run(seconds(4));
  reached.push(renewals());
  for (const { host } of [lamp, phone]) host.board.setConditions({ loss: 0 });
  await world.run(seconds(3));
  reached.push(renewals());

  t.deepEqual(reached, [0, 2]);
});

test('a lease lives on for hours under thirty per cent loss', async t => {
  const { world, nmn, lamp, phone, say } = await relayed(32);
  say('on');
  await world.until(() => texts(lamp.events).length === 1, seconds(3), 'the first message');
  for (const { host } of [lamp, phone]) host.board.setConditions({ loss: 0.3 });
  const { granted } = nmn.machine.relay.counters;

  await world.run(minutes(120));

  t.is(nmn.machine.relay.counters.leases, 1);
  t.is(nmn.machine.relay.counters.granted, granted, 'no lease had to be asked for anew');
});

test('a request for a punch that is lost arrives once, however often it was repeated', async t => {
  const { world, nmn, lamp, phone, say } = await relayed(33, 'portRestricted');
  const punches = counted(nmn.machine.rendezvous, 'punch');
  const { machine } = nmn;
  const handle = machine.handleDatagram.bind(machine);
  let deaf = false;
  machine.handleDatagram = (now, link, remote, bytes) => {
    if (!deaf || bytes[0]! >> 2 !== 0xd4 >> 2) handle(now, link, remote, bytes);
  };
  say('on');
  await world.until(() => texts(lamp.events).length === 1, seconds(3), 'the first message');
  deaf = true;
  await world.run(seconds(1));
  t.is(punches(), 0);

  deaf = false;
  await world.run(seconds(2));

  t.is(punches(), 1);
  t.is(phone.member.node.explain(phone.host.now(), lamp.member.node.nodeId).path, 'direct');
});

test('a lease is given back after the session, and the next session gets a new one', async t => {
  const { world, nmn, lamp, phone, lampId, say } = await relayed(35);
  const leases = (): number => nmn.machine.relay.counters.leases;
  say('on');
  await world.until(() => texts(lamp.events).length === 1, seconds(3), 'the first message');
  await world.run(seconds(60));
  const during = leases();

  phone.member.do((node, now) => {
    node.disconnect(now, lampId);
  });
  await world.run(seconds(20));
  const soon = leases();
  await world.run(seconds(15));
  const later = leases();
  say('off');
  await world.until(() => texts(lamp.events).length === 2, seconds(3), 'the message after it');

  t.deepEqual([during, soon, later, leases()], [1, 1, 0, 1]);
  t.deepEqual(nmn.machine.drops.snapshot().unknownChannel, undefined);
  t.deepEqual(lamp.member.node.drops.snapshot().unknownChannel, undefined);
});

test('whose lease the NMN does not know is told so and gets a new one', async t => {
  const { world, nmn, lamp, phone, say } = await relayed(36);
  say('on');
  await world.until(() => texts(lamp.events).length === 1, seconds(3), 'the first message');
  const { ledger } = [...nmn.machine.networks.all()][0]!;
  await world.run(minutes(4));
  nmn.machine.relay.revoke({ networkKey: ledger.key, nodeId: phone.member.node.nodeId });

  await world.run(minutes(2));
  say('off');
  await world.until(() => texts(lamp.events).length === 2, seconds(3), 'the message after it');

  t.is(nmn.machine.relay.counters.leases, 1);
});

test('a node that sends more than the relay allows hears of every byte that was dropped, and all arrives', async t => {
  const relay = { nodeBytesPerSecond: 64 * 1_024, nodeBurst: 16 * 1_024 };
  const { world, nmn, lamp, phone, lampId } = await relayed(37, 'symmetric', relay);
  const explain = () => phone.member.node.explain(phone.host.now(), lampId);
  for (let i = 0; i < 20; i++)
    phone.member.do((node, now) => node.send(now, lampId, SERVICE, new Uint8Array(20_000).fill(i + 65)));

  await world.until(() => explain().sentence.includes('KiB/s'), seconds(5), 'the notice');
  const { sentence } = explain();
  await world.until(() => texts(lamp.events).length === 20, seconds(120), 'all messages');
  await world.run(seconds(3));

  t.regex(sentence, /the relay drops what this node sends above 64 KiB\/s/);
  t.true(nmn.machine.relay.counters.shapedBytes > 0);
  const heard = explain().shaping?.droppedBytes ?? 0;
  const back = lamp.member.node.explain(lamp.host.now(), phone.member.node.nodeId).shaping?.droppedBytes ?? 0;
  t.is(heard + back, nmn.machine.relay.counters.shapedBytes);
});

test('the first message asks for a lease and carries message 1 in one packet', async t => {
  const { world, nmn, phone, lamp, say } = await relayed(34);
  const { machine } = nmn;
  const handle = machine.handleDatagram.bind(machine);
  const sizes: number[] = [];
  const introduced = (): number => machine.rendezvous.counters.introductions;
  await world.run(seconds(20));
  const address = machine.rendezvous.online(
    [...machine.networks.all()][0]!.ledger.key,
    phone.member.node.nodeId,
  )!.address.key;
  machine.handleDatagram = (now, link, remote, bytes) => {
    if (remote.key === address && introduced() === 0) sizes.push(bytes.length);
    handle(now, link, remote, bytes);
  };

  say('on');
  await world.until(() => texts(lamp.events).length === 1, seconds(3), 'the message');

  t.is(sizes.length, 1, sizes.join());
  t.true(sizes[0]! > 1_000 && sizes[0]! <= 1_195);
});
