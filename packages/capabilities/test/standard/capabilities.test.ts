import test from 'ava';
import fc from 'fast-check';
import {
  CAPABILITY_IDS,
  STANDARD_CAPABILITIES,
  decodeAnswer,
  decodeEntry,
  decodeMessage,
  decodeParameters,
  decodeQuestion,
  decodeResponse,
  decodeValue,
  encodeAnswer,
  encodeEntry,
  encodeMessage,
  encodeParameters,
  encodeQuestion,
  encodeResponse,
  encodeValue,
  fieldsOf,
  pack,
  standardRegistry,
  unpack,
} from '@coconet/capabilities';
import type { AnyCapability, DataType, FieldSpecs, WireValue } from '@coconet/capabilities';
import { valueOf } from '../arbitraries.js';
import { FROZEN } from './frozen.js';

const CAPABILITIES: readonly AnyCapability[] = STANDARD_CAPABILITIES;

const place = { capability: 'test', member: 'value' };

const carried = (wire: WireValue): WireValue => {
  const result = unpack(pack(wire));
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

const carriedList = (wire: readonly WireValue[] | undefined): readonly WireValue[] | undefined =>
  wire === undefined ? undefined : (carried(wire) as readonly WireValue[]);

/** Any fields that a definition allows. */
const fields = (specs: FieldSpecs): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(Object.fromEntries(fieldsOf(specs).map(({ name, type }) => [name, valueOf(type)])), {
    requiredKeys: fieldsOf(specs)
      .filter(field => !field.optional)
      .map(field => field.name),
    noNullPrototype: true,
  });

// A float32 reads as the shortest decimal of the same binary32, which need not be the number that was written.
function asRead(type: DataType, value: unknown): unknown {
  if (type.kind === 'float32') return Math.fround(value as number);
  return type.kind === 'array' ? (value as unknown[]).map(item => asRead(type.element, item)) : value;
}

const fieldsAsRead = (specs: FieldSpecs, values: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    fieldsOf(specs)
      .filter(({ name }) => values[name] !== undefined)
      .map(({ name, type }) => [name, asRead(type, values[name])]),
  );

test('ids, enum numbers and positions are those once published', t => {
  const today = Object.fromEntries(
    CAPABILITIES.map(capability => [
      capability.name,
      {
        id: capability.id,
        revision: capability.revision,
        attributes: Object.fromEntries(
          Object.values(capability.attributes).map(({ id, name, type }) => [
            name,
            [id, type.kind === 'enum' ? type.values.join(',') : type.kind],
          ]),
        ),
        commands: Object.fromEntries(
          Object.values(capability.commands).map(({ id, name, parameters, response }) => [
            name,
            [id, signature(parameters), signature(response)],
          ]),
        ),
        infoRequests: Object.fromEntries(
          Object.values(capability.infoRequests).map(({ id, name, parameters, response }) => [
            name,
            [id, signature(parameters), signature(response)],
          ]),
        ),
      },
    ]),
  );

  t.deepEqual(today, FROZEN);
});

function signature(specs: FieldSpecs): string {
  return fieldsOf(specs)
    .map(({ name, type, optional }) => {
      const kind = type.kind === 'enum' ? type.values.join('|') : type.kind;
      return `${name}${optional ? '?' : ''}: ${kind}`;
    })
    .join('; ');
}

test('every capability has the id of its name, and no id is there twice', t => {
  const ids = Object.values(CAPABILITY_IDS);

  t.is(new Set(ids).size, ids.length);
  for (const capability of CAPABILITIES) t.is(capability.id, Reflect.get(CAPABILITY_IDS, capability.name));
});

for (const capability of CAPABILITIES) {
  for (const attribute of Object.values(capability.attributes))
    test(`${capability.name}.${attribute.name} arrives in a report as it was set`, t => {
      fc.assert(
        fc.property(fc.option(valueOf(attribute.type)), value => {
          const lastUpdated = new Date('2026-01-31T12:00:00Z');
          const reading = {
            resourceId: 'r',
            attribute: attribute.name,
            realtime: true,
            lastUpdated,
            version: 7,
          };
          const sent = encodeEntry({ ...reading, capability, value });

          const received = decodeMessage(
            encodeMessage({ type: 'values', requestId: 1, code: 'success', entries: [sent] }),
          );

          const entry = received.ok && received.value.type === 'values' ? received.value.entries[0]! : sent;
          const read = decodeEntry(standardRegistry, entry);
          t.true(read.ok && read.value.kind === 'known');
          if (!read.ok || read.value.kind !== 'known') return;
          t.is(read.value.attribute, attribute);
          t.deepEqual(
            read.value.value === null ? null : asRead(attribute.type, read.value.value),
            value === null ? null : asRead(attribute.type, value),
          );
        }),
        { numRuns: 30 },
      );
    });

  for (const command of Object.values(capability.commands))
    test(`${capability.name}.${command.name} and its response arrive as they were sent`, t => {
      const enough = fields(command.parameters).filter(
        given =>
          command.requireOneOf.length === 0 || command.requireOneOf.some(name => given[name] !== undefined),
      );
      fc.assert(
        fc.property(enough, fields(command.response), (given, answered) => {
          const params = carriedList(encodeParameters(capability, command.name, given)) ?? [];
          const response = carriedList(encodeResponse(capability, command.name, answered));

          const parameters = decodeParameters(command, params);
          const answer = decodeResponse(command, response);

          t.true(parameters.ok && answer.ok);
          if (!parameters.ok || !answer.ok) return;
          t.deepEqual(
            fieldsAsRead(command.parameters, parameters.value),
            fieldsAsRead(command.parameters, given),
          );
          t.deepEqual(fieldsAsRead(command.response, answer.value), fieldsAsRead(command.response, answered));
        }),
        { numRuns: 30 },
      );
    });

  for (const request of Object.values(capability.infoRequests))
    test(`${capability.name}.${request.name} and its answer arrive as they were sent`, t => {
      fc.assert(
        fc.property(fields(request.parameters), fields(request.response), (given, answered) => {
          const params = carriedList(encodeQuestion(capability, request.name, given)) ?? [];
          const response = carriedList(encodeAnswer(capability, request.name, answered));

          const question = decodeQuestion(request, params);
          const answer = decodeAnswer(request, response);

          t.true(question.ok && answer.ok);
          if (!question.ok || !answer.ok) return;
          t.deepEqual(question.value, given);
          t.deepEqual(fieldsAsRead(request.response, answer.value), fieldsAsRead(request.response, answered));
        }),
        { numRuns: 30 },
      );
    });

  const places: readonly (readonly [name: string, type: DataType])[] = [
    ...Object.values(capability.attributes).map(({ name, type }) => [name, type] as const),
    ...[...Object.values(capability.commands), ...Object.values(capability.infoRequests)].flatMap(member =>
      [...fieldsOf(member.parameters), ...fieldsOf(member.response)].map(
        field => [`${member.name}(${field.name})`, field.type] as const,
      ),
    ),
  ];
  for (const [name, type] of places)
    test(`${capability.name}.${name} takes its whole range and nothing outside, either way`, t => {
      for (const value of limitsOf(type))
        t.true(decodeValue(type, carried(encodeValue(type, value, place))).ok);
      for (const [value, wire] of outside(type)) {
        t.throws(() => encodeValue(type, value, place), { name: 'CapabilityError' });
        t.false(decodeValue(type, wire).ok, `${String(value)} was taken`);
      }
    });
}

/** The outermost values that a type allows. */
function limitsOf(type: DataType): readonly unknown[] {
  if ('min' in type) return [type.min, type.max];
  if (type.kind === 'string') return ['', 'x'.repeat(type.maxBytes)];
  if (type.kind === 'bytes') return [new Uint8Array(type.maxBytes)];
  if (type.kind === 'enum') return type.values;
  if (type.kind === 'timestamp') return [new Date(-8.64e15), new Date(8.64e15)];
  if (type.kind === 'array')
    return [[], Array.from({ length: type.arrayLength }, () => limitsOf(type.element)[0])];
  return type.kind === 'bool' ? [false, true] : [];
}

/** Values just outside, and of other types: as a program would give them, and as a peer would send them. */
function outside(type: DataType): readonly (readonly [value: unknown, wire: WireValue])[] {
  const foreign: readonly (readonly [unknown, WireValue])[] = [
    [undefined, new Map()],
    [() => 1, [[[]]]],
  ];
  if (type.kind === 'json')
    return [[undefined, Uint8Array.of(1)], ...(type.shape.kind === 'any' ? [] : [['text', 'text'] as const])];
  if (type.kind === 'uint64' || type.kind === 'int64')
    return [...foreign, [type.min - 1n, type.kind === 'uint64' ? -1n : 1.5], [type.max + 1n, 0.5]];
  if ('min' in type) {
    const step = type.kind === 'float32' || type.kind === 'float64' ? 0 : 1;
    const beyond = (limit: number, sign: number): number =>
      step === 1 ? limit + sign : limit + sign * Math.max(Math.abs(limit) * 1e-3, 1e-3);
    return [
      ...foreign,
      ...[beyond(Number(type.min), -1), beyond(Number(type.max), 1)].map(
        value => [value, finite(value)] as const,
      ),
      [Number.NaN, 'NaN'],
      ['1', '1'],
    ];
  }
  if (type.kind === 'string')
    return [...foreign, ['x'.repeat(type.maxBytes + 1), 'x'.repeat(type.maxBytes + 1)]];
  if (type.kind === 'enum') return [...foreign, ['noSuchName', 256], [0, -1]];
  if (type.kind === 'timestamp') return [...foreign, [new Date(Number.NaN), 8.64e15 + 1]];
  if (type.kind === 'array') {
    const tooMany = Array.from({ length: type.arrayLength + 1 }, () => limitsOf(type.element)[0]);
    return [...foreign, [tooMany, tooMany as WireValue]];
  }
  return [...foreign, ['true', 'true'], [1, 1]];
}

// Above the largest float64 there is only infinity, which the wire cannot carry: any other kind of value will do.
const finite = (value: number): WireValue => (Number.isFinite(value) ? value : 'infinity');
