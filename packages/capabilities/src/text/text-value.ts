import type { Place } from '../codec/value-codec.js';
import { CapabilityError } from '../errors.js';
import type { DataType, JsonValue } from '../model/data-type.js';
import { fieldsOf } from '../model/field.js';
import type { FieldSpecs } from '../model/field.js';
import { showValue } from '../model/value-check.js';
import { nearestName, suggestion } from '../nearest.js';
import { valueFromJson, valueToJson } from './json-value.js';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function parseJson(text: string, place: Place): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new CapabilityError(
      'VALUE_WRONG_TYPE',
      `${place.capability}.${place.member} is ${showValue(text)}, wanted is JSON`,
      { ...place, allowed: 'JSON' },
    );
  }
}

/** What a text of a type says, in JSON's terms; what it cannot say is left for the check of the type to name. */
function jsonOf(type: DataType, text: string, place: Place): JsonValue {
  switch (type.kind) {
    case 'string':
    case 'enum':
    case 'timestamp':
    case 'bytes':
    case 'uint64':
    case 'int64':
      return text;
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'json':
    case 'array':
      return parseJson(text, place);
    default:
      return NUMBER.test(text) ? Number(text) : text;
  }
}

/**
 * A typed value from what a person typed: `40`, `true`, `idle`, `2026-01-31T12:00:00Z`, `[1, 2]`, hexadecimal bytes.
 * It is read by its declared type and never guessed; `null` is "not known" for all types but strings.
 *
 * @throws {CapabilityError} naming the place, the text and what is allowed.
 */
export function valueFromText(type: DataType, text: string, place: Place): unknown {
  if (text === 'null' && type.kind !== 'string') return null;
  return valueFromJson(type, jsonOf(type, text, place), place);
}

/** A value for people, with its unit: `40 %`, `2026-01-31T12:00:00.000Z`; not known is `-`. */
export function valueToText(type: DataType, value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'bigint') return withUnit(type, value.toString());
  if (type.kind === 'json') return JSON.stringify(value);
  const json = valueToJson(value);
  if (type.kind !== 'array') return withUnit(type, typeof json === 'string' ? json : JSON.stringify(json));
  return withUnit(type.element, JSON.stringify(json));
}

const withUnit = (type: DataType, text: string): string => ('unit' in type ? `${text} ${type.unit}` : text);

/**
 * Parameters from what a person typed, by name.
 *
 * @throws {CapabilityError} `UNKNOWN_PARAMETER` with the nearest name, or as {@link valueFromText}.
 */
export function fieldsFromText(
  specs: FieldSpecs,
  texts: Readonly<Record<string, string>>,
  place: Place,
): Record<string, unknown> {
  const types = new Map(fieldsOf(specs).map(field => [field.name, field.type]));
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      const type = types.get(name);
      if (type !== undefined) {
        const at = { capability: place.capability, member: `${place.member}(${name})` };
        return [name, valueFromText(type, text, at)];
      }
      const known = [...types.keys()];
      const nearest = nearestName(name, known);
      throw new CapabilityError(
        'UNKNOWN_PARAMETER',
        `${place.capability}.${place.member} has no parameter '${name}'; ${suggestion(name, known)}`,
        { ...place, ...(nearest === undefined ? {} : { nearest }) },
      );
    }),
  );
}
