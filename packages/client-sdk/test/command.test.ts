import test from 'ava';
import { level, onOff } from '@coconet/capabilities';
import { milliseconds } from '@coconet/cluster-protocol';
import { CommandError } from '../src/index.js';
import { caught, House } from './support/house.js';

async function lampOf(seed: number) {
  const house = await House.create(seed);
  const { device, runs } = await house.lamp();
  const network = await house.app();
  const lamp = await house.during(network.resource('Desk/lamp', [onOff, level]));
  return { house, device, runs, network, lamp };
}

test('commands run once each under thirty per cent loss', async t => {
  const { house, runs, lamp } = await lampOf(11);
  house.host('Desk').board.setConditions({ loss: 0.3, duplicate: 0.2, reorder: 0.2 });

  const calls = Array.from({ length: 20 }, (_, i) => lamp.level.setLevel({ level: i }, { timeout: 30_000 }));
  await house.during(Promise.all(calls));

  t.deepEqual([...runs].sort(), Array.from({ length: 20 }, (_, i) => `setLevel ${i}`).sort());
});

test('a command to a device that cannot be reached ends as deviceUnreachable or expired, and never runs', async t => {
  const { house, runs, lamp } = await lampOf(12);
  house.cut('Desk');
  await house.run(60_000);

  const error = await house.failure(lamp.onOff.turnOn({}, { timeout: 5_000 }));
  house.heal('Desk');
  await house.run(60_000);

  t.true(error instanceof CommandError);
  t.true(['DEVICE_UNREACHABLE', 'EXPIRED'].includes(error.code), error.message);
  t.is(error.status, undefined);
  t.deepEqual(runs, []);
});

test('a command on its way when the link is cut has an unknown outcome, and runs once at most', async t => {
  const { house, runs, lamp } = await lampOf(13);
  const late: string[] = [];

  house.cut('Desk');
  const error = await house.failure(
    lamp.onOff.turnOn({}, { timeout: 3_000, onLateOutcome: ({ status }) => late.push(status) }),
  );
  house.heal('Desk');
  await house.run(30_000);

  t.is(error.code, 'OUTCOME_UNKNOWN', error.message);
  t.true(runs.length <= 1);
  t.true(late.length <= 1);
});

test('a command whose answer is lost runs once, and the truth comes late', async t => {
  const { house, device } = await lampOf(14);
  const late: string[] = [];
  let runs = 0;
  const slow = device.addResource('slow', [onOff]);
  slow.onOff.handle({
    toggle: async () => {
      runs++;
      await new Promise<void>(resolve => house.host('Desk').schedule(milliseconds(5_000), resolve));
    },
  });
  await house.run(1_000);
  const network = await house.app('tablet');
  const resource = await house.during(network.resource('Desk/slow', [onOff]));

  const error = await house.failure(
    resource.onOff.toggle({}, { timeout: 2_000, onLateOutcome: ({ status }) => late.push(status) }),
  );
  await house.run(20_000);

  t.is(error.code, 'OUTCOME_UNKNOWN', error.message);
  t.is(runs, 1);
  t.deepEqual(late, ['success']);
});

test('a device that is killed inside a handler leaves an unknown outcome, and does not run it again', async t => {
  const { house, device } = await lampOf(15);
  let runs = 0;
  const slow = device.addResource('slow', [onOff]);
  slow.onOff.handle({
    toggle: async () => {
      runs++;
      await new Promise<void>(() => undefined);
    },
  });
  const network = await house.app('tablet');
  const resource = await house.during(network.resource('Desk/slow', [onOff]));

  const outcome = caught(resource.onOff.toggle({}, { timeout: 20_000 }));
  await house.run(500);
  house.restart('Desk');
  await house.device('Desk');
  const error = await house.during(outcome);
  await house.run(10_000);

  t.is(error.code, 'OUTCOME_UNKNOWN', error.message);
  t.is(runs, 1);
});

test('a command that is called off before there was a session is cancelled and never runs', async t => {
  const { house, runs, lamp } = await lampOf(16);
  house.cut('Desk');
  await house.run(60_000);
  const abort = new AbortController();

  const outcome = caught(lamp.onOff.turnOn({}, { signal: abort.signal, timeout: 60_000 }));
  await house.run(100);
  abort.abort();
  const error = await house.during(outcome);
  house.heal('Desk');
  await house.run(60_000);

  t.is(error.code, 'CANCELLED', error.message);
  t.deepEqual(runs, []);
});

test('a command that is called off while the link is cut is never reported as cancelled if it may still run', async t => {
  const { house, runs, lamp } = await lampOf(17);
  const abort = new AbortController();
  house.cut('Desk');

  const outcome = caught(lamp.onOff.turnOn({}, { signal: abort.signal }));
  await house.run(100);
  abort.abort();
  const error = await house.during(outcome);
  house.heal('Desk');
  await house.run(60_000);

  t.is(error.code, 'OUTCOME_UNKNOWN', error.message);
  t.true(runs.length <= 1);
});

test('a command that is called off while its handler runs has an unknown outcome unless the handler stops', async t => {
  const { house, device } = await lampOf(18);
  const runs: number[] = [];
  const slow = device.addResource('slow', [level]);
  slow.level.handle({
    setLevel: async ({ level: wanted }) => {
      runs.push(wanted);
      await new Promise<void>(resolve => house.host('Desk').schedule(milliseconds(3_000), resolve));
    },
  });
  const network = await house.app('tablet');
  const resource = await house.during(network.resource('Desk/slow', [level]));
  const abort = new AbortController();

  const first = resource.level.setLevel({ level: 1 });
  const second = caught(resource.level.setLevel({ level: 2 }, { signal: abort.signal }));
  await house.run(200);
  abort.abort();
  const error = await house.during(second);
  await house.during(first);
  await house.run(5_000);

  t.is(error.code, 'OUTCOME_UNKNOWN', error.message);
  t.deepEqual(runs, [1, 2]);
});

test('what the device refuses comes with its status, its sentence and the field', async t => {
  const { house, lamp } = await lampOf(19);

  const unsupported = await house.failure(lamp.onOff.toggle());
  const wrong = await house.failure(lamp.level.setLevel({ level: 140 }));

  t.is(unsupported.code, 'MEMBER_MISSING');
  t.regex(
    unsupported.message,
    /^Desk\/lamp onOff does not have the command toggle here; it has turnOn, turnOff$/,
  );
  t.is(wrong.code, 'VALUE_OUT_OF_RANGE');
  t.regex(wrong.message, /level\.setLevel\(level\) is 140/);
});

test('closing the network ends what is under way', async t => {
  const { house, network, lamp } = await lampOf(20);
  house.cut('Desk');
  const outcome = caught(lamp.onOff.turnOn({}, { timeout: 60_000 }));
  await house.run(100);

  await house.during(network.close());
  const error = await house.during(outcome);

  t.is(error.code, 'OUTCOME_UNKNOWN', error.message);
});

test('a command of an app that was killed while it watched and started again is answered at once', async t => {
  for (let seed = 0; seed < 20; seed++) {
    const house = await House.create(900 + seed);
    const { lamp } = await house.lamp();
    const network = await house.app();
    const resource = await house.during(network.resource('Desk/lamp', [onOff, level]));
    const loop = resource.watch()[Symbol.asyncIterator]();
    await house.during(loop.next());
    const { random } = house.world;
    // The device goes on talking to a session that nobody has any more.
    const desk = house.host('Desk');
    let talking = true;
    const talk = (): void => {
      if (!talking) return;
      lamp.level.set({ level: random.below(100) });
      desk.schedule(milliseconds(1 + random.below(200)), talk);
    };
    talk();
    await house.run(random.below(3_000));
    house.restart('phone');
    await house.run(random.below(500));

    const began = house.world.now;
    const again = await house.app();
    const found = await house.during(again.resource('Desk/lamp', [onOff]));
    await house.during(found.onOff.turnOn());

    t.true(house.world.now - began < 500, `seed ${seed}: ${house.world.now - began} ms`);
    talking = false;
    await house.during(again.close());
  }
});
