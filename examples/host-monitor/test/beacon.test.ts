import test from 'ava';

import { Beacon, type BeaconState } from '../src/beacon.js';
import { VirtualTime } from './virtual-time.js';

function light(on = false) {
  const time = new VirtualTime();
  const states: BeaconState[] = [];
  const pictures: boolean[] = [];
  const beacon = new Beacon(
    {
      schedule: time.schedule,
      changed: state => states.push(state),
      show: ({ lit }) => pictures.push(lit),
    },
    on,
  );
  return { time, states, pictures, beacon };
}

test('it is switched on, off and over', t => {
  const { beacon, states } = light();

  beacon.turnOn();
  beacon.turnOff();
  beacon.toggle();

  t.deepEqual(
    states.map(({ on }) => on),
    [true, false, true],
  );
});

test('it goes off by itself after the duration', async t => {
  const { beacon, time } = light();

  beacon.turnOn(1_000);
  await time.pass(999);
  t.true(beacon.state.on);
  await time.pass(1);

  t.false(beacon.state.on);
});

test('a later command ends the waiting of an earlier one', async t => {
  const { beacon, time } = light();

  beacon.turnOn(1_000);
  beacon.turnOn();
  await time.pass(5_000);

  t.true(beacon.state.on);
});

test('to be found it blinks for a while, and then shows what it showed before', async t => {
  const { beacon, time, pictures, states } = light(true);

  beacon.identify(1_000);
  await time.pass(2_000);

  t.deepEqual(pictures, [true, false, true, true]);
  t.deepEqual(states, [
    { on: true, identifying: true },
    { on: true, identifying: false },
  ]);
  t.is(time.waiting, 0);
});

test('asked again it blinks until the newer end', async t => {
  const { beacon, time } = light();

  beacon.identify(1_000);
  await time.pass(500);
  beacon.identify(1_000);
  await time.pass(900);

  t.true(beacon.state.identifying);
});

test('a duration of 0 ends the blinking', t => {
  const { beacon, time } = light();

  beacon.identify(60_000);
  beacon.identify(0);

  t.false(beacon.state.identifying);
  t.is(time.waiting, 0);
});

test('the longest duration there is, 49 days, is waited for in parts', async t => {
  const { beacon, time } = light();

  beacon.turnOn(0xffff_ffff);
  await time.pass(0xffff_fffe);
  t.true(beacon.state.on);
  await time.pass(1);

  t.false(beacon.state.on);
});

test('closed, it leaves no timer', t => {
  const { beacon, time } = light();
  beacon.turnOn(1_000);
  beacon.identify(1_000);

  beacon.close();

  t.is(time.waiting, 0);
});
