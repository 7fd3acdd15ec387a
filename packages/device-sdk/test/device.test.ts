import { level, onOff } from '@coconet/capabilities';
import { seconds } from '@coconet/cluster-protocol';
import test from 'ava';
import { Home } from './support/home.js';

test('an app subscribes, gets the snapshot first and then each change', async t => {
  const home = await Home.create(1);
  const device = await home.device();
  const lamp = device.addResource('lamp', [onOff, level]);
  lamp.onOff.set({ on: false });
  const phone = home.phone();

  phone.subscribe();
  await home.until(() => phone.all('report').length === 1);
  lamp.onOff.set({ on: true });
  lamp.level.set({ level: 40 });
  await home.until(() => phone.all('report').length === 2);

  const [snapshot, change] = phone.all('report');
  t.true(snapshot!.snapshot && snapshot!.last);
  t.is(snapshot!.entries.length, 7);
  t.true(snapshot!.entries.every(({ realtime }) => !realtime));
  t.false(change!.snapshot);
  t.deepEqual(
    change!.entries.map(({ value, realtime }) => [value, realtime]),
    [
      [true, true],
      [40, true],
    ],
  );
  t.is(change!.fromVersion, snapshot!.version);
});

test('a command runs its handler and is answered with success', async t => {
  const home = await Home.create(2);
  const device = await home.device();
  const lamp = device.addResource('lamp', [onOff]);
  const senders: string[] = [];
  lamp.onOff.handle({
    turnOn: (_, { sender, role }) => {
      senders.push(`${sender.name} ${role}`);
      lamp.onOff.set({ on: true });
    },
  });
  const phone = home.phone();

  const sent = phone.call('lamp', onOff, 'turnOn');
  await home.until(() => phone.ends(sent).length === 1);
  await home.run(seconds(1));

  t.is(phone.ends(sent)[0]!.code, 'success');
  t.deepEqual(senders, ['phone guest']);
  t.true(lamp.onOff.get('on'));
});
