import { CapabilityError } from '../errors.js';
import type { CapabilityId } from '../model/capability.js';
import { t } from '../model/data-type.js';
import type { DataType, InputOf } from '../model/data-type.js';
import { MAX_NAME_BYTES } from '../model/limits.js';
import { showValue } from '../model/value-check.js';
import { decoded, refused } from '../result.js';
import type { Decoded } from '../result.js';
import { STATUS_NUMBERS, statusOfNumber } from '../status.js';
import type { StatusCode } from '../status.js';
import type { WireValue } from './msgpack.js';
import { asInteger, wireInteger } from './msgpack.js';
import { decodeValue, encodeValue } from './value-codec.js';

/** How one part of a message is written and read. `at` names the part in errors of the application. */
export interface WireField<T> {
  readonly toWire: (value: T, at: string) => WireValue;
  readonly fromWire: (wire: WireValue) => Decoded<T>;
}

/** A part that may be left out; on the wire nil, or nothing where only such parts follow. */
export interface OptionalField<T> extends WireField<T> {
  readonly optional: true;
}

/** The fields of a tuple for an interface `T`, in the order of the wire. */
export type FieldsFor<T> = {
  readonly [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K>
    ? OptionalField<Exclude<T[K], undefined>>
    : WireField<T[K]>;
};

const MESSAGE = 'message';

/** A value of a data type, never `null`. */
export function value<T extends DataType>(type: T): WireField<InputOf<T>> {
  return {
    toWire: (given, at) => {
      if (given === null || given === undefined) throw misuse('MISSING_PARAMETER', at, 'is missing');
      return encodeValue(type, given, { capability: MESSAGE, member: at });
    },
    fromWire: wire => {
      if (wire === null) return refused('missing');
      // The decoder has checked the value against the very type that InputOf is derived from.
      return decodeValue(type, wire) as Decoded<InputOf<T>>;
    },
  };
}

function misuse(
  code: 'MISSING_PARAMETER' | 'VALUE_OUT_OF_RANGE' | 'VALUE_TOO_LONG',
  at: string,
  problem: string,
) {
  return new CapabilityError(code, `${MESSAGE}.${at} ${problem}`, { member: at });
}

/** An unsigned 32-bit integer. */
export const uint32: WireField<number> = value(t.uint32());
/** An unsigned 16-bit integer: member ids and revisions. */
export const uint16: WireField<number> = value(t.uint16());
/** True or false. */
export const flag: WireField<boolean> = value(t.bool());
/** A point in time, in ms. */
export const timestamp: WireField<Date> = value(t.timestamp());
/** A name or id of this package's bound. */
export const name: WireField<string> = value(t.string({ maxBytes: MAX_NAME_BYTES }));

/** A counter up to 2^53 - 1, which no counter of ours ever reaches. */
export const counter: WireField<number> = {
  toWire: (given, at) => {
    if (!Number.isSafeInteger(given) || given < 0)
      throw misuse('VALUE_OUT_OF_RANGE', at, `is ${showValue(given)}, allowed is 0…2^53-1`);
    return wireInteger(given);
  },
  fromWire: wire => {
    const number = asInteger(wire);
    return number === undefined || number < 0 ? refused('not a counter') : decoded(number);
  },
};

/** Length of an incarnation, in bytes. */
export const INCARNATION_BYTES = 8;

/** 64 random bits that name one life of a store. */
export const incarnation: WireField<Uint8Array> = {
  toWire: (given, at) => {
    if (given.length !== INCARNATION_BYTES)
      throw misuse(
        'VALUE_OUT_OF_RANGE',
        at,
        `has ${String(given.length)} bytes, wanted are ${String(INCARNATION_BYTES)}`,
      );
    return given;
  },
  fromWire: wire =>
    wire instanceof Uint8Array && wire.length === INCARNATION_BYTES
      ? decoded(wire)
      : refused('not an incarnation'),
};

const vendorId = name;
const standardId = value(t.uint32({ min: 1 }));

/** A standard number or a vendor's name; unknown ones pass untouched. */
export const capabilityId: WireField<CapabilityId> = {
  toWire: (given, at) =>
    typeof given === 'string' ? vendorId.toWire(given, at) : standardId.toWire(given, at),
  fromWire: wire => {
    if (typeof wire !== 'string') return standardId.fromWire(wire);
    return wire === '' ? refused('empty capability id') : vendorId.fromWire(wire);
  },
};

/** A status code by its number. */
export const status: WireField<StatusCode> = {
  toWire: given => STATUS_NUMBERS[given],
  fromWire: wire => {
    const number = asInteger(wire);
    return number === undefined || number < 0 ? refused('not a status') : decoded(statusOfNumber(number));
  },
};

/** Any value, passed on as it is. */
export const raw: WireField<WireValue> = { toWire: given => given, fromWire: decoded };

/** Any number, integers with their full precision. */
export const numeric: WireField<number | bigint> = {
  toWire: given => (typeof given === 'bigint' ? wireInteger(given) : given),
  fromWire: wire =>
    typeof wire === 'number' || typeof wire === 'bigint' ? decoded(wire) : refused('not a number'),
};

/** Marks a part that may be left out. */
export const optional = <T>(field: WireField<T>): OptionalField<T> => ({ ...field, optional: true });

/** At most `most` equal parts. */
export function list<T>(field: WireField<T>, most: number): WireField<readonly T[]> {
  return {
    toWire: (given, at) => {
      if (given.length > most)
        throw misuse(
          'VALUE_TOO_LONG',
          at,
          `has ${String(given.length)} elements, allowed are ${String(most)}`,
        );
      return given.map((item, index) => field.toWire(item, `${at}[${String(index)}]`));
    },
    fromWire: wire => {
      if (!Array.isArray(wire)) return refused('not a list');
      const items: readonly WireValue[] = wire;
      if (items.length > most) return refused('list too long');
      const values: T[] = [];
      for (const item of items) {
        const part = field.fromWire(item);
        if (!part.ok) return part;
        values.push(part.value);
      }
      return decoded(values);
    },
  };
}

/** Names and fields, without the static tie between them. */
type LooseFields = readonly (readonly [
  name: string,
  field: WireField<unknown> & { readonly optional?: true },
])[];

/**
 * Parts of different kinds, in order. What is left out is nil, and nothing at all where only nil follows; what a later
 * version adds at the end is passed over.
 */
export function tuple<T extends object>(fields: FieldsFor<T>): WireField<T> {
  // FieldsFor<T> ties every name to the field of its type; from here on only pairs of them are handled.
  const parts = Object.entries(fields) as LooseFields;
  return {
    toWire: (given, at) => {
      const values = given as Readonly<Record<string, unknown>>;
      const wire = parts.map(([key, field]) => {
        const part = values[key];
        return part === undefined && field.optional === true
          ? null
          : field.toWire(part, at === '' ? key : `${at}.${key}`);
      });
      while (wire.length > 0 && wire.at(-1) === null) wire.pop();
      return wire;
    },
    fromWire: wire => {
      if (!Array.isArray(wire)) return refused('not a list of fields');
      const items: readonly WireValue[] = wire;
      const values: [string, unknown][] = [];
      for (const [index, [key, field]] of parts.entries()) {
        const item = items[index] ?? null;
        if (item === null && field.optional === true) continue;
        const part = field.fromWire(item);
        if (!part.ok) return refused(`${key}: ${part.reason}`);
        values.push([key, part.value]);
      }
      return decoded(Object.fromEntries(values) as T);
    },
  };
}
