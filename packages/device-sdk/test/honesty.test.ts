import { defineCapability, t as type } from '@coconet/capabilities';
import { milliseconds, seconds } from '@coconet/cluster-protocol';
import test from 'ava';
import { Home } from './support/home.js';
import type { Sent } from './support/phone.js';

const once = defineCapability({
  id: 'org.coconet.test.once',
  name: 'once',
  title: 'Must not happen twice',
  revision: 1,
  tier: 'vendor',
  commands: { shoot: { id: 8, parameters: { shot: type.uint16() } } },
});

const SHOTS = 25;

test('with loss, duplicates and power failures no command runs twice and no status lies', async t => {
  for (let seed = 200; seed < 216; seed++) {
    const home = await Home.create(seed);
    const { random } = home.world;
    const runs = new Map<number, number>();
    const start = async (): Promise<void> => {
      const device = await home.device();
      device.addResource('gun', [once]).once.handle({
        shoot: async ({ shot }) => {
          runs.set(shot, (runs.get(shot) ?? 0) + 1);
          await new Promise<void>(resolve => {
            home.host.schedule(milliseconds(random.below(200)), resolve);
          });
        },
      });
    };
    await start();
    const phone = home.phone();
    phone.connect();
    for (const attachment of phone.host.board.attachments)
      attachment.set({ loss: 0.2, duplicate: 0.2, reorder: 0.2, jitter: milliseconds(30) });

    const sent: Sent[] = [];
    for (let shot = 0; shot < SHOTS; shot++) {
      sent.push(phone.call('gun', once, 'shoot', { shot }));
      await home.run(milliseconds(random.below(300)));
      if (shot % 10 === 7) {
        home.restart();
        await start();
      }
    }
    await home.until(
      () => sent.every(command => phone.ends(command).length > 0),
      seconds(180),
      `seed ${seed}: the end of every command`,
    );
    await home.run(seconds(20));

    for (const [shot, command] of sent.entries()) {
      const codes = new Set(phone.ends(command).map(({ code }) => code));
      const ran = runs.get(shot) ?? 0;
      t.is(codes.size, 1, `seed ${seed}, shot ${shot}: ${[...codes].join()}`);
      t.true(ran <= 1, `seed ${seed}, shot ${shot} ran ${ran} times`);
      t.true(codes.has('success') ? ran === 1 : codes.has('outcomeUnknown'), `seed ${seed}, shot ${shot}`);
    }
  }
});
