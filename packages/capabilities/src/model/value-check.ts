import type { CapabilityErrorCode } from '../errors.js';
import { isWellFormed, utf8Length } from '../text.js';
import { BIGINT_RANGES, NUMBER_RANGES } from './data-type.js';
import type { ArrayType, BigintType, DataType, JsonValue, NumberType } from './data-type.js';
import { shapeProblem } from './json-shape.js';
import type { Strictness } from './json-shape.js';
import { MAX_JSON_DEPTH } from './limits.js';

/** What is wrong with a value. `text` goes on where "value " stops: "is 140, allowed is 0…100 %". */
export interface ValueProblem {
  readonly code: CapabilityErrorCode;
  readonly text: string;
  readonly allowed?: string;
}

/** Keys that would change an object's prototype when somebody copies it with an assignment. */
const REFUSED_KEY = '__proto__';

/** Longest rendering of a value inside an error message, in characters. */
const MAX_SHOWN = 64;

/** A value in an error message: short, on one line, safe for any input. */
export function showValue(value: unknown): string {
  if (typeof value === 'string')
    return value.length > MAX_SHOWN ? `'${value.slice(0, MAX_SHOWN)}…'` : `'${value}'`;
  if (typeof value === 'bigint') return `${value.toString()}n`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString();
  if (value instanceof Uint8Array) return `${String(value.length)} bytes`;
  if (Array.isArray(value)) return `a list of ${String(value.length)}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const wrongType = (value: unknown, wanted: string): ValueProblem => ({
  code: 'VALUE_WRONG_TYPE',
  text: `is ${showValue(value)}, wanted is ${wanted}`,
  allowed: wanted,
});

/** The range and unit of a number type: `0…100 %`, `≥ -273.15 °C`, or the name of the type where nothing is narrowed. */
export function rangeOf(type: NumberType | BigintType): string {
  const [lowest, highest] = isBigint(type) ? BIGINT_RANGES[type.kind] : NUMBER_RANGES[type.kind];
  const unit = type.unit === undefined ? '' : ` ${type.unit}`;
  // The whole range of a float is no help to anybody; that of an integer is.
  const endless = type.kind === 'float32' || type.kind === 'float64';
  if (!endless || (type.min !== lowest && type.max !== highest))
    return `${String(type.min)}…${String(type.max)}${unit}`;
  if (type.min !== lowest) return `≥ ${String(type.min)}${unit}`;
  if (type.max !== highest) return `≤ ${String(type.max)}${unit}`;
  return `any ${type.kind}${unit === '' ? '' : ` in${unit}`}`;
}

const isBigint = (type: NumberType | BigintType): type is BigintType => type.kind in BIGINT_RANGES;

const outOfRange = (value: unknown, type: NumberType | BigintType): ValueProblem => ({
  code: 'VALUE_OUT_OF_RANGE',
  text: `is ${showValue(value)}, allowed is ${rangeOf(type)}`,
  allowed: rangeOf(type),
});

function numberProblem(type: NumberType, value: unknown): ValueProblem | undefined {
  if (typeof value !== 'number') return wrongType(value, `a number, ${rangeOf(type)}`);
  if (!Number.isFinite(value))
    return {
      code: 'VALUE_OUT_OF_RANGE',
      text: `is ${String(value)}; "no reading" is null`,
      allowed: rangeOf(type),
    };
  if (type.kind === 'float32') {
    // Bounds too have to be seen with the precision that the value has on the wire: fround(0.1) > 0.1.
    const rounded = Math.fround(value);
    return rounded >= Math.fround(type.min) && rounded <= Math.fround(type.max)
      ? undefined
      : outOfRange(value, type);
  }
  if (value < type.min || value > type.max) return outOfRange(value, type);
  if (type.kind !== 'float64' && !Number.isInteger(value))
    return wrongType(value, `a whole number, ${rangeOf(type)}`);
  return undefined;
}

/** Why a value is not JSON that we carry, or `undefined`. Depth-first, so a cycle ends at the depth limit. */
function jsonProblem(value: unknown, depth: number): ValueProblem | undefined {
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string')
    return isWellFormed(value) ? undefined : wrongType(value, 'well-formed Unicode text');
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : wrongType(value, 'a finite number, or null');
  if (typeof value !== 'object') return wrongType(value, 'JSON');
  if (depth >= MAX_JSON_DEPTH)
    return { code: 'VALUE_TOO_DEEP', text: `is nested deeper than ${String(MAX_JSON_DEPTH)} levels` };
  if (Array.isArray(value)) {
    // Not `every`: that skips the holes of a sparse array, which JSON cannot say.
    for (const item of value as unknown[]) {
      const problem = jsonProblem(item, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && !isPlainOfAnotherRealm(prototype))
    return wrongType(value, 'JSON: a plain object');
  for (const [key, item] of Object.entries(value)) {
    if (key === REFUSED_KEY) return wrongType(key, 'another key');
    if (!isWellFormed(key)) return wrongType(key, 'a key of well-formed Unicode text');
    // A key whose value is undefined is left out, as JSON.stringify does.
    const problem = item === undefined ? undefined : jsonProblem(item, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

// An Object.prototype of another realm (a frame, a test context) is not ours but looks the same: nothing above it.
const isPlainOfAnotherRealm = (prototype: unknown): boolean =>
  Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty');

function arrayProblem(type: ArrayType, value: unknown, strictness: Strictness): ValueProblem | undefined {
  if (!Array.isArray(value)) return wrongType(value, 'a list');
  const items: readonly unknown[] = value;
  if (items.length > type.arrayLength)
    return {
      code: 'VALUE_TOO_LONG',
      text: `has ${String(items.length)} elements, allowed are ${String(type.arrayLength)}`,
      allowed: `at most ${String(type.arrayLength)} elements`,
    };
  for (const [index, item] of items.entries()) {
    const problem = valueProblem(type.element, item, strictness);
    if (problem !== undefined) return { ...problem, text: `at index ${String(index)} ${problem.text}` };
  }
  return undefined;
}

const tooLong = (length: number, maxBytes: number): ValueProblem => ({
  code: 'VALUE_TOO_LONG',
  text: `has ${String(length)} bytes, allowed are ${String(maxBytes)}`,
  allowed: `at most ${String(maxBytes)} bytes`,
});

/**
 * What is wrong with a value of that type, or `undefined`. `null` is not judged here: it means "not known" and only the
 * place that holds the value knows whether that is allowed.
 */
export function valueProblem(
  type: DataType,
  value: unknown,
  strictness: Strictness = 'writing',
): ValueProblem | undefined {
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean' ? undefined : wrongType(value, 'true or false');
    case 'string': {
      if (typeof value !== 'string') return wrongType(value, 'a string');
      if (!isWellFormed(value)) return wrongType(value, 'well-formed Unicode text');
      const length = utf8Length(value);
      return length > type.maxBytes ? tooLong(length, type.maxBytes) : undefined;
    }
    case 'uint64':
    case 'int64':
      if (typeof value !== 'bigint') return wrongType(value, `a bigint, ${rangeOf(type)}`);
      return value < type.min || value > type.max ? outOfRange(value, type) : undefined;
    case 'json': {
      const problem = jsonProblem(value, 0);
      if (problem !== undefined) return problem;
      // The walk above has proved that it is JSON.
      const text = shapeProblem(type.shape, value as JsonValue, strictness);
      return text === undefined
        ? undefined
        : { code: 'VALUE_WRONG_TYPE', text: `does not fit: ${text}`, allowed: text };
    }
    case 'bytes':
      if (!(value instanceof Uint8Array)) return wrongType(value, 'a Uint8Array');
      return value.length > type.maxBytes ? tooLong(value.length, type.maxBytes) : undefined;
    case 'enum':
      if (typeof value === 'string' && type.values.includes(value)) return undefined;
      return {
        code: typeof value === 'string' ? 'VALUE_OUT_OF_RANGE' : 'VALUE_WRONG_TYPE',
        text: `is ${showValue(value)}, allowed are ${type.values.join(', ')}`,
        allowed: type.values.join(', '),
      };
    case 'timestamp':
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) return wrongType(value, 'a valid Date');
      return undefined;
    case 'array':
      return arrayProblem(type, value, strictness);
    default:
      return numberProblem(type, value);
  }
}
