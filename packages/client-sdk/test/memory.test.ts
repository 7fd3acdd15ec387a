import test from 'ava';
import { defineCapability, t as type } from '@coconet/capabilities';
import { DAMAGED_KEY } from '@coconet/cluster-protocol';
import { type Failure, House } from './support/house.js';

const gun = defineCapability({
  id: 'org.coconet.test.gun',
  name: 'gun',
  title: 'Must not happen twice',
  revision: 1,
  tier: 'vendor',
  commands: {
    shoot: { id: 8, parameters: { shot: type.uint16() } },
    aim: { id: 9, parameters: { at: type.uint16() }, idempotent: true },
  },
});

/** A device that shoots, through all its lives, and an app that tells it to. */
class Range {
  readonly house: House;
  /** What ran, in every life of the device. */
  readonly runs: string[] = [];
  /** While set, no handler comes to an end. */
  isStuck = false;

  private constructor(house: House) {
    this.house = house;
  }

  static async create(seed: number): Promise<Range> {
    const range = new Range(await House.create(seed));
    await range.start();
    return range;
  }

  /** Starts the device. */
  async start(): Promise<void> {
    const device = await this.house.device();
    const run = async (what: string): Promise<void> => {
      this.runs.push(what);
      if (this.isStuck) await new Promise<void>(() => undefined);
    };
    device.addResource('gun', [gun]).gun.handle({
      shoot: ({ shot }) => run(`shot ${shot}`),
      aim: ({ at }) => run(`aim ${at}`),
    });
  }

  get disk() {
    return this.house.host('Desk').disk();
  }

  /** The power of the device fails. */
  crash(): void {
    this.house.host('Desk').crash();
  }

  /** It comes back. */
  async restart(): Promise<void> {
    this.house.restart('Desk');
    await this.start();
  }

  async app(name = 'phone') {
    const network = await this.house.app(name);
    const resource = await this.house.during(network.resource('Desk/gun', [gun]));
    return { network, gun: resource.gun };
  }
}

/** How a call ended, as soon as it did. */
function watched(call: Promise<unknown>): { end: string; error?: Failure } {
  const state: { end: string; error?: Failure } = { end: 'open' };
  call.then(
    () => (state.end = 'success'),
    (error: unknown) => {
      state.error = error as Failure;
      state.end = state.error.code;
    },
  );
  return state;
}

test('a command on its way to a device that merely lost its power runs once, when it is back', async t => {
  const range = await Range.create(1);
  const app = await range.app();
  await range.house.during(app.gun.shoot({ shot: 1 }));

  range.crash();
  const second = watched(app.gun.shoot({ shot: 2 }, { timeout: 60_000 }));
  await range.house.run(500);
  await range.restart();
  await range.house.run(40_000);

  t.is(second.end, 'success', second.error?.message);
  t.deepEqual(range.runs, ['shot 1', 'shot 2']);
});

test('a command that ran before an old store was put back does not run again: its outcome is unknown', async t => {
  const range = await Range.create(2);
  const app = await range.app();
  await range.house.during(app.gun.shoot({ shot: 1 }));
  range.disk.keepCopy();
  range.crash();
  await range.restart();
  await range.house.during(app.gun.shoot({ shot: 2 }, { timeout: 60_000 }));

  // It runs, and the device dies before anything of that gets out.
  range.isStuck = true;
  range.house.host('phone').board.setConditions({ down: true });
  const third = watched(app.gun.shoot({ shot: 3 }, { timeout: 300_000 }));
  await range.house.run(200);
  range.house.host('phone').board.setConditions({ down: false });
  await range.house.run(100);
  range.crash();
  range.isStuck = false;
  const fourth = watched(app.gun.shoot({ shot: 4 }, { timeout: 300_000 }));
  const aim = watched(app.gun.aim({ at: 5 }, { timeout: 300_000 }));
  await range.house.run(500);
  range.disk.restoreOldCopy();
  await range.restart();
  await range.house.run(60_000);

  t.is(third.end, 'OUTCOME_UNKNOWN', third.error?.message);
  t.is(fourth.end, 'OUTCOME_UNKNOWN');
  t.regex(fourth.error!.message, /lost its memory/);
  t.is(aim.end, 'success', 'what may run twice is sent again');
  t.is(range.runs.filter(run => run === 'shot 3').length <= 1, true);
  t.false(range.runs.includes('shot 4'));
  await range.house.during(app.gun.shoot({ shot: 6 }));
  t.is(range.runs.at(-1), 'shot 6');
});

test('an old store of the same start is found out by a command that it has forgotten', async t => {
  const range = await Range.create(3);
  const app = await range.app();
  range.disk.keepCopy();
  await range.house.during(app.gun.shoot({ shot: 1 }));

  range.crash();
  const second = watched(app.gun.shoot({ shot: 2 }, { timeout: 300_000 }));
  await range.house.run(500);
  range.disk.restoreOldCopy();
  await range.restart();
  await range.house.run(60_000);

  t.is(second.end, 'OUTCOME_UNKNOWN');
  t.deepEqual(range.runs, ['shot 1']);
});

test('a command that waits for its answer when the store is lost ends at once, and truthfully', async t => {
  const range = await Range.create(4);
  const app = await range.app();
  range.disk.keepCopy();
  range.isStuck = true;
  const first = watched(app.gun.shoot({ shot: 1 }, { timeout: 3_600_000 }));
  await range.house.run(1_000);

  range.crash();
  range.disk.restoreOldCopy();
  await range.restart();
  await range.house.run(60_000);

  t.is(first.end, 'OUTCOME_UNKNOWN');
  t.regex(first.error!.message, /before it answered/);
  t.deepEqual(range.runs, ['shot 1']);
});

test('a damaged store of a device vouches for nothing that it received', async t => {
  const range = await Range.create(5);
  const app = await range.app();
  await range.house.during(app.gun.shoot({ shot: 1 }));

  range.crash();
  const second = watched(app.gun.shoot({ shot: 2 }, { timeout: 300_000 }));
  await range.house.run(500);
  range.house.restart('Desk');
  const mark = new Map([[DAMAGED_KEY, new Uint8Array(0)]]);
  await range.house.during(range.house.host('Desk').openStore().write(mark));
  await range.start();
  await range.house.run(60_000);

  t.is(second.end, 'OUTCOME_UNKNOWN');
  t.deepEqual(range.runs, ['shot 1']);
});

test('an app whose store was put back gets its own answers, not those of another life', async t => {
  const range = await Range.create(6);
  const phone = range.house.host('phone');
  phone.disk().keepCopy();
  const first = await range.app();
  for (let shot = 1; shot <= 5; shot++) await range.house.during(first.gun.shoot({ shot }));

  for (const isDeviceRestarted of [false, true]) {
    range.house.restart('phone');
    range.house.host('phone').disk().restoreOldCopy();
    if (isDeviceRestarted) {
      range.crash();
      await range.restart();
    }
    const again = await range.app();
    const before = range.runs.length;
    for (let shot = 11; shot <= 15; shot++)
      await range.house.during(again.gun.shoot({ shot }, { timeout: 60_000 }));

    t.deepEqual(range.runs.slice(before), ['shot 11', 'shot 12', 'shot 13', 'shot 14', 'shot 15']);
  }
});

test('a device whose store was put back is heard by an app that knew another life of it', async t => {
  const range = await Range.create(7);
  const app = await range.app();
  range.disk.keepCopy();
  for (let shot = 1; shot <= 5; shot++) await range.house.during(app.gun.shoot({ shot }));

  range.crash();
  range.disk.restoreOldCopy();
  await range.restart();
  await range.house.run(40_000);
  for (let shot = 6; shot <= 10; shot++)
    await range.house.during(app.gun.shoot({ shot }, { timeout: 60_000 }));

  t.is(range.runs.length, 10);
  t.is(new Set(range.runs).size, 10);
});

test('a refused command never runs, not even by a device that has forgotten the refusal', async t => {
  const range = await Range.create(8);
  const app = await range.app();
  range.disk.keepCopy();
  const controller = new AbortController();
  range.isStuck = true;
  const stuck = watched(app.gun.aim({ at: 1 }, { timeout: 300_000 }));
  const behind = watched(app.gun.aim({ at: 2 }, { timeout: 300_000, signal: controller.signal }));
  await range.house.run(200);
  controller.abort();
  await range.house.run(3_000);

  range.crash();
  range.disk.restoreOldCopy();
  range.isStuck = false;
  await range.restart();
  await range.house.run(60_000);

  const ran = range.runs.filter(run => run === 'aim 2').length;
  t.not(behind.end, 'open');
  t.true(behind.end === 'OUTCOME_UNKNOWN' || ran === (behind.end === 'success' ? 1 : 0), behind.end);
  t.not(stuck.end, 'success');
});
