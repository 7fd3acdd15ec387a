import {
  attributeOf,
  CapabilityError,
  encodeParameters,
  encodeQuestion,
  nearestName,
  standardRegistry,
  suggestion,
  type AnyCapability,
  type AttributeDefinition,
  type FieldSpecs,
} from '@coconet/capabilities';

/** Something that one can ask a resource to do: a command, or a request for data that is no attribute. */
export interface Callable {
  readonly kind: 'command' | 'infoRequest' | 'refresh';
  readonly name: string;
  readonly parameters: FieldSpecs;
  readonly response: FieldSpecs;
}

/** The capability of that name. Throws `UNKNOWN_CAPABILITY` with the nearest name. */
export const capabilityOf = (name: string): AnyCapability => standardRegistry.require(name);

/** The attribute of a capability. Throws `UNKNOWN_ATTRIBUTE`, which for a command says how to run it. */
export function attributeFor(capability: AnyCapability, name: string): AttributeDefinition {
  if (Object.hasOwn(capability.commands, name) || Object.hasOwn(capability.infoRequests, name))
    throw new CapabilityError(
      'UNKNOWN_ATTRIBUTE',
      `${capability.name}.${name} is a command, not an attribute: use coconet call`,
      { capability: capability.name, member: name },
    );
  return attributeOf(capability, name);
}

/** What `coconet call` runs. Throws `UNKNOWN_COMMAND` with the nearest name. */
export function callableOf(capability: AnyCapability, name: string): Callable {
  const { commands, infoRequests } = capability;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command) return { kind: 'command', name, parameters: command.parameters, response: command.response };
  const request = Object.hasOwn(infoRequests, name) ? infoRequests[name] : undefined;
  if (request)
    return { kind: 'infoRequest', name, parameters: request.parameters, response: request.response };
  if (name === 'refresh') return { kind: 'refresh', name, parameters: {}, response: {} };
  const known = [...Object.keys(commands), ...Object.keys(infoRequests), 'refresh'];
  const nearest = nearestName(name, known);
  const isAttribute = Object.hasOwn(capability.attributes, name);
  throw new CapabilityError(
    'UNKNOWN_COMMAND',
    isAttribute
      ? `${capability.name}.${name} is an attribute, not a command: use coconet get or coconet set`
      : `${capability.name} has no command '${name}'; ${suggestion(name, known)}`,
    { capability: capability.name, member: name, ...(nearest !== undefined && { nearest }) },
  );
}

/** Finds what is wrong with parameters, or missing, before a device is asked. Throws `CapabilityError`. */
export function checkParameters(
  capability: AnyCapability,
  { kind, name }: Callable,
  given: Readonly<Record<string, unknown>>,
): void {
  if (kind === 'command') encodeParameters(capability, name, given);
  else if (kind === 'infoRequest') encodeQuestion(capability, name, given);
}
