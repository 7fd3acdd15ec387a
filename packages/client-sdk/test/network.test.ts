import test from 'ava';
import { level, onOff } from '@coconet/capabilities';
import { House } from './support/house.js';

test('an app finds a resource, reads it and commands it', async t => {
  const house = await House.create(1);
  const { runs } = await house.lamp();
  const network = await house.app();

  const lamp = await house.during(network.resource('Desk/lamp', [onOff, level]));
  const before = await house.during(lamp.onOff.read());
  await house.during(lamp.onOff.turnOn({}, { timeout: 2_000 }));
  const after = await house.during(lamp.onOff.read());

  t.is(before.on, false);
  t.is(after.on, true);
  t.true(after.at instanceof Date);
  t.deepEqual(runs, ['turnOn']);
  t.is(lamp.info.address, 'Desk/lamp');
});
