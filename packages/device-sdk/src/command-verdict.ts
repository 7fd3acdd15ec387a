import {
  CapabilityError,
  decodeParameters,
  decodeQuestion,
  decodeRefresh,
  decodeWrite,
  encodeAnswer,
  encodeResponse,
  IMPLICIT_COMMANDS,
  MAX_NAME_BYTES,
} from '@coconet/capabilities';
import type {
  AskMessage,
  CapabilityAddress,
  CommandMessage,
  StatusCode,
  WireValue,
} from '@coconet/capabilities';
import type { MemberReport } from '@coconet/cluster-protocol';
import { permits } from './access.js';
import type { AttachedCapability } from './attached-capability.js';
import type { CommandContext } from './command-context.js';
import { supportedCommands } from './description.js';
import type { DeviceTree } from './device-tree.js';
import { CommandRefused } from './errors.js';
import type { Resource } from './resource.js';

/** How something that a peer wanted ends. */
export interface Outcome {
  readonly code: StatusCode;
  readonly response?: readonly WireValue[] | undefined;
  /** What was wrong: a parameter, or the part of the address. */
  readonly field?: string | undefined;
  /** A sentence for people. */
  readonly message?: string | undefined;
}

/** Something a peer wants, checked as far as that goes without the handler. */
export interface Task {
  readonly resource: Resource;
  /** `lamp onOff.turnOn`: for sentences. */
  readonly label: string;
  /** Running it twice is as good as once. */
  readonly idempotent: boolean;
  /** Calls the handler; what it throws becomes the outcome. */
  run(context: CommandContext): Promise<readonly WireValue[] | undefined>;
}

/** A task, or why there is none. */
export type Verdict =
  { readonly ok: true; readonly task: Task } | { readonly ok: false; readonly outcome: Outcome };

const refuse = (code: StatusCode, message: string, field?: string): Verdict => ({
  ok: false,
  outcome: { code, message, ...(field !== undefined && { field }) },
});

const accept = (task: Task): Verdict => ({ ok: true, task });

type Place =
  | { readonly ok: true; readonly resource: Resource; readonly capability: AttachedCapability }
  | { readonly ok: false; readonly outcome: Outcome };

/** Where an address leads. Names what is not there, and what is. */
export function locate(tree: DeviceTree, member: MemberReport, address: CapabilityAddress): Place {
  const { resourceId, capabilityId, instance } = address;
  const missing = (message: string, field: string): Place => ({
    ok: false,
    outcome: { code: 'notFound', message, field },
  });
  if (!permits(member.role, 'guest'))
    return {
      ok: false,
      outcome: { code: 'permissionDenied', message: 'only members with a role may use a device' },
    };
  const resource = tree.resources.get(resourceId);
  if (resource === undefined) return missing(tree.missing(resourceId), 'resourceId');
  const capability = resource.find(capabilityId, instance);
  if (capability !== undefined) return { ok: true, resource, capability };
  const equals = resource.capabilities.filter(({ address: { capabilityId: id } }) => id === capabilityId);
  const labels = resource.capabilities.map(({ label }) => label).join(', ');
  return equals.length === 0
    ? missing(`resource '${resourceId}' has no capability ${capabilityId}; it has ${labels}`, 'capabilityId')
    : missing(
        `resource '${resourceId}' has no ${equals[0]!.definition.name} '${instance ?? ''}'; it has ${labels}`,
        'instance',
      );
}

/** What a command asks for, and whether it may, can and makes sense. */
export function judgeCommand(tree: DeviceTree, member: MemberReport, message: CommandMessage): Verdict {
  const place = locate(tree, member, message);
  if (!place.ok) return place;
  const { resource, capability } = place;
  if (message.commandId === IMPLICIT_COMMANDS.refresh) return judgeRefresh(resource, capability, message);
  if (message.commandId === IMPLICIT_COMMANDS.write) return judgeWrite(resource, capability, member, message);
  const { definition } = capability;
  const command = definition.commandsById.get(message.commandId);
  const handler = command && capability.handlers.get(command.id);
  if (command === undefined || handler === undefined) {
    const supported = supportedCommands(capability, member.role)
      .flatMap(id => definition.commandsById.get(id)?.name ?? [])
      .join(', ');
    return refuse(
      'commandNotSupported',
      `${resource.id} ${capability.label} has no command ${command?.name ?? message.commandId}; it has ${supported || 'none'}`,
      'commandId',
    );
  }
  const label = `${resource.id} ${capability.label}.${command.name}`;
  if (!permits(member.role, command.minimumRole))
    return refuse('permissionDenied', `${label} needs the role ${command.minimumRole}`);
  const parameters = decodeParameters(command, message.params);
  if (!parameters.ok) return refuse('invalid', `${label}: ${parameters.reason}`, parameters.field);
  return accept({
    resource,
    label,
    idempotent: command.idempotent,
    run: async context => {
      const response = await handler(parameters.value, context);
      return encoded(label, () => encodeResponse(definition, command.name, fieldsOf(response)));
    },
  });
}

function judgeRefresh(resource: Resource, capability: AttachedCapability, message: CommandMessage): Verdict {
  const label = `${resource.id} ${capability.label}.refresh`;
  const { refreshHandler, definition } = capability;
  if (refreshHandler === undefined)
    return refuse('commandNotSupported', `${label} is not supported: values come by themselves`, 'commandId');
  const names = decodeRefresh(definition, message.params);
  if (!names.ok) return refuse('invalid', `${label}: ${names.reason}`, 'attributes');
  const wanted = names.value.length > 0 ? names.value : Object.keys(definition.attributes);
  return accept({
    resource,
    label,
    idempotent: true,
    run: async context => {
      await refreshHandler(wanted, context);
      return undefined;
    },
  });
}

function judgeWrite(
  resource: Resource,
  capability: AttachedCapability,
  member: MemberReport,
  message: CommandMessage,
): Verdict {
  const label = `${resource.id} ${capability.label}.write`;
  const { definition, writeHandler } = capability;
  const decoded = decodeWrite(definition, message.params);
  if (!decoded.ok) return refuse('invalid', `${label}: ${decoded.reason}`, decoded.field);
  const values = decoded.value;
  for (const name of Object.keys(values)) {
    const { minimumRole } = definition.attributes[name]!;
    if (!permits(member.role, minimumRole))
      return refuse('permissionDenied', `${label}: ${name} needs the role ${minimumRole}`, name);
    try {
      // The device's own bounds may be narrower than those of the definition.
      capability.check({ [name]: values[name] });
    } catch (error) {
      if (error instanceof CapabilityError) return refuse('invalid', error.message, name);
      throw error;
    }
  }
  return accept({
    resource,
    label,
    idempotent: true,
    run: async context => {
      const before = capability.check(values).map(reading => ({ ...reading, count: reading.cell.readings }));
      await writeHandler?.(values, context);
      // What the handler has set itself, perhaps rounded, is not set over.
      const left = before.filter(({ cell, count }) => cell.readings === count);
      if (left.length > 0) capability.take(left);
      return undefined;
    },
  });
}

/** What an info request asks for, and whether it may, can and makes sense. */
export function judgeQuestion(tree: DeviceTree, member: MemberReport, message: AskMessage): Verdict {
  const place = locate(tree, member, message);
  if (!place.ok) return place;
  const { resource, capability } = place;
  const { definition, answers } = capability;
  const question = definition.infoRequestsById.get(message.infoRequestId);
  const handler = question && answers.get(question.id);
  const label = `${resource.id} ${capability.label}.${question?.name ?? message.infoRequestId}`;
  if (question === undefined || handler === undefined)
    return refuse('commandNotSupported', `${label} cannot be asked of this device`, 'infoRequestId');
  if (!permits(member.role, question.minimumRole))
    return refuse('permissionDenied', `${label} needs the role ${question.minimumRole}`);
  const parameters = decodeQuestion(question, message.params);
  if (!parameters.ok) return refuse('invalid', `${label}: ${parameters.reason}`, parameters.field);
  return accept({
    resource,
    label,
    idempotent: true,
    run: async context => {
      const answer = await handler(parameters.value, context);
      return encoded(label, () => encodeAnswer(definition, question.name, fieldsOf(answer)));
    },
  });
}

const fieldsOf = (response: unknown): Readonly<Record<string, unknown>> =>
  typeof response === 'object' && response !== null ? (response as Readonly<Record<string, unknown>>) : {};

/** A response that does not fit its definition is the device's own mistake, not the sender's. */
function encoded<T>(label: string, encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    throw new Error(`the response of ${label} does not fit its definition: ${String(error)}`, {
      cause: error,
    });
  }
}

/** Longest sentence sent, in characters: at most three bytes each, it stays below the codec's bound. */
const MAX_SENTENCE = 340;

const MAX_FIELD = MAX_NAME_BYTES / 4;

/** What the sender is told of an error of the handler; `undefined` where that is the device's own affair. */
export function outcomeOf(error: unknown): Outcome | undefined {
  if (error instanceof CommandRefused) {
    const field = error.field?.slice(0, MAX_FIELD);
    return {
      code: error.status,
      message: sentence(error.message),
      ...(field !== undefined && field !== '' && { field: wellFormed(field) }),
    };
  }
  if (error instanceof CapabilityError) {
    const { member } = error.details;
    return {
      code: 'invalid',
      message: sentence(error.message),
      ...(member !== undefined && { field: wellFormed(member.slice(0, MAX_FIELD)) }),
    };
  }
  return undefined;
}

const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

/** The text as it may travel. */
export const sentence = (text: string): string => wellFormed(text.slice(0, MAX_SENTENCE));
