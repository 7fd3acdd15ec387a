import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { CapabilityError, decodeValue, encodeValue, shape, t as type, unpack } from '@coconet/capabilities';
import type { WireValue } from '@coconet/capabilities';

const KEYS = ['__proto__', 'constructor', 'prototype'] as const;

const any = type.json(shape.any());

function nested(key: string, depth: number): WireValue {
  const map = new Map<string, WireValue>([[key, new Map<string, WireValue>([['polluted', true]])]]);
  return depth === 0 ? map : new Map([['inner', nested(key, depth - 1)]]);
}

for (const key of KEYS)
  test(`the key ${key} never reaches a prototype`, t => {
    const ownKeys = Reflect.ownKeys(Object.prototype).length;

    for (let depth = 0; depth <= 3; depth++) {
      const result = decodeValue(any, nested(key, depth));
      // The copy that a careless program makes.
      if (result.ok) Object.assign({}, result.value);
    }

    t.is(Reflect.get({}, 'polluted'), undefined);
    t.is(Reflect.ownKeys(Object.prototype).length, ownKeys);
  });

test('__proto__ is refused either way; the other names are plain data', t => {
  t.false(decodeValue(any, nested('__proto__', 0)).ok);
  t.throws(() => encodeValue(any, JSON.parse('{"__proto__":1}'), { capability: 'test', member: 'value' }), {
    instanceOf: CapabilityError,
  });
  const constructor = decodeValue(any, new Map([['constructor', 1]]));
  t.true(constructor.ok && Object.hasOwn(constructor.value as object, 'constructor'));
});

test('maps on the wire stay maps until a definition says what they are', t => {
  const result = unpack(Uint8Array.of(0x81, 0xa9, ...Buffer.from('__proto__'), 0xc3));

  t.deepEqual(result, { ok: true, value: new Map([['__proto__', true]]) });
});

test('everything works with frozen prototypes and without __proto__', async t => {
  const program = `
    import { decodeMessage, decodeValue, encodeMessage, shape, t } from '@coconet/capabilities';
    for (const intrinsic of [Object, Array, Map, Uint8Array, Function]) Object.freeze(intrinsic.prototype);
    const value = new Map([['constructor', 1], ['toString', 2]]);
    const message = { type: 'answer', requestId: 1, code: 'success', response: [value] };
    const back = decodeMessage(encodeMessage(message));
    const json = decodeValue(t.json(shape.any()), back.value.response[0]);
    console.log(JSON.stringify(json.value));
  `;

  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--disable-proto=throw',
      '--import=tsx',
      '--conditions=coconet-source',
      '--input-type=module',
      '--eval',
      program,
    ],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  );

  t.is(stdout.trim(), '{"constructor":1,"toString":2}');
});
