import { CapabilityError } from '../errors.js';
import { attributeOf, commandOf, infoRequestOf } from '../lookup.js';
import type {
  AnyCapability,
  AttributeName,
  CommandName,
  CommandParameters,
  CommandResponseInput,
  InfoRequestName,
  InfoRequestParameters,
  InfoResponseInput,
  WritableInputs,
} from '../model/capability.js';
import type { CommandDefinition } from '../model/command.js';
import type { InfoRequestDefinition } from '../model/info-request.js';
import { decodeFields, encodeFields } from './field-codec.js';
import type { DecodedFields } from './field-codec.js';
import { asInteger } from './msgpack.js';
import type { WireValue } from './msgpack.js';
import { encodeValue } from './value-codec.js';

type Loose = Readonly<Record<string, unknown>>;

const noneOf = (command: CommandDefinition, given: Loose): boolean =>
  command.requireOneOf.length > 0 && command.requireOneOf.every(name => given[name] === undefined);

/**
 * Parameters of a command for the wire.
 *
 * @throws {CapabilityError} `UNKNOWN_COMMAND`, `UNKNOWN_PARAMETER`, `MISSING_PARAMETER`, or what is wrong with a value.
 */
export function encodeParameters<D extends AnyCapability, N extends CommandName<D>>(
  capability: D,
  command: N,
  parameters: CommandParameters<D, N>,
): readonly WireValue[] {
  const definition = commandOf(capability, command);
  const wire = encodeFields(definition.parameters, parameters, capability.name, command);
  if (noneOf(definition, parameters))
    throw new CapabilityError(
      'MISSING_PARAMETER',
      `${capability.name}.${command} needs ${definition.requireOneOf.join(' or ')}`,
      { capability: capability.name, member: command },
    );
  return wire;
}

/** Parameters of a command from the network, ready for its handler. */
export function decodeParameters(
  command: CommandDefinition,
  wire: readonly WireValue[],
): DecodedFields<Record<string, unknown>> {
  const parameters = decodeFields(command.parameters, wire, true);
  if (!parameters.ok || !noneOf(command, parameters.value)) return parameters;
  return { ok: false, reason: `needs ${command.requireOneOf.join(' or ')}`, field: command.requireOneOf[0]! };
}

/**
 * Response of a command for the wire; `undefined` where it says nothing.
 *
 * @throws {CapabilityError} when a handler has answered something that the definition does not allow.
 */
export function encodeResponse<D extends AnyCapability, N extends CommandName<D>>(
  capability: D,
  command: N,
  response: CommandResponseInput<D, N>,
): readonly WireValue[] | undefined {
  const definition = commandOf(capability, command);
  const wire = encodeFields(definition.response, response, capability.name, command);
  return wire.length === 0 ? undefined : wire;
}

/** Response of a command from the network. */
export function decodeResponse(
  command: CommandDefinition,
  wire: readonly WireValue[] | undefined,
): DecodedFields<Record<string, unknown>> {
  return decodeFields(command.response, wire ?? [], false);
}

/** Parameters of an info request for the wire. @throws {CapabilityError} as {@link encodeParameters}. */
export function encodeQuestion<D extends AnyCapability, N extends InfoRequestName<D>>(
  capability: D,
  infoRequest: N,
  parameters: InfoRequestParameters<D, N>,
): readonly WireValue[] {
  const definition = infoRequestOf(capability, infoRequest);
  return encodeFields(definition.parameters, parameters, capability.name, infoRequest);
}

/** Parameters of an info request from the network. */
export function decodeQuestion(
  infoRequest: InfoRequestDefinition,
  wire: readonly WireValue[],
): DecodedFields<Record<string, unknown>> {
  return decodeFields(infoRequest.parameters, wire, true);
}

/** Answer to an info request for the wire. @throws {CapabilityError} as {@link encodeResponse}. */
export function encodeAnswer<D extends AnyCapability, N extends InfoRequestName<D>>(
  capability: D,
  infoRequest: N,
  answer: InfoResponseInput<D, N>,
): readonly WireValue[] | undefined {
  const definition = infoRequestOf(capability, infoRequest);
  const wire = encodeFields(definition.response, answer, capability.name, infoRequest);
  return wire.length === 0 ? undefined : wire;
}

/** Answer to an info request from the network. */
export function decodeAnswer(
  infoRequest: InfoRequestDefinition,
  wire: readonly WireValue[] | undefined,
): DecodedFields<Record<string, unknown>> {
  return decodeFields(infoRequest.response, wire ?? [], false);
}

/**
 * Parameters of the implicit command `write`: id and value of each attribute in turn.
 *
 * @throws {CapabilityError} `UNKNOWN_ATTRIBUTE`, `NOT_WRITABLE`, `MISSING_PARAMETER` (nothing to write), or what is
 * wrong with a value.
 */
export function encodeWrite<D extends AnyCapability>(
  capability: D,
  values: WritableInputs<D>,
): readonly WireValue[] {
  const wire: WireValue[] = [];
  for (const [name, value] of Object.entries(values as Loose)) {
    if (value === undefined) continue;
    const attribute = attributeOf(capability, name);
    if (!attribute.writable) throw notWritable(capability, name);
    wire.push(
      attribute.id,
      encodeValue(attribute.type, value, { capability: capability.name, member: name }),
    );
  }
  if (wire.length > 0) return wire;
  throw new CapabilityError('MISSING_PARAMETER', `write to ${capability.name} names no attribute`, {
    capability: capability.name,
  });
}

function notWritable(capability: AnyCapability, name: string): CapabilityError {
  const writable = Object.values(capability.attributes)
    .filter(attribute => attribute.writable)
    .map(attribute => attribute.name);
  const allowed = writable.length === 0 ? 'none' : writable.join(', ');
  return new CapabilityError(
    'NOT_WRITABLE',
    `${capability.name}.${name} cannot be written; writable: ${allowed}`,
    {
      capability: capability.name,
      member: name,
      allowed,
    },
  );
}

/** The attributes another node wants written, by name; one wrong value refuses them all. */
export function decodeWrite(
  capability: AnyCapability,
  wire: readonly WireValue[],
): DecodedFields<Record<string, unknown>> {
  if (wire.length === 0 || wire.length % 2 !== 0) return { ok: false, reason: 'not pairs of id and value' };
  const values = new Map<string, unknown>();
  for (let at = 0; at < wire.length; at += 2) {
    const attribute = capability.attributesById.get(asInteger(wire[at]) ?? 0);
    if (attribute === undefined) return { ok: false, reason: 'no such attribute' };
    const field = attribute.name;
    if (!attribute.writable) return { ok: false, reason: `${field} cannot be written`, field };
    if (values.has(field)) return { ok: false, reason: `${field} is there twice`, field };
    // Strict, as parameters are: what only a newer definition knows is refused.
    const value = decodeFields({ [field]: { optional: true, type: attribute.type } }, [wire[at + 1]!], true);
    if (!value.ok) return value;
    values.set(field, value.value[field] ?? null);
  }
  return { ok: true, value: Object.fromEntries(values) };
}

/** Parameters of the implicit command `refresh`: ids of the attributes wanted, none for all. */
export function encodeRefresh<D extends AnyCapability>(
  capability: D,
  attributes: readonly AttributeName<D>[] = [],
): readonly WireValue[] {
  return attributes.map(name => attributeOf(capability, name).id);
}

/** The names of the attributes to read again; none means all. */
export function decodeRefresh(
  capability: AnyCapability,
  wire: readonly WireValue[],
): DecodedFields<readonly string[]> {
  const names: string[] = [];
  for (const item of wire) {
    const attribute = capability.attributesById.get(asInteger(item) ?? 0);
    if (attribute === undefined) return { ok: false, reason: 'no such attribute' };
    names.push(attribute.name);
  }
  return { ok: true, value: names };
}
