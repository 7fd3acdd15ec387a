import { CapabilityError } from '../errors.js';
import { fieldsOf } from '../model/field.js';
import type { Field, FieldSpecs } from '../model/field.js';
import { valueProblem } from '../model/value-check.js';
import { nearestName, suggestion } from '../nearest.js';
import { decoded, refused } from '../result.js';
import type { Decoded } from '../result.js';
import type { WireValue } from './msgpack.js';
import { decodeValue, encodeValue } from './value-codec.js';

/** What became of parameters from the network: the refusal names the field, for a status `invalid`. */
export type DecodedFields<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly field?: string };

function unknownField(
  capability: string,
  member: string,
  name: string,
  fields: readonly Field[],
): CapabilityError {
  const known = fields.map(field => field.name);
  const nearest = nearestName(name, known);
  return new CapabilityError(
    'UNKNOWN_PARAMETER',
    `${capability}.${member} has no parameter '${name}'; ${suggestion(name, known)}`,
    { capability, member, ...(nearest === undefined ? {} : { nearest }) },
  );
}

/**
 * Parameters or response fields by name, as a list by position; what is left out is nil, and nothing at the end.
 *
 * @throws {CapabilityError} `UNKNOWN_PARAMETER`, `MISSING_PARAMETER`, or what is wrong with a value.
 */
export function encodeFields(
  specs: FieldSpecs,
  given: Readonly<Record<string, unknown>>,
  capability: string,
  member: string,
): readonly WireValue[] {
  const fields = fieldsOf(specs);
  for (const name of Object.keys(given))
    if (!fields.some(field => field.name === name)) throw unknownField(capability, member, name, fields);
  const wire = fields.map(({ name, type, optional }): WireValue => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value !== undefined && value !== null)
      return encodeValue(type, value, { capability, member: `${member}(${name})` });
    if (optional && value === undefined) return null;
    throw new CapabilityError(
      'MISSING_PARAMETER',
      `${capability}.${member} needs '${name}' (${type.kind})${value === null ? ', not null' : ''}`,
      { capability, member },
    );
  });
  while (wire.length > 0 && wire.at(-1) === null) wire.pop();
  return wire;
}

/**
 * Fields from the wire. Those beyond the known ones belong to a newer peer, are optional by the rules of evolution, and
 * are passed over. `strict`: a value that only a newer definition knows is refused, because a handler must not guess.
 */
export function decodeFields(
  specs: FieldSpecs,
  wire: readonly WireValue[],
  strict: boolean,
): DecodedFields<Record<string, unknown>> {
  const values: [string, unknown][] = [];
  for (const [position, { name, type, optional }] of fieldsOf(specs).entries()) {
    const item = wire[position] ?? null;
    if (item === null && optional) continue;
    if (item === null) return { ok: false, reason: `${name} is missing`, field: name };
    const value: Decoded<unknown> = decodeValue(type, item);
    if (!value.ok) return { ...refused(`${name} ${value.reason}`), field: name };
    const problem = strict ? valueProblem(type, value.value) : undefined;
    if (problem !== undefined) return { ok: false, reason: `${name} ${problem.text}`, field: name };
    values.push([name, value.value]);
  }
  return decoded(Object.fromEntries(values));
}
