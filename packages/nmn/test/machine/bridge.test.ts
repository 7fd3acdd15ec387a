import test from 'ava';

import { encodeText, milliseconds, seconds } from '@coconet/cluster-protocol/core';

import { home, texts } from '../support/simulated-home.js';

const SERVICE = 0x8000;

for (const nat of ['none', 'portRestricted'] as const)
  test(`the direct path is cut in the middle of commands and a relay stands by: the longest silence is a probe timeout and one way (NAT: ${nat})`, async t => {
    const { world, join } = await home(77);
    const lan = () => (nat === 'none' ? undefined : world.network.lan({ nat }));
    const lamp = await join('lamp', 'device', lan());
    const phone = await join('phone', 'client', lan());
    const [lampId, phoneId] = [lamp.member.node.nodeId, phone.member.node.nodeId];
    const arrivals: number[] = [];
    lamp.member.on(event => {
      if (event.kind === 'message') arrivals.push(world.now);
    });
    let said = 0;
    const talk = async (duration: number): Promise<void> => {
      for (const end = world.now + duration; world.now < end;) {
        phone.member.do((node, now) => node.send(now, lampId, SERVICE, encodeText(`command ${said++}`)));
        await world.run(milliseconds(10));
      }
    };
    const explain = () => phone.member.node.explain(phone.host.now(), lampId);
    await talk(5_000);
    t.is(explain().path, 'direct');
    const before = explain().rtt!;

    world.network.cut('lamp', 'phone');
    const sentences = new Set<string>();
    for (let i = 0; i < 100; i++) {
      await talk(10);
      sentences.add(explain().sentence);
    }
    const bridged = [...sentences].find(sentence => sentence.includes('bridged over'));
    await world.run(seconds(5));

    t.regex(bridged ?? '', /suspect because an answer is overdue, bridged over the relay$/);
    t.deepEqual(
      texts(lamp.events).sort(),
      Array.from({ length: said }, (_, i) => `command ${i}`).sort(),
      'nothing is lost, and nothing comes twice',
    );
    const silence = Math.max(...arrivals.slice(1).map((at, i) => at - arrivals[i]!));
    // A probe timeout is at most the round trip, four times a quarter of it, and the delay of an ack, once it has settled.
    t.true(silence <= 1.5 * before + 60, `${silence} ms at a round trip of ${before} ms`);
    t.is(explain().path, 'relay');
    t.true(explain().doubledPackets > 0);
    t.deepEqual(
      lamp.events.filter(event => event.kind === 'disconnected' && event.peer === phoneId),
      [],
    );
  });
