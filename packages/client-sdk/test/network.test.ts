import test from 'ava';
import { level, onOff } from '@coconet/capabilities';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import { stateWithout } from '@coconet/cluster-protocol/testing';
import { House, stateWithoutRole } from './support/house.js';

const crypto = await createCryptoProvider();

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

test('a device that has not heard yet of an app describes itself to it all the same', async t => {
  const house = await House.create(2);
  await house.know('Desk', stateWithout(crypto, house.network, 'phone'));
  const { runs } = await house.lamp();
  const network = await house.app();

  const lamp = await house.during(network.resource('Desk/lamp', [onOff], { timeout: 5_000 }));
  await house.during(lamp.onOff.turnOn({}, { timeout: 2_000 }));

  t.deepEqual(runs, ['turnOn']);
});

test('a device that knows an app without a role yet is asked again until it has heard of the role', async t => {
  const house = await House.create(3);
  await house.know('Desk', stateWithoutRole(house, 'phone'));
  const { runs } = await house.lamp();
  const network = await house.app();

  const lamp = await house.during(network.resource('Desk/lamp', [onOff], { timeout: 5_000 }));
  await house.during(lamp.onOff.turnOn({}, { timeout: 2_000 }));

  t.deepEqual(runs, ['turnOn']);
});
