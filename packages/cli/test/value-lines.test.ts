import test from 'ava';

import { spanText, valueLine, valueLines } from '../src/value-lines.js';

test('bytes and times come in a unit that suits their size, small ones as they are', t => {
  const memory = (value: unknown) => valueLine('diagnostics', 'memoryUsed', value);
  const uptime = (value: unknown) => valueLine('deviceInfo', 'uptime', value);

  t.deepEqual(['999', '9999', '10000', '1401421824', '84332990464', '999000000000000'].map(memory), [
    '999 B',
    '9999 B',
    '10.0 kB',
    '1.40 GB',
    '84.3 GB',
    '999 TB',
  ]);
  t.deepEqual(['0', '119', '120', '13058', '90061'].map(uptime), [
    '0 s',
    '119 s',
    '2 min',
    '3 h 37 min',
    '1 d 1 h',
  ]);
});

test('a number without a larger unit keeps its own', t => {
  t.is(valueLine('level', 'level', 40), '40 %');
  t.is(valueLine('onOff', 'on', true), 'true');
});

test('a list of records has a line for each, with its fields by name', t => {
  const channels = [
    { id: 'cpuLoad', name: 'Processor load', rate: 0.5 },
    { id: 'sent', name: 'Sent', rate: 1 },
  ];

  t.deepEqual(valueLines('telemetry', 'channels', channels), [
    'id=cpuLoad name="Processor load" rate=0.5',
    'id=sent name=Sent rate=1',
  ]);
});

test('a list of simple values is one line, an empty one says so', t => {
  t.deepEqual(valueLines('networkConfiguration', 'addresses', ['192.0.2.2', 'fd00::2']), [
    '192.0.2.2, fd00::2',
  ]);
  t.deepEqual(valueLines('diagnostics', 'faults', []), ['none']);
});

test('what is not known is a dash, and a value of an unknown capability is shown as JSON', t => {
  t.is(valueLine('onOff', 'on', null), '-');
  t.is(valueLine('org.example.thing', '#7', 'text'), '"text"');
  t.is(valueLine('org.example.thing', '#7', { a: [1, 2] }), 'a=[1,2]');
});

test('a time span has its two largest units', t => {
  t.deepEqual([0, 0.4, 59, 61, 3_600, 86_400 * 3 + 7_200].map(spanText), [
    '0 s',
    '0 s',
    '59 s',
    '1 min 1 s',
    '1 h',
    '3 d 2 h',
  ]);
});
