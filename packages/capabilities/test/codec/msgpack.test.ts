import test from 'ava';
import fc from 'fast-check';
import { CapabilityError, MAX_DEPTH, MAX_MESSAGE_BYTES, pack, unpack, weigh } from '@coconet/capabilities';
import type { WireValue } from '@coconet/capabilities';
import { wire } from '../arbitraries.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

const reasonOf = (bytes: Uint8Array): string | undefined => {
  const result = unpack(bytes);
  return result.ok ? undefined : result.reason;
};

test('what is packed is unpacked unchanged', t => {
  fc.assert(
    fc.property(wire, value => {
      const result = unpack(pack(value));

      t.deepEqual(result, { ok: true, value });
    }),
  );
});

test('any bytes at all give a value or a reason, never an error', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      const result = unpack(bytes);

      t.is(typeof (result.ok ? 'value' : result.reason), 'string');
    }),
    { numRuns: 2_000 },
  );
});

test('a changed byte of a good message gives a value or a reason, never an error', t => {
  fc.assert(
    fc.property(wire, fc.nat(), fc.nat({ max: 255 }), (value, position, byte) => {
      const bytes = pack(value);
      bytes[position % bytes.length] = byte;

      t.notThrows(() => unpack(bytes));
    }),
    { numRuns: 1_000 },
  );
});

const fractionsIn = (value: WireValue): number => {
  if (typeof value === 'number') return Number.isInteger(value) ? 0 : 1;
  const items =
    value instanceof Map
      ? [...(value as ReadonlyMap<string, WireValue>).values()]
      : Array.isArray(value)
        ? (value as WireValue[])
        : [];
  return items.reduce<number>((sum, item) => sum + fractionsIn(item), 0);
};

test('the weight is an upper bound of the bytes, exact but for fractions', t => {
  fc.assert(
    fc.property(wire, value => {
      const { length } = pack(value);

      const { bytes } = weigh(value);

      t.true(bytes >= length && bytes - length <= 4 * fractionsIn(value));
    }),
  );
});

test('fractions take four bytes where that loses nothing in the message, else eight', t => {
  t.is(pack([12.5, 0.25]).length, 11);
  t.is(pack([12.5, 0.1]).length, 19);
});

test('the result shares no memory with what it was made from', t => {
  const packed = pack(['a', Uint8Array.of(1, 2, 3)]);
  const source = Uint8Array.from(packed);

  const result = unpack(source);
  source.fill(0xff);
  pack(['another message', Uint8Array.of(9, 9, 9)]);

  t.deepEqual(result, { ok: true, value: ['a', Uint8Array.of(1, 2, 3)] });
  t.deepEqual([...packed], [...pack(['a', Uint8Array.of(1, 2, 3)])]);
  t.is(packed.buffer.byteLength, packed.length);
});

test('bytes inside a larger buffer are read where they are, and not marked', t => {
  const around = Buffer.concat([
    Buffer.alloc(7, 0xff),
    pack([1, 'two', Uint8Array.of(3)]),
    Buffer.alloc(7, 0xff),
  ]);
  const inside = around.subarray(7, around.length - 7);

  const result = unpack(inside);

  t.deepEqual(result, { ok: true, value: [1, 'two', Uint8Array.of(3)] });
  t.deepEqual(
    Object.getOwnPropertyNames(inside).filter(key => !/^\d+$/.test(key)),
    [],
  );
});

const BOMBS: readonly (readonly [name: string, bytes: Uint8Array, reason: RegExp])[] = [
  ['an array of 2^32 - 1', hex('ddffffffff'), /exceeds the bytes left/],
  ['a map of 2^32 - 1', hex('dfffffffff'), /exceeds the bytes left/],
  ['bytes of 2^32 - 1', hex('c6ffffffff'), /exceeds the bytes left/],
  ['text of 2^32 - 1', hex('dbffffffff'), /exceeds the bytes left/],
  ['an array one longer than its bytes', hex('93c0c0'), /exceeds the bytes left/],
  ['100,000 nested arrays', new Uint8Array(100_000).fill(0x91), /longer than a message/],
  ['65,000 nested arrays', new Uint8Array(65_000).fill(0x91), /too deeply/],
  ['65,000 nested maps', new Uint8Array(65_000).fill(0x81), /not a string/],
  ['maps nested by their values', hex(`${'81a0'.repeat(33)}c0`), /too deeply/],
  [
    '65,000 empty arrays',
    Uint8Array.from([0xdc, 0xfd, 0xe8, ...new Array<number>(65_000).fill(0x90)]),
    /too many/,
  ],
  [
    '30,000 empty maps',
    Uint8Array.from([0xdc, 0x75, 0x30, ...new Array<number>(30_000).fill(0x80)]),
    /too many/,
  ],
  [
    '3,000 empty maps',
    Uint8Array.from([0xdc, 0x0b, 0xb8, ...new Array<number>(3_000).fill(0x80)]),
    /too many maps/,
  ],
  [
    '40,000 small numbers',
    Uint8Array.from([0xdc, 0x9c, 0x40, ...new Array<number>(40_000).fill(1)]),
    /too many/,
  ],
  ['a message longer than may be', new Uint8Array(MAX_MESSAGE_BYTES + 1), /longer than a message/],
  ['every extension type', hex('d40100'), /extension/],
  ['a JavaScript library’s record', hex('d4720091a16101'), /extension/],
  ['a timestamp extension', hex('d6ff00000000'), /extension/],
  ['a regular expression of a library', hex('c70478a3612b2462'), /extension/],
  ['the unused type', hex('c1'), /unused/],
  ['nothing', new Uint8Array(0), /truncated/],
  ['two values', hex('c0c0'), /after the end/],
  ['infinity', hex('ca7f800000'), /not finite/],
  ['minus infinity', hex('cbfff0000000000000'), /not finite/],
  ['not a number', hex('ca7fc00000'), /not finite/],
  ['a surrogate in UTF-8', hex('a3eda080'), /UTF-8/],
  ['an over-long slash', hex('a2c0af'), /UTF-8/],
  ['a code point above the last', hex('a4f4908080'), /UTF-8/],
  ['a cut character', hex('a1c3'), /UTF-8/],
  ['a number as key', hex('8101c0'), /not a string/],
  ['an array as key', hex('8190c0'), /not a string/],
  ['the same key twice', hex('82a16101a16102'), /twice/],
  ['the same key twice, in two lengths', hex('82a16101d9016102'), /twice/],
];

// The machine may be busy and its heap may grow meanwhile: the best of several runs shows what the work costs.
const ATTEMPTS = 5;

for (const [name, bytes, reason] of BOMBS)
  test(`refused in 5 ms and 1 MB: ${name}`, t => {
    const costs = Array.from({ length: ATTEMPTS }, () => {
      const heap = process.memoryUsage().heapUsed;
      const start = process.hrtime.bigint();
      const refusal = reasonOf(bytes);
      const ms = Number(process.hrtime.bigint() - start) / 1e6;
      return { refusal, ms, heap: process.memoryUsage().heapUsed - heap };
    });

    t.true(costs.every(cost => reason.test(cost.refusal ?? 'taken')));
    t.true(Math.min(...costs.map(cost => cost.ms)) <= 5);
    t.true(Math.min(...costs.map(cost => cost.heap)) <= 1024 * 1024);
  });

test('the deepest nesting allowed is taken', t => {
  t.is(reasonOf(hex(`${'91'.repeat(MAX_DEPTH)}c0`)), undefined);
  t.regex(reasonOf(hex(`${'91'.repeat(MAX_DEPTH + 1)}c0`)) ?? '', /too deeply/);
});

test('every truncation of a good message is refused', t => {
  const bytes = pack([1, 'text', Uint8Array.of(1, 2), new Map([['key', 2.5]]), -70_000, 2n ** 40n]);

  for (let length = 0; length < bytes.length; length++) t.false(unpack(bytes.subarray(0, length)).ok);
});

test('a message that no peer would take is not packed', t => {
  const tooManyBytes: WireValue = 'x'.repeat(MAX_MESSAGE_BYTES);
  const tooManyMaps: WireValue = Array.from({ length: 3_000 }, () => new Map());

  t.throws(() => pack(tooManyBytes), { instanceOf: CapabilityError, code: 'MESSAGE_TOO_LARGE' });
  t.throws(() => pack(tooManyMaps), { instanceOf: CapabilityError, code: 'MESSAGE_TOO_LARGE' });
});
