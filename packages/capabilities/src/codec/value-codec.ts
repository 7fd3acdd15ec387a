import { CapabilityError } from '../errors.js';
import type { DataType, JsonValue } from '../model/data-type.js';
import { MAX_CONTAINERS, MAX_ELEMENTS, MAX_MAPS, MAX_VALUE_BYTES } from '../model/limits.js';
import { valueProblem } from '../model/value-check.js';
import { decoded, refused } from '../result.js';
import type { Decoded } from '../result.js';
import { jsonToWire, wireToJson } from './json.js';
import { asInteger, weigh, wireInteger } from './msgpack.js';
import type { Weight, WireValue } from './msgpack.js';

/** What a value belongs to, for the error that names it. */
export interface Place {
  readonly capability: string;
  readonly member: string;
}

const describe = (place: Place): string => `${place.capability}.${place.member}`;

/** The name an unknown enum value is read as. Its number is in the raw value beside it. */
const UNKNOWN = 'unknown';

/** Precisions tried for a float32: 6 digits are always exact, 9 always enough. */
const FLOAT32_DIGITS = [6, 7, 8, 9] as const;

/** The shortest decimal whose nearest binary32 is `value`: what was 12.34 reads 12.34, not 12.34000015258789. */
export function shortestFloat32(value: number): number {
  const single = Math.fround(value);
  if (Number.isInteger(single)) return single;
  for (const digits of FLOAT32_DIGITS) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return single;
}

function toWire(type: DataType, value: unknown): WireValue {
  switch (type.kind) {
    case 'enum':
      return type.values.indexOf(value as string);
    case 'timestamp':
      return wireInteger((value as Date).getTime());
    case 'json':
      return jsonToWire(value as JsonValue);
    case 'float32':
      return Math.fround(value as number);
    case 'uint64':
    case 'int64':
      return wireInteger(value as bigint);
    case 'array':
      return (value as readonly unknown[]).map(item => toWire(type.element, item));
    default:
      return value as WireValue;
  }
}

/**
 * A typed value for the wire; `null` ("not known") stays `null`.
 *
 * @throws {CapabilityError} naming the place, the value and what is allowed.
 */
export function encodeValue(type: DataType, value: unknown, place: Place): WireValue {
  if (value === null) return null;
  const problem = valueProblem(type, value);
  if (problem !== undefined)
    throw new CapabilityError(problem.code, `${describe(place)} ${problem.text}`, {
      ...place,
      ...(problem.allowed === undefined ? {} : { allowed: problem.allowed }),
    });
  const wire = toWire(type, value);
  if ((type.kind === 'json' || type.kind === 'array') && !fitsMessage(weigh(wire)))
    throw new CapabilityError(
      'VALUE_TOO_LONG',
      `${describe(place)} takes ${String(weigh(wire).bytes)} bytes, allowed is ${VALUE_BOUND}`,
      { ...place, allowed: VALUE_BOUND },
    );
  return wire;
}

const VALUE_BOUND =
  `at most ${String(MAX_VALUE_BYTES)} bytes, ${String(MAX_ELEMENTS / 2)} elements, ` +
  `${String(MAX_CONTAINERS / 2)} lists and objects, of them ${String(MAX_MAPS / 2)} objects`;

// Half of what a message may have, so that a value that was taken never fails later for the company it travels in.
const fitsMessage = ({ bytes, elements, containers, maps }: Weight): boolean =>
  bytes <= MAX_VALUE_BYTES &&
  elements <= MAX_ELEMENTS / 2 &&
  containers <= MAX_CONTAINERS / 2 &&
  maps <= MAX_MAPS / 2;

function asBigint(wire: WireValue): bigint | undefined {
  if (typeof wire === 'bigint') return wire;
  return typeof wire === 'number' && Number.isSafeInteger(wire) ? BigInt(wire) : undefined;
}

function fromWire(type: DataType, wire: WireValue): Decoded<unknown> {
  switch (type.kind) {
    case 'enum': {
      const index = asInteger(wire);
      if (index === undefined || index < 0 || index > 0xff) return refused('not an enum value');
      return decoded(type.values[index] ?? UNKNOWN);
    }
    case 'timestamp': {
      const time = asInteger(wire);
      return time === undefined ? refused('not a timestamp') : decoded(new Date(time));
    }
    case 'json':
      return wireToJson(wire);
    case 'uint64':
    case 'int64': {
      const value = asBigint(wire);
      return value === undefined ? refused(`not a ${type.kind}`) : decoded(value);
    }
    case 'float32':
      return typeof wire === 'number' || typeof wire === 'bigint'
        ? decoded(shortestFloat32(Number(wire)))
        : refused('not a number');
    case 'float64':
      return typeof wire === 'number' || typeof wire === 'bigint'
        ? decoded(Number(wire))
        : refused('not a number');
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'int8':
    case 'int16':
    case 'int32': {
      const value = asInteger(wire);
      return value === undefined ? refused('not a whole number') : decoded(value);
    }
    case 'array': {
      if (!Array.isArray(wire)) return refused('not a list');
      const items: unknown[] = [];
      for (const item of wire as readonly WireValue[]) {
        const value = fromWire(type.element, item);
        if (!value.ok) return value;
        items.push(value.value);
      }
      return decoded(items);
    }
    default:
      return decoded(wire);
  }
}

// 'unknown' stands for a number of a newer peer, which is no member of the list.
function isUnknownEnum(type: DataType, value: unknown): boolean {
  return type.kind === 'enum' && value === UNKNOWN;
}

/**
 * A typed value from the wire, checked like one that is written, but for what a newer peer may know: a number outside
 * an enum reads as `'unknown'`, json may have more keys and other names in a list of names.
 */
export function decodeValue(type: DataType, wire: WireValue): Decoded<unknown> {
  if (wire === null) return decoded(null);
  const value = fromWire(type, wire);
  if (!value.ok || isUnknownEnum(type, value.value)) return value;
  if (type.kind === 'array' && type.element.kind === 'enum') {
    const known = (value.value as readonly unknown[]).length;
    return known <= type.arrayLength ? value : refused(`has ${String(known)} elements`);
  }
  const problem = valueProblem(type, value.value, 'reading');
  return problem === undefined ? value : refused(problem.text);
}
