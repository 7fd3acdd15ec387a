import { checkAttribute, checkFields, checkName, checkUnique, inDefinition } from './definition-check.js';
import type { AttributeDefinition } from './model/attribute.js';
import type {
  AttributeSpecs,
  CapabilityDefinition,
  CapabilityId,
  CapabilitySpec,
  CommandSpecs,
  InfoRequestSpecs,
} from './model/capability.js';
import { FIRST_COMMAND_ID } from './model/command.js';
import type { CommandDefinition } from './model/command.js';
import type { NoFields } from './model/field.js';
import type { InfoRequestDefinition } from './model/info-request.js';
import { MAX_NAME_BYTES } from './model/limits.js';
import { RESERVED_ATTRIBUTE_NAMES, RESERVED_COMMAND_NAMES } from './model/resource.js';

/** Ids of capabilities outside the standard: a reversed domain name and a name. */
const VENDOR_ID = /^[a-z][a-z0-9-]*(\.[a-z0-9][A-Za-z0-9-]*){2,}$/;

function checkId(name: string, id: CapabilityId): void {
  if (typeof id === 'number') {
    if (!Number.isInteger(id) || id < 1 || id > 0xffff_ffff)
      throw inDefinition(
        name,
        undefined,
        `the id is ${String(id)}; a standard id lies between 1 and 4294967295`,
      );
  } else if (!VENDOR_ID.test(id) || id.length > MAX_NAME_BYTES)
    throw inDefinition(
      name,
      undefined,
      `the id is '${id}'; a vendor id reads com.vendor.name, at most ${String(MAX_NAME_BYTES)} characters`,
    );
}

const byId = <T extends { readonly id: number }>(
  members: Readonly<Record<string, T>>,
): ReadonlyMap<number, T> => new Map(Object.values(members).map(member => [member.id, member]));

function mapMembers<S, T>(
  specs: Readonly<Record<string, S>>,
  make: (name: string, spec: S) => T,
): Readonly<Record<string, T>> {
  return Object.freeze(
    Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, make(name, spec)])),
  );
}

function makeAttributes(
  capability: string,
  specs: AttributeSpecs,
): Readonly<Record<string, AttributeDefinition>> {
  checkUnique(capability, 'attribute', specs, 1);
  return mapMembers(specs, (name, spec) => {
    checkName(capability, name, RESERVED_ATTRIBUTE_NAMES);
    checkAttribute(capability, name, spec);
    return Object.freeze({
      id: spec.id,
      name,
      type: spec.type,
      description: spec.description,
      writable: spec.writable ?? false,
      persist: spec.persist ?? false,
      alarm: spec.alarm ?? false,
      delivery: spec.delivery ?? 'state',
      publishOnly: spec.publishOnly ?? false,
      minReportInterval: spec.minReportInterval ?? 0,
      maxReportInterval: spec.maxReportInterval ?? 0,
      reportableChange: spec.reportableChange,
      minimumRole: spec.minimumRole ?? 'guest',
      default: spec.default ?? null,
    });
  });
}

function makeCommands(capability: string, specs: CommandSpecs): Readonly<Record<string, CommandDefinition>> {
  checkUnique(capability, 'command', specs, FIRST_COMMAND_ID);
  return mapMembers(specs, (name, spec) => {
    checkName(capability, name, RESERVED_COMMAND_NAMES);
    const parameters = spec.parameters ?? {};
    checkFields(capability, name, parameters);
    checkFields(capability, name, spec.response ?? {});
    for (const needed of spec.requireOneOf ?? [])
      if (!Object.hasOwn(parameters, needed))
        throw inDefinition(capability, name, `requireOneOf names '${needed}', which is no parameter`);
    return Object.freeze({
      id: spec.id,
      name,
      description: spec.description,
      parameters,
      requireOneOf: spec.requireOneOf ?? [],
      response: spec.response ?? {},
      idempotent: spec.idempotent ?? false,
      minimumRole: spec.minimumRole ?? 'guest',
    });
  });
}

function makeInfoRequests(
  capability: string,
  specs: InfoRequestSpecs,
): Readonly<Record<string, InfoRequestDefinition>> {
  checkUnique(capability, 'info request', specs, 1);
  return mapMembers(specs, (name, spec) => {
    checkName(capability, name, []);
    checkFields(capability, name, spec.parameters ?? {});
    checkFields(capability, name, spec.response ?? {});
    return Object.freeze({
      id: spec.id,
      name,
      description: spec.description,
      parameters: spec.parameters ?? {},
      response: spec.response ?? {},
      minimumRole: spec.minimumRole ?? 'guest',
    });
  });
}

/**
 * Makes a capability from its description; everything else (types, checks, wire form, text form) follows from it.
 *
 * @throws {CapabilityError} `INVALID_DEFINITION`, at once, naming the member and what is wrong with it.
 * @example
 * const kettle = defineCapability({
 *   id: 'com.acme.kettle', name: 'kettle', title: 'Kettle', revision: 1, tier: 'vendor',
 *   attributes: { water: { id: 1, type: t.float32({ min: 0, max: 1.7, unit: 'L' }) } },
 *   commands: { boil: { id: 8, parameters: { until: t.optional(t.float32({ max: 100, unit: '°C' })) } } },
 * });
 */
export function defineCapability<
  const N extends string,
  const A extends AttributeSpecs = NoFields,
  const C extends CommandSpecs = NoFields,
  const I extends InfoRequestSpecs = NoFields,
>(spec: CapabilitySpec<N, A, C, I>): CapabilityDefinition<N, A, C, I> {
  checkName(spec.name, spec.name, []);
  checkId(spec.name, spec.id);
  if (!Number.isInteger(spec.revision) || spec.revision < 1 || spec.revision > 0xffff)
    throw inDefinition(
      spec.name,
      undefined,
      `the revision is ${String(spec.revision)}; it lies between 1 and 65535`,
    );
  const attributes = makeAttributes(spec.name, spec.attributes ?? {});
  const commands = makeCommands(spec.name, spec.commands ?? {});
  const infoRequests = makeInfoRequests(spec.name, spec.infoRequests ?? {});
  return Object.freeze({
    id: spec.id,
    name: spec.name,
    title: spec.title,
    revision: spec.revision,
    tier: spec.tier,
    refresh: spec.refresh ?? false,
    // Made member by member from the very specs whose types these are.
    attributes: attributes as CapabilityDefinition<N, A, C, I>['attributes'],
    commands: commands as CapabilityDefinition<N, A, C, I>['commands'],
    infoRequests: infoRequests as CapabilityDefinition<N, A, C, I>['infoRequests'],
    attributesById: byId(attributes),
    commandsById: byId(commands),
    infoRequestsById: byId(infoRequests),
  });
}
