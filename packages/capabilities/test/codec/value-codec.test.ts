import test from 'ava';
import fc from 'fast-check';
import {
  CapabilityError,
  decodeValue,
  encodeValue,
  pack,
  shape,
  t as type,
  unpack,
} from '@coconet/capabilities';
import type { CapabilityErrorCode, DataType, JsonValue, WireValue } from '@coconet/capabilities';
import { json, wire } from '../arbitraries.js';

const place = { capability: 'test', member: 'value' };

/** Through bytes and back. */
function carried(dataType: DataType, value: unknown): unknown {
  const received = unpack(pack(encodeValue(dataType, value, place)));
  if (!received.ok) throw new Error(received.reason);
  const result = decodeValue(dataType, received.value);
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

test('json arrives as it was sent', t => {
  fc.assert(
    fc.property(json, value => {
      t.deepEqual(carried(type.json(shape.any()), value), value);
    }),
  );
});

test('any wire value decodes or is refused, for every type', t => {
  const types: readonly DataType[] = [
    type.bool(),
    type.string(),
    type.uint8(),
    type.int32({ min: -5, max: 5 }),
    type.uint64(),
    type.int64(),
    type.float32({ min: 0, max: 100 }),
    type.float64(),
    type.json(shape.list(shape.record({ a: shape.text(), b: shape.optional(shape.integer()) }))),
    type.bytes({ maxBytes: 4 }),
    type.enum(['a', 'b']),
    type.timestamp(),
    type.array(type.enum(['a', 'b']), { arrayLength: 2 }),
    type.array(type.uint16(), { arrayLength: 2 }),
  ];

  fc.assert(
    fc.property(wire, fc.constantFrom(...types), (value, dataType) => {
      t.notThrows(() => decodeValue(dataType, value));
    }),
    { numRuns: 2_000 },
  );
});

test('null, not known, is carried by every type', t => {
  for (const dataType of [type.bool(), type.float32(), type.enum(['a']), type.json(shape.text())])
    t.is(carried(dataType, null), null);
});

test('a float32 reads as the decimal that was written', t => {
  for (const value of [12.34, 0.1, -273.15, 1e-7, 3.5e20, 16_777_217])
    t.is(Math.fround(carried(type.float32(), value) as number), Math.fround(value));
  t.is(carried(type.float32(), 12.34), 12.34);
  t.is(carried(type.float32(), 0.1), 0.1);
});

test('a bound that binary32 cannot say exactly is still inside the range', t => {
  t.is(carried(type.float32({ min: 0.1, max: 0.3 }), 0.3), 0.3);
  t.is(carried(type.float32({ min: 0.1, max: 0.3 }), 0.1), 0.1);
});

const NOT_ALLOWED: readonly (readonly [
  name: string,
  dataType: DataType,
  value: unknown,
  code: CapabilityErrorCode,
])[] = [
  ['NaN', type.float64(), Number.NaN, 'VALUE_OUT_OF_RANGE'],
  ['infinity', type.float32(), Infinity, 'VALUE_OUT_OF_RANGE'],
  ['a float32 too large', type.float32(), 3.5e38, 'VALUE_OUT_OF_RANGE'],
  ['a fraction in an integer', type.uint8(), 1.5, 'VALUE_WRONG_TYPE'],
  ['a string for a number', type.uint8(), '1', 'VALUE_WRONG_TYPE'],
  ['a number for a bigint', type.uint64(), 1, 'VALUE_WRONG_TYPE'],
  ['a negative uint64', type.uint64(), -1n, 'VALUE_OUT_OF_RANGE'],
  ['an int64 too large', type.int64(), 2n ** 63n, 'VALUE_OUT_OF_RANGE'],
  ['a string too long in bytes', type.string({ maxBytes: 4 }), 'aaü€', 'VALUE_TOO_LONG'],
  ['half a character', type.string(), 'a\ud800', 'VALUE_WRONG_TYPE'],
  ['bytes too long', type.bytes({ maxBytes: 2 }), Uint8Array.of(1, 2, 3), 'VALUE_TOO_LONG'],
  ['a name outside the enum', type.enum(['off', 'on']), 'onn', 'VALUE_OUT_OF_RANGE'],
  ['an enum’s number', type.enum(['off', 'on']), 1, 'VALUE_WRONG_TYPE'],
  ['an invalid date', type.timestamp(), new Date(Number.NaN), 'VALUE_WRONG_TYPE'],
  ['a list too long', type.array(type.bool(), { arrayLength: 1 }), [true, true], 'VALUE_TOO_LONG'],
  ['a null inside a list', type.array(type.bool(), { arrayLength: 1 }), [null], 'VALUE_WRONG_TYPE'],
  ['undefined', type.bool(), undefined, 'VALUE_WRONG_TYPE'],
  ['a function in json', type.json(shape.any()), { a: () => 1 }, 'VALUE_WRONG_TYPE'],
  ['a class instance in json', type.json(shape.any()), new Map(), 'VALUE_WRONG_TYPE'],
  ['a date in json', type.json(shape.any()), [new Date(0)], 'VALUE_WRONG_TYPE'],
  ['NaN in json', type.json(shape.any()), [Number.NaN], 'VALUE_WRONG_TYPE'],
  ['a hole in a list of json', type.json(shape.any()), new Array<JsonValue>(1), 'VALUE_WRONG_TYPE'],
  ['a missing key', type.json(shape.record({ a: shape.text() })), {}, 'VALUE_WRONG_TYPE'],
  ['a name outside a list of names', type.json(shape.oneOf(['a', 'b'])), 'c', 'VALUE_WRONG_TYPE'],
  ['json too large', type.json(shape.any()), 'x'.repeat(40_000), 'VALUE_TOO_LONG'],
  [
    'json of too many objects',
    type.json(shape.any()),
    Array.from({ length: 1_025 }, () => ({})),
    'VALUE_TOO_LONG',
  ],
];

for (const [name, dataType, value, code] of NOT_ALLOWED)
  test(`not written: ${name}`, t => {
    const error = t.throws(() => encodeValue(dataType, value, place), { instanceOf: CapabilityError });

    t.is(error.code, code);
    t.true(error.message.startsWith('test.value '));
  });

test('an error names the value, what is allowed and the unit', t => {
  const error = t.throws(() => encodeValue(type.float32({ min: 0, max: 100, unit: '%' }), 140, place), {
    instanceOf: CapabilityError,
  });

  t.is(error.message, 'test.value is 140, allowed is 0…100 %');
  t.is(error.details.allowed, '0…100 %');
});

const REFUSED: readonly (readonly [name: string, dataType: DataType, value: WireValue])[] = [
  ['a number below the range', type.int16({ min: 0 }), -1],
  ['a number above the range', type.float32({ max: 100 }), 100.5],
  ['a fraction in an integer', type.uint32(), 0.5],
  ['an integer beyond 2^53 in a small one', type.uint32(), 2n ** 60n],
  ['a float32 that is none', type.float32(), 1e300],
  ['a uint64 below zero', type.uint64(), -1],
  ['a time that does not exist', type.timestamp(), 2n ** 62n],
  ['a string in place of a bool', type.bool(), 'true'],
  ['a negative enum number', type.enum(['a']), -1],
  ['an enum number beyond a byte', type.enum(['a']), 256],
  ['text longer than allowed', type.string({ maxBytes: 2 }), 'abc'],
  ['a list longer than allowed', type.array(type.enum(['a']), { arrayLength: 1 }), [0, 0]],
  ['json of another shape', type.json(shape.list(shape.text())), [1]],
  ['bytes in json', type.json(shape.any()), [Uint8Array.of(1)]],
  ['an integer in json that JSON cannot hold', type.json(shape.any()), 2n ** 60n],
];

for (const [name, dataType, value] of REFUSED)
  test(`not taken: ${name}`, t => {
    t.false(decodeValue(dataType, value).ok);
  });

test('an enum number of a newer peer reads as unknown', t => {
  t.deepEqual(decodeValue(type.enum(['off', 'on']), 7), { ok: true, value: 'unknown' });
  t.deepEqual(decodeValue(type.array(type.enum(['off', 'on']), { arrayLength: 3 }), [0, 7]), {
    ok: true,
    value: ['off', 'unknown'],
  });
});

test('json of a newer peer may have more keys and other names', t => {
  const record = type.json(shape.record({ path: shape.oneOf(['direct', 'relay']) }));

  const result = decodeValue(
    record,
    new Map<string, WireValue>([
      ['path', 'satellite'],
      ['hops', 2],
    ]),
  );

  t.deepEqual(result, { ok: true, value: { path: 'satellite', hops: 2 } });
});

test('json nests 24 deep, no deeper, either way', t => {
  const nested = (depth: number): JsonValue => (depth === 0 ? [] : [nested(depth - 1)]);
  const any = type.json(shape.any());

  t.deepEqual(carried(any, nested(23)), nested(23));
  t.throws(() => encodeValue(any, nested(24), place), { code: 'VALUE_TOO_DEEP' });
  t.false(decodeValue(any, nested(24) as WireValue).ok);
});

test('json that contains itself is refused, not followed', t => {
  const loop: unknown[] = [];
  loop.push(loop);

  t.throws(() => encodeValue(type.json(shape.any()), loop, place), { code: 'VALUE_TOO_DEEP' });
});
