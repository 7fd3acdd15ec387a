import test from 'ava';
import fc from 'fast-check';
import {
  CapabilityError,
  STANDARD_CAPABILITIES,
  fieldsFromJson,
  fieldsFromText,
  fieldsToJson,
  level,
  sameValue,
  shape,
  telemetry,
  t as type,
  valueFromJson,
  valueFromText,
  valueToJson,
  valueToText,
} from '@coconet/capabilities';
import type { AnyCapability, DataType, JsonValue } from '@coconet/capabilities';
import { valueOf } from '../arbitraries.js';

const place = { capability: 'level', member: 'level' };

const READ: readonly (readonly [text: string, dataType: DataType, value: unknown])[] = [
  ['40', type.float32(), 40],
  ['-1.5e3', type.float64(), -1_500],
  ['+7', type.uint8(), 7],
  ['true', type.bool(), true],
  ['idle', type.enum(['idle', 'busy']), 'idle'],
  ['40', type.string(), '40'],
  ['null', type.string(), 'null'],
  ['null', type.uint8(), null],
  ['18446744073709551615', type.uint64(), 18_446_744_073_709_551_615n],
  ['2026-01-01T00:00:00Z', type.timestamp(), new Date('2026-01-01T00:00:00Z')],
  ['2026-01-01T01:30+01:30', type.timestamp(), new Date('2026-01-01T00:00:00Z')],
  ['00ff', type.bytes(), Uint8Array.of(0, 255)],
  ['[1, 2]', type.array(type.uint8(), { arrayLength: 2 }), [1, 2]],
  ['[{"key":"a"}]', type.json(shape.any()), [{ key: 'a' }]],
];

for (const [text, dataType, value] of READ)
  test(`${text} is read as ${dataType.kind}`, t => {
    t.deepEqual(valueFromText(dataType, text, place), value);
  });

const NOT_READ: readonly (readonly [text: string, dataType: DataType, message: string])[] = [
  [
    'forty',
    type.float32({ min: 0, max: 100, unit: '%' }),
    "level.level is 'forty', wanted is a number, 0…100 %",
  ],
  ['140', type.float32({ min: 0, max: 100, unit: '%' }), 'level.level is 140, allowed is 0…100 %'],
  ['', type.uint8(), "level.level is '', wanted is a number, 0…255"],
  ['0x10', type.uint8(), "level.level is '0x10', wanted is a number, 0…255"],
  ['Infinity', type.float64(), "level.level is 'Infinity', wanted is a number, any float64"],
  ['1.5', type.uint8(), 'level.level is 1.5, wanted is a whole number, 0…255'],
  ['1.5', type.uint64(), "level.level is '1.5', wanted is a bigint, 0…18446744073709551615"],
  ['yes', type.bool(), "level.level is 'yes', wanted is true or false"],
  ['idel', type.enum(['idle', 'busy']), "level.level is 'idel', allowed are idle, busy"],
  [
    '2026-01-01',
    type.timestamp(),
    "level.level is '2026-01-01', wanted is a time such as 2026-01-31T12:00:00Z",
  ],
  [
    '2026-02-30T00:00:00Z',
    type.timestamp(),
    "level.level is '2026-02-30T00:00:00Z', wanted is a time such as 2026-01-31T12:00:00Z",
  ],
  ['0f0', type.bytes(), "level.level is '0f0', wanted is bytes as hexadecimal digits"],
  ['{', type.json(shape.any()), "level.level is '{', wanted is JSON"],
];

for (const [text, dataType, message] of NOT_READ)
  test(`'${text}' is not read as ${dataType.kind}`, t => {
    const error = t.throws(() => valueFromText(dataType, text, place), { instanceOf: CapabilityError });

    t.is(error.message, message);
  });

const SHOWN: readonly (readonly [dataType: DataType, value: unknown, text: string])[] = [
  [type.float32({ unit: '%' }), 40, '40 %'],
  [type.uint64({ unit: 's' }), 2n ** 60n, '1152921504606846976 s'],
  [type.bool(), null, '-'],
  [type.enum(['idle']), 'idle', 'idle'],
  [type.timestamp(), new Date(0), '1970-01-01T00:00:00.000Z'],
  [type.array(type.float32({ unit: 'ms' }), { arrayLength: 2 }), [1, 2.5], '[1,2.5] ms'],
  [type.json(shape.any()), [{ a: 1 }], '[{"a":1}]'],
  [type.bytes(), Uint8Array.of(0, 255), '00ff'],
];

for (const [dataType, value, text] of SHOWN)
  test(`a ${dataType.kind} is shown as ${text}`, t => {
    t.is(valueToText(dataType, value), text);
  });

test('every value of every attribute survives its JSON form', t => {
  const capabilities: readonly AnyCapability[] = STANDARD_CAPABILITIES;
  for (const capability of capabilities)
    for (const attribute of Object.values(capability.attributes))
      fc.assert(
        fc.property(valueOf(attribute.type), value => {
          const json = JSON.parse(JSON.stringify(valueToJson(value))) as JsonValue;

          t.true(sameValue(valueFromJson(attribute.type, json, place), value));
        }),
        { numRuns: 20 },
      );
});

test('parameters are read by name, an unknown one is answered with the nearest', t => {
  const { parameters } = level.commands.setLevel;

  t.deepEqual(fieldsFromText(parameters, { level: '40', transition: '500' }, place), {
    level: 40,
    transition: 500,
  });
  t.throws(() => fieldsFromText(parameters, { levle: '40' }, { capability: 'level', member: 'setLevel' }), {
    message: "level.setLevel has no parameter 'levle'; did you mean level?",
  });
  t.throws(() => fieldsFromText(parameters, { level: '400' }, { capability: 'level', member: 'setLevel' }), {
    message: 'level.setLevel(level) is 400, allowed is 0…100 %',
  });
});

test('parameters and responses have a JSON form by name', t => {
  const { parameters } = telemetry.infoRequests.history;
  const json = {
    channelId: 'cpu',
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-02T00:00:00.000Z',
    maxPoints: 5,
  };

  const values = fieldsFromJson(parameters, json, { capability: 'telemetry', member: 'history' });

  t.deepEqual(values['from'], new Date('2026-01-01T00:00:00Z'));
  t.deepEqual(fieldsToJson({ ...values, aggregate: undefined }), json);
  t.throws(() => fieldsFromJson(parameters, { from: 5 }, { capability: 'telemetry', member: 'history' }), {
    message: 'telemetry.history(from) is 5, wanted is a time such as 2026-01-31T12:00:00Z',
  });
});

test('an integer beyond 2^53 - 1 is a decimal string in JSON', t => {
  t.is(valueToJson(2n ** 60n), '1152921504606846976');
  t.is(valueFromJson(type.uint64(), '1152921504606846976', place), 2n ** 60n);
  t.is(valueToJson(3_600n), 3_600);
});
