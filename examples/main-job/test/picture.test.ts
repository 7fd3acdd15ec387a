import test from 'ava';

import { Picture } from '../src/picture.js';

const value = (address: string, attribute: string, shown: unknown) => ({
  address,
  capability: 'diagnostics',
  attribute,
  value: shown,
  unit: undefined,
});

test('a value is there once, with what was told last', t => {
  const picture = new Picture();

  picture.apply({
    event: 'values',
    values: [value('C/system', 'cpuLoad', 1), value('C/system', 'diskFree', 2)],
  });
  picture.apply({ event: 'values', values: [value('C/system', 'cpuLoad', 3)] });

  t.deepEqual(
    picture.values.map(shown => shown.value),
    [3, 2],
  );
});

test('attributes count when they have a value and say something of the machine', t => {
  const picture = new Picture();

  picture.apply({
    event: 'values',
    values: [
      value('C/system', 'cpuLoad', 0),
      value('C/system', 'temperature', null),
      value('C/beacon', 'on', true),
    ],
  });

  t.is(picture.attributes, 1);
});

test('what the device has measured is remembered', t => {
  const picture = new Picture();

  picture.apply({ event: 'measured', attributes: 17 });

  t.is(picture.measured, 17);
});

test('a command counts as direct when it was done, over a direct path', t => {
  const picture = new Picture();
  const outcome = { event: 'command', line: 'C/beacon onOff.toggle', rttMs: 1 } as const;

  picture.apply({ ...outcome, path: 'relay' });
  picture.apply({ ...outcome, path: 'direct', failure: 'busy' });
  t.deepEqual(picture.directCommands, []);
  picture.apply({ ...outcome, path: 'direct' });

  t.is(picture.directCommands[0]?.rttMs, 1);
});

test('a device that is away has no path', t => {
  const picture = new Picture();
  picture.apply({ event: 'presence', online: true });
  picture.apply({ event: 'path', path: 'direct', scope: 'host', rttMs: 1, why: 'same machine' });

  picture.apply({ event: 'presence', online: false });

  t.is(picture.path, undefined);
});

test('the last three notices are kept, and none twice in a row', t => {
  const picture = new Picture();

  for (const text of ['one', 'two', 'two', 'three', 'four']) picture.apply({ event: 'notice', text });

  t.deepEqual(picture.notices, ['two', 'three', 'four']);
});
