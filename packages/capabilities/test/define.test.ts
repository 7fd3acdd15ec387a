import test from 'ava';
import { CapabilityError, defineCapability, shape, t as type } from '@coconet/capabilities';
import type { AttributeSpec, CommandSpec } from '@coconet/capabilities';

const base = { id: 'com.acme.kettle', name: 'kettle', title: 'Kettle', revision: 1, tier: 'vendor' } as const;

const withAttribute =
  (attribute: AttributeSpec, name = 'water') =>
  () =>
    defineCapability({ ...base, attributes: { [name]: attribute } });

const withCommand =
  (command: CommandSpec, name = 'boil') =>
  () =>
    defineCapability({ ...base, commands: { [name]: command } });

test('what a definition leaves out has its default', t => {
  const kettle = defineCapability({
    ...base,
    attributes: { water: { id: 1, type: type.float32({ min: 0, max: 1.7, unit: 'L' }) } },
    commands: { boil: { id: 8 } },
  });

  t.like(kettle.attributes.water, {
    name: 'water',
    writable: false,
    persist: false,
    alarm: false,
    delivery: 'state',
    publishOnly: false,
    minReportInterval: 0,
    maxReportInterval: 0,
    minimumRole: 'guest',
    default: null,
  });
  t.like(kettle.commands.boil, { name: 'boil', idempotent: false, minimumRole: 'guest' });
  t.is(kettle.attributesById.get(1), kettle.attributes.water);
  t.is(kettle.commandsById.get(8), kettle.commands.boil);
});

test('a definition cannot be changed', t => {
  const kettle = defineCapability({ ...base, attributes: { water: { id: 1, type: type.bool() } } });

  t.true(
    Object.isFrozen(kettle) && Object.isFrozen(kettle.attributes) && Object.isFrozen(kettle.attributes.water),
  );
});

const WRONG: readonly (readonly [name: string, define: () => unknown, message: RegExp])[] = [
  ['a name with a capital', () => defineCapability({ ...base, name: 'Kettle' }), /camelCase/],
  ['an id of one word', () => defineCapability({ ...base, id: 'kettle' }), /com\.vendor\.name/],
  ['id 0', () => defineCapability({ ...base, id: 0 }), /between 1 and 4294967295/],
  ['revision 0', () => defineCapability({ ...base, revision: 0 }), /revision/],
  [
    'an attribute with an underscore',
    withAttribute({ id: 1, type: type.bool() }, 'water_level'),
    /camelCase/,
  ],
  ['an inherited name', withAttribute({ id: 1, type: type.bool() }, 'constructor'), /taken/],
  ['an attribute called fresh', withAttribute({ id: 1, type: type.bool() }, 'fresh'), /taken/],
  ['a command called write', withCommand({ id: 8 }, 'write'), /taken/],
  ['attribute id 0', withAttribute({ id: 0, type: type.bool() }), /between 1 and 65535/],
  ['a command id of an implicit command', withCommand({ id: 1 }), /between 8 and 65535/],
  ['min above max', withAttribute({ id: 1, type: type.uint8({ min: 5, max: 4 }) }), /min 5 is above max 4/],
  [
    'a bound that the type cannot hold',
    withAttribute({ id: 1, type: type.uint8({ max: 256 }) }),
    /exceeds what the type holds/,
  ],
  [
    'a bigint bound that the type cannot hold',
    withAttribute({ id: 1, type: type.uint64({ min: -1n }) }),
    /exceeds/,
  ],
  [
    'a bound that is no number',
    withAttribute({ id: 1, type: type.float64({ min: Number.NaN }) }),
    /not a number/,
  ],
  [
    'a default outside the range',
    withAttribute({ id: 1, type: type.uint8({ max: 4 }), default: 5 }),
    /default is 5/,
  ],
  [
    'a default of another type',
    withAttribute({ id: 1, type: type.bool(), default: 'yes' }),
    /default is 'yes'/,
  ],
  ['an enum without values', withAttribute({ id: 1, type: type.enum([]) }), /between 1 and 255 values/],
  ['an enum value twice', withAttribute({ id: 1, type: type.enum(['a', 'a']) }), /twice/],
  [
    'an endless array',
    withAttribute({ id: 1, type: type.array(type.bool(), { arrayLength: Infinity }) }),
    /arrayLength/,
  ],
  ['a string of no length', withAttribute({ id: 1, type: type.string({ maxBytes: 0 }) }), /maxBytes/],
  [
    'a reportable change of text',
    withAttribute({ id: 1, type: type.string(), reportableChange: 1 }),
    /belongs to numbers/,
  ],
  ['a reportable change of 0', withAttribute({ id: 1, type: type.uint8(), reportableChange: 0 }), /above 0/],
  [
    'a minimum interval above the maximum',
    withAttribute({ id: 1, type: type.bool(), minReportInterval: 2_000, maxReportInterval: 1_000 }),
    /above maxReportInterval/,
  ],
  [
    'a negative interval',
    withAttribute({ id: 1, type: type.bool(), minReportInterval: -1 }),
    /whole number of ms/,
  ],
  [
    'an event that is kept',
    withAttribute({ id: 1, type: type.bool(), delivery: 'event', persist: true }),
    /never kept/,
  ],
  [
    'state that is publish-only',
    withAttribute({ id: 1, type: type.bool(), publishOnly: true }),
    /belongs to events/,
  ],
  [
    'a parameter with a bad type',
    withCommand({ id: 8, parameters: { a: type.uint8({ max: 999 }) } }),
    /boil\(a\)/,
  ],
  [
    'a requirement for no parameter',
    withCommand({ id: 8, requireOneOf: ['till'] }),
    /'till', which is no parameter/,
  ],
];

for (const [name, define, message] of WRONG)
  test(`not defined: ${name}`, t => {
    const error = t.throws(define, { instanceOf: CapabilityError });

    t.is(error.code, 'INVALID_DEFINITION');
    t.regex(error.message, message);
  });

test('an id given twice names who has it', t => {
  const error = t.throws(() =>
    defineCapability({
      ...base,
      attributes: { water: { id: 1, type: type.bool() }, heat: { id: 1, type: type.json(shape.any()) } },
    }),
  );

  t.is(error.message, 'definition of kettle.heat: the id 1 belongs to attribute water');
});
