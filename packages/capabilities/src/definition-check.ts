import { CapabilityError } from './errors.js';
import type { AttributeSpec } from './model/attribute.js';
import { BIGINT_RANGES, NUMBER_RANGES } from './model/data-type.js';
import type { DataType } from './model/data-type.js';
import { fieldsOf } from './model/field.js';
import type { FieldSpecs } from './model/field.js';
import { MAX_ARRAY_LENGTH, MAX_VALUE_BYTES } from './model/limits.js';
import { ROLES } from './model/role.js';
import { valueProblem } from './model/value-check.js';

/** Names of properties, on every platform: no underscore, no leading capital. */
const CAMEL_CASE = /^[a-z][a-zA-Z0-9]{0,63}$/;

/** Inherited by every object, so that reading them from a record would find something that nobody put there. */
const INHERITED_NAMES: readonly string[] = Object.getOwnPropertyNames(Object.prototype);

/** Longest an interval may be: what a 32-bit number of milliseconds can say, 49 days. */
const MAX_INTERVAL = 0xffff_ffff;

/** Most values of an enum: the wire has one byte for them, of which 255 is kept free. */
const MAX_ENUM_VALUES = 255;

/** The error for a mistake in a definition. */
export function inDefinition(
  capability: string,
  member: string | undefined,
  problem: string,
): CapabilityError {
  const where = member === undefined ? capability : `${capability}.${member}`;
  return new CapabilityError('INVALID_DEFINITION', `definition of ${where}: ${problem}`, {
    capability,
    ...(member === undefined ? {} : { member }),
  });
}

/** @throws {CapabilityError} unless the name is camelCase and free to use. */
export function checkName(capability: string, name: string, reserved: readonly string[]): void {
  if (!CAMEL_CASE.test(name))
    throw inDefinition(
      capability,
      name,
      'a name is camelCase: a small letter, then letters and digits, at most 64',
    );
  if (INHERITED_NAMES.includes(name) || reserved.includes(name))
    throw inDefinition(capability, name, `the name '${name}' is taken; choose another`);
}

/** @throws {CapabilityError} unless every id is in range and given once. */
export function checkUnique(
  capability: string,
  what: string,
  specs: Readonly<Record<string, { readonly id: number }>>,
  lowest: number,
): void {
  const holders = new Map<number, string>();
  for (const [name, { id }] of Object.entries(specs)) {
    if (!Number.isInteger(id) || id < lowest || id > 0xffff)
      throw inDefinition(
        capability,
        name,
        `the id is ${String(id)}; ids of a ${what} lie between ${String(lowest)} and 65535`,
      );
    const holder = holders.get(id);
    if (holder !== undefined)
      throw inDefinition(capability, name, `the id ${String(id)} belongs to ${what} ${holder}`);
    holders.set(id, name);
  }
}

function typeProblem(type: DataType): string | undefined {
  switch (type.kind) {
    case 'bool':
    case 'json':
    case 'timestamp':
      return undefined;
    case 'string':
    case 'bytes':
      return Number.isInteger(type.maxBytes) && type.maxBytes > 0 && type.maxBytes <= MAX_VALUE_BYTES
        ? undefined
        : `maxBytes is ${String(type.maxBytes)}; it lies between 1 and ${String(MAX_VALUE_BYTES)}`;
    case 'enum':
      if (type.values.length === 0 || type.values.length > MAX_ENUM_VALUES)
        return `an enum has between 1 and ${String(MAX_ENUM_VALUES)} values, not ${String(type.values.length)}`;
      if (new Set(type.values).size < type.values.length) return 'an enum value is given twice';
      return undefined;
    case 'array':
      if (!Number.isInteger(type.arrayLength) || type.arrayLength < 1 || type.arrayLength > MAX_ARRAY_LENGTH)
        return `arrayLength is ${String(type.arrayLength)}; it lies between 1 and ${String(MAX_ARRAY_LENGTH)}`;
      return typeProblem(type.element);
    case 'uint64':
    case 'int64': {
      const [lowest, highest] = BIGINT_RANGES[type.kind];
      return boundsProblem(type.min, type.max, lowest, highest);
    }
    default: {
      const [lowest, highest] = NUMBER_RANGES[type.kind];
      if (Number.isNaN(type.min) || Number.isNaN(type.max)) return 'a bound is not a number';
      return boundsProblem(type.min, type.max, lowest, highest);
    }
  }
}

function boundsProblem<T extends number | bigint>(min: T, max: T, lowest: T, highest: T): string | undefined {
  if (min > max) return `min ${String(min)} is above max ${String(max)}`;
  if (min < lowest || max > highest)
    return `${String(min)}…${String(max)} exceeds what the type holds, ${String(lowest)}…${String(highest)}`;
  return undefined;
}

/** @throws {CapabilityError} unless the names and types of parameters or response fields make sense. */
export function checkFields(capability: string, member: string, specs: FieldSpecs): void {
  for (const { name, type } of fieldsOf(specs)) {
    checkName(capability, name, []);
    const problem = typeProblem(type);
    if (problem !== undefined) throw inDefinition(capability, `${member}(${name})`, problem);
  }
}

const isNumeric = (type: DataType): boolean => type.kind in NUMBER_RANGES || type.kind in BIGINT_RANGES;

const isInterval = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= MAX_INTERVAL;

function attributeProblem(spec: AttributeSpec): string | undefined {
  const min = spec.minReportInterval ?? 0;
  const max = spec.maxReportInterval ?? 0;
  const event = spec.delivery === 'event';
  if (!isInterval(min) || !isInterval(max))
    return `a report interval is a whole number of ms between 0 and ${String(MAX_INTERVAL)}`;
  if (max > 0 && min > max)
    return `minReportInterval ${String(min)} is above maxReportInterval ${String(max)}`;
  if (spec.reportableChange !== undefined) {
    if (!isNumeric(spec.type)) return 'reportableChange belongs to numbers';
    if (!Number.isFinite(spec.reportableChange) || spec.reportableChange <= 0)
      return `reportableChange is ${String(spec.reportableChange)}; it lies above 0`;
  }
  if (event && (spec.persist === true || spec.writable === true || spec.default !== undefined))
    return 'an event is never kept, so it is neither persisted nor writable and has no default';
  if (event && max > 0) return 'an event has no heartbeat';
  if (spec.publishOnly === true && !event) return 'publishOnly belongs to events';
  if (spec.minimumRole !== undefined && !ROLES.includes(spec.minimumRole))
    return `minimumRole is one of ${ROLES.join(', ')}`;
  if (spec.default !== undefined && spec.default !== null) {
    const problem = valueProblem(spec.type, spec.default);
    if (problem !== undefined) return `the default ${problem.text}`;
  }
  return undefined;
}

/** @throws {CapabilityError} unless the attribute's fields agree with each other and with its type. */
export function checkAttribute(capability: string, name: string, spec: AttributeSpec): void {
  const problem = typeProblem(spec.type) ?? attributeProblem(spec);
  if (problem !== undefined) throw inDefinition(capability, name, problem);
}
