import fc from 'fast-check';
import type {
  CapabilityMessage,
  DataType,
  Entry,
  JsonShape,
  JsonValue,
  WireValue,
} from '@coconet/capabilities';
import { POWER_SOURCES, STATUS_CODES } from '@coconet/capabilities';

/** Text that UTF-8 can say. */
const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength });

// Negative zero is written as zero: a reading of "-0" is no information.
const noNegativeZero = (value: number) => (value === 0 ? 0 : value);

const safeKey = fc.string({ maxLength: 8 }).filter(key => key !== '__proto__');

/** Any JSON that we carry. */
export const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    text(12),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(noNegativeZero),
    fc.maxSafeInteger(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(safeKey, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

/** JSON that fits a shape. */
function jsonOf(shape: JsonShape): fc.Arbitrary<JsonValue> {
  switch (shape.kind) {
    case 'any':
      return json;
    case 'text':
      return text(12);
    case 'boolean':
      return fc.boolean();
    case 'oneOf':
      return fc.constantFrom(...shape.values);
    case 'list':
      return fc.array(jsonOf(shape.element), { maxLength: 4 });
    case 'number': {
      const [min, max] = [Math.max(shape.min, -(2 ** 53) + 1), Math.min(shape.max, 2 ** 53 - 1)];
      return shape.integer
        ? fc.integer({ min: Math.ceil(min), max: Math.floor(max) })
        : fc.double({ min, max, noNaN: true }).map(noNegativeZero);
    }
    case 'record': {
      const fields = Object.entries(shape.fields);
      const required = fields.filter(([, field]) => field.kind !== 'optional').map(([key]) => key);
      const model = Object.fromEntries(
        fields.map(([key, field]) => [key, jsonOf(field.kind === 'optional' ? field.shape : field)]),
      );
      return fc.record(model, { requiredKeys: required, noNullPrototype: true });
    }
  }
}

/** Any value that a type allows, but `null`. */
export function valueOf(type: DataType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'bool':
      return fc.boolean();
    case 'string':
      return text(Math.floor(type.maxBytes / 4));
    case 'json':
      // Null as a whole is "not known", which only the place of the value can allow.
      return jsonOf(type.shape).filter(value => value !== null);
    case 'bytes':
      return fc.uint8Array({ maxLength: Math.min(type.maxBytes, 64) });
    case 'enum':
      return fc.constantFrom(...type.values);
    case 'timestamp':
      return fc.date({ noInvalidDate: true });
    case 'array':
      return fc.array(valueOf(type.element), { maxLength: Math.min(type.arrayLength, 8) });
    case 'uint64':
    case 'int64':
      return fc.bigInt({ min: type.min, max: type.max });
    case 'float32': {
      const bound = (value: number) => Math.fround(value);
      return fc.float({ min: bound(type.min), max: bound(type.max), noNaN: true }).map(noNegativeZero);
    }
    case 'float64':
      return fc.double({ min: type.min, max: type.max, noNaN: true }).map(noNegativeZero);
    default:
      return fc.integer({ min: type.min, max: type.max });
  }
}

/** Any wire value. */
export const wire: fc.Arbitrary<WireValue> = fc.letrec<{ value: WireValue }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer({ min: -0x8000_0000, max: 0xffff_ffff }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(noNegativeZero),
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
      .filter(value => value > 0xffff_ffffn || value < -0x8000_0000n),
    text(40),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(text(6), tie('value')), { maxLength: 5 }).map(entries => new Map(entries)),
  ),
})).value;

const name = text(30);
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const counter = fc.maxSafeNat();
const incarnation = fc.uint8Array({ minLength: 8, maxLength: 8 });
const capabilityId = fc.oneof(
  fc.integer({ min: 1, max: 0xffff_ffff }),
  text(30).filter(id => id !== ''),
);
const status = fc.constantFrom(...STATUS_CODES);
const params = fc.array(wire, { maxLength: 4 });
const version = { stateIncarnation: incarnation, version: counter };
const address = { resourceId: name, capabilityId };
const millisecond = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') });

/** A record with `required` always there and `free` left out at will, in the style of `exactOptionalPropertyTypes`. */
function record<R extends object, F extends object>(
  required: { [K in keyof R]: fc.Arbitrary<R[K]> },
  free: { [K in keyof F]: fc.Arbitrary<F[K]> },
): fc.Arbitrary<R & Partial<F>> {
  return fc
    .tuple(
      fc.record(required, { noNullPrototype: true }),
      fc.record(free, { requiredKeys: [], noNullPrototype: true }),
    )
    .map(([always, sometimes]) => ({ ...(always as R), ...(sometimes as Partial<F>) }));
}

/** Any entry of a report. */
export const entry: fc.Arbitrary<Entry> = record(
  {
    ...address,
    attributeId: uint16,
    value: wire,
    realtime: fc.boolean(),
    lastUpdated: fc.option(millisecond, { nil: null }),
    version: counter,
  },
  { instance: name },
);

const kind = <T extends string>(type: T): { type: fc.Arbitrary<T> } => ({ type: fc.constant(type) });

const capability = record(
  {
    capabilityId,
    revision: uint16,
    commands: fc.array(uint16, { maxLength: 5 }),
    attributes: fc.array(uint16, { maxLength: 5 }),
  },
  {
    instance: name,
    infoRequests: fc.array(uint16, { maxLength: 3 }),
    bounds: fc.array(record({ attributeId: uint16 }, { min: fc.integer(), max: fc.integer() }), {
      maxLength: 3,
    }),
  },
);

const resource = record(
  { resourceId: name, capabilities: fc.array(capability, { maxLength: 3 }) },
  { name, metadata: text(60), createdAt: millisecond, onboardingStatus: status },
);

/** Any message of the capability service. */
export const message: fc.Arbitrary<CapabilityMessage> = fc.oneof<fc.Arbitrary<CapabilityMessage>[]>(
  record(
    {
      ...kind('subscribe'),
      subscriptionId: uint32,
      filter: record(
        {},
        {
          resources: fc.array(name, { maxLength: 4 }),
          capabilities: fc.array(capabilityId, { maxLength: 4 }),
        },
      ),
    },
    { resume: fc.record(version), minInterval: uint32, maxInterval: uint32 },
  ),
  fc.record({ ...kind('unsubscribe'), subscriptionId: uint32 }),
  record(
    { ...kind('command'), ...address, commandId: uint16, timeoutMs: uint32, params },
    { instance: name, expiresInMs: uint32 },
  ),
  fc.record({ ...kind('cancel'), incarnation, sequence: counter }),
  record(
    { ...kind('read'), requestId: uint32, ...address },
    { instance: name, attributes: fc.array(uint16, { maxLength: 4 }) },
  ),
  record({ ...kind('describe'), requestId: uint32 }, { since: fc.record(version) }),
  record(
    { ...kind('ask'), requestId: uint32, ...address, infoRequestId: uint16, timeoutMs: uint32, params },
    { instance: name },
  ),
  record(
    {
      ...kind('description'),
      ...version,
      full: fc.boolean(),
      last: fc.boolean(),
      device: record(
        { name },
        { productName: name, powerSource: fc.constantFrom(...POWER_SOURCES), extendable: fc.boolean() },
      ),
      resources: fc.array(resource, { maxLength: 3 }),
      removed: fc.array(name, { maxLength: 3 }),
    },
    { requestId: uint32 },
  ),
  record(
    {
      ...kind('report'),
      subscriptionId: uint32,
      ...version,
      fromVersion: counter,
      snapshot: fc.boolean(),
      last: fc.boolean(),
      entries: fc.array(entry, { maxLength: 5 }),
    },
    { removed: fc.array(name, { maxLength: 3 }) },
  ),
  record(
    { ...kind('status'), incarnation, sequence: counter, code: status },
    { response: params, field: name, message: text(60), progress: fc.integer({ min: 0, max: 100 }) },
  ),
  fc.record({
    ...kind('values'),
    requestId: uint32,
    code: status,
    entries: fc.array(entry, { maxLength: 5 }),
  }),
  record(
    { ...kind('answer'), requestId: uint32, code: status },
    { response: params, field: name, message: text(60) },
  ),
  fc.record({
    ...kind('refused'),
    what: fc.constantFrom('subscription' as const, 'request' as const),
    id: uint32,
    code: status,
  }),
);
