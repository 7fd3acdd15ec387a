import { CapabilityError } from './errors.js';
import type { CapabilityErrorCode } from './errors.js';
import type { AttributeDefinition } from './model/attribute.js';
import type { AnyCapability } from './model/capability.js';
import type { CommandDefinition } from './model/command.js';
import type { InfoRequestDefinition } from './model/info-request.js';
import { nearestName, suggestion } from './nearest.js';

function memberOf<T>(
  members: Readonly<Record<string, T>>,
  name: string,
  capability: AnyCapability,
  code: CapabilityErrorCode,
  what: string,
): T {
  const member = Object.hasOwn(members, name) ? members[name] : undefined;
  if (member !== undefined) return member;
  const known = Object.keys(members);
  const nearest = nearestName(name, known);
  throw new CapabilityError(code, `${capability.name} has no ${what} '${name}'; ${suggestion(name, known)}`, {
    capability: capability.name,
    member: name,
    ...(nearest === undefined ? {} : { nearest }),
  });
}

/** The attribute of that name. Throws `UNKNOWN_ATTRIBUTE` with the nearest name. */
export const attributeOf = (capability: AnyCapability, name: string): AttributeDefinition =>
  memberOf(capability.attributes, name, capability, 'UNKNOWN_ATTRIBUTE', 'attribute');

/** The command of that name, implicit ones not included. Throws `UNKNOWN_COMMAND` with the nearest name. */
export const commandOf = (capability: AnyCapability, name: string): CommandDefinition =>
  memberOf(capability.commands, name, capability, 'UNKNOWN_COMMAND', 'command');

/** The info request of that name. Throws `UNKNOWN_INFO_REQUEST` with the nearest name. */
export const infoRequestOf = (capability: AnyCapability, name: string): InfoRequestDefinition =>
  memberOf(capability.infoRequests, name, capability, 'UNKNOWN_INFO_REQUEST', 'info request');
