import { CapabilityError } from '../errors.js';
import type { DataType, JsonValue } from '../model/data-type.js';
import { fieldsOf } from '../model/field.js';
import type { FieldSpecs } from '../model/field.js';
import { showValue, valueProblem } from '../model/value-check.js';
import type { Place } from '../codec/value-codec.js';

/**
 * ISO 8601 with date, time and zone: without the zone it would mean something else on each machine.
 */
const ISO_8601 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** A day that its month does not have is moved on by `Date`, silently; an error is what the writer wants. */
function parseTimestamp(text: string): Date | undefined {
  if (!ISO_8601.test(text)) return undefined;
  const date = new Date(text);
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || Number.isNaN(day.getTime())) return undefined;
  return day.toISOString().startsWith(text.slice(0, 10)) ? date : undefined;
}

const HEX = /^([0-9a-fA-F]{2})*$/;

function parseHex(text: string): Uint8Array | undefined {
  if (!HEX.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], pair => Number.parseInt(pair, 16));
}

const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');

const WHOLE = /^[+-]?\d+$/;

// What JSON has no word for is taken from a string; all else is judged by the check that follows.
function convert(type: DataType, json: JsonValue): unknown {
  switch (type.kind) {
    case 'uint64':
    case 'int64':
      if (typeof json === 'number' && Number.isSafeInteger(json)) return BigInt(json);
      return typeof json === 'string' && WHOLE.test(json) ? BigInt(json.replace('+', '')) : json;
    case 'timestamp':
      return typeof json === 'string' ? (parseTimestamp(json) ?? json) : json;
    case 'bytes':
      return typeof json === 'string' ? (parseHex(json) ?? json) : json;
    case 'array':
      return Array.isArray(json)
        ? (json as readonly JsonValue[]).map(item => convert(type.element, item))
        : json;
    default:
      return json;
  }
}

const HINTS: Partial<Record<DataType['kind'], string>> = {
  timestamp: 'a time such as 2026-01-31T12:00:00Z',
  bytes: 'bytes as hexadecimal digits',
};

/**
 * A typed value from JSON: 64-bit integers as number or decimal string, times as ISO 8601, bytes as hexadecimal.
 *
 * @throws {CapabilityError} naming the place, the value and what is allowed.
 */
export function valueFromJson(type: DataType, json: JsonValue, place: Place): unknown {
  if (json === null) return null;
  const value = convert(type, json);
  const problem = valueProblem(type, value);
  if (problem === undefined) return value;
  const hint = HINTS[type.kind];
  const text =
    hint !== undefined && problem.code === 'VALUE_WRONG_TYPE'
      ? `is ${showValue(json)}, wanted is ${hint}`
      : problem.text;
  throw new CapabilityError(problem.code, `${place.capability}.${place.member} ${text}`, {
    ...place,
    ...(problem.allowed === undefined ? {} : { allowed: problem.allowed }),
  });
}

/** A typed value as JSON: 64-bit integers beyond 2^53 - 1 as decimal string, times as ISO 8601, bytes as hexadecimal. */
export function valueToJson(value: unknown): JsonValue {
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(valueToJson);
  // Every other value of a data type is JSON already.
  return value as JsonValue;
}

/**
 * Parameters from a JSON object. Names are checked later, with everything else, when they are encoded.
 *
 * @throws {CapabilityError} as {@link valueFromJson}.
 */
export function fieldsFromJson(
  specs: FieldSpecs,
  json: Readonly<Record<string, JsonValue>>,
  place: Place,
): Record<string, unknown> {
  const types = new Map(fieldsOf(specs).map(field => [field.name, field.type]));
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const type = types.get(name);
      const at = { capability: place.capability, member: `${place.member}(${name})` };
      return [name, type === undefined ? value : valueFromJson(type, value, at)];
    }),
  );
}

/** Parameters, a response or attribute values as a JSON object. */
export function fieldsToJson(values: Readonly<Record<string, unknown>>): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, valueToJson(value)]),
  );
}
