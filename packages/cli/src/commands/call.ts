import {
  fieldsFromJson,
  fieldsFromText,
  fieldsOf,
  fieldsToJson,
  valueToText,
  type JsonValue,
} from '@coconet/capabilities';
import type { GenericCapability, Loose, Progress } from '@coconet/client-sdk';

import { ADDRESS_FORM, parseAssignments, parseExact } from '../address.js';
import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { callableOf, capabilityOf, checkParameters, type Callable } from '../definition.js';
import { UsageError } from '../errors.js';
import { findResource, waiting, withNetwork } from '../network.js';
import { option } from '../option.js';
import { printable } from '../printable.js';

/** `coconet call` */
export const callCommand: Command = defineCommand({
  name: 'call',
  group: 'use',
  summary: 'runs a command of a resource and shows its answer',
  details: [
    `An address reads ${ADDRESS_FORM}. Parameters are read by their declared types and never guessed.`,
    'A command runs once at most. When it cannot be known whether it ran, the error says so.',
  ],
  arguments: {
    resource: argument.one('DEVICE/RESOURCE', "a resource, as in Desk/lamp or '#17/lamp'"),
    member: argument.one('CAPABILITY.COMMAND', 'a command, as in onOff.turnOn, or a request for information'),
    parameters: argument.any('name=value', 'parameters of the command, as in level=40'),
  },
  options: {
    params: option.text('JSON', 'all parameters as one JSON object, instead of name=value'),
    timeout: option.duration('how long the command may take, as in 500ms or 10s; default 10s'),
  },
  examples: [
    { line: 'coconet call Desk/lamp onOff.turnOn', says: 'a command without parameters' },
    { line: 'coconet call Desk/lamp level.setLevel level=40', says: 'with a parameter' },
    { line: `coconet call Desk/lamp level.setLevel --params '{"level":40}'`, says: 'the same, as JSON' },
  ],
  run: async ({ resource, member, parameters, params, timeout }, context) => {
    const at = parseExact(resource, member);
    const capability = capabilityOf(at.capability);
    const callable = callableOf(capability, at.name);
    const given = readParameters(callable, at.capability, parameters, params);
    // Wrong parameters are wrong whether the device is there or not.
    checkParameters(capability, callable, given);
    await withNetwork(context, async network => {
      const { out } = context;
      const found = await findResource(network, resource, context, timeout);
      const onProgress = ({ progress, message }: Progress): void => {
        const parts = [progress === undefined ? undefined : `${progress} %`, message].filter(
          part => part !== undefined,
        );
        out.note(printable(`${at.device}: ${parts.length === 0 ? 'in progress' : parts.join(', ')}`));
      };
      const calling = run(found.capability(at.capability), callable, given, {
        ...waiting(context, timeout),
        onProgress,
      });
      const response = await out.progress(`waiting for the answer of ${at.device}`, calling);
      const { address } = found.info;
      out.result(
        {
          address,
          capability: at.capability,
          command: at.name,
          status: 'success',
          response: fieldsToJson(response),
        },
        () => responseText(callable, response),
      );
    });
  },
});

function readParameters(
  { name, parameters }: Callable,
  capability: string,
  words: readonly string[],
  params: string | undefined,
): Loose {
  const place = { capability, member: name };
  if (params === undefined) return fieldsFromText(parameters, parseAssignments(words), place);
  if (words.length > 0) throw new UsageError('give the parameters as name=value or as --params, not both');
  return fieldsFromJson(parameters, parseObject(params), place);
}

function parseObject(text: string): Readonly<Record<string, JsonValue>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `--params is not JSON: ${(error as Error).message}`,
      `as in --params '{"level":40}'`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError('--params is not a JSON object', `as in --params '{"level":40}'`);
  return value as Readonly<Record<string, JsonValue>>;
}

async function run(
  capability: GenericCapability,
  { kind, name }: Callable,
  parameters: Loose,
  options: Parameters<GenericCapability['call']>[2],
): Promise<Loose> {
  if (kind === 'command') return capability.call(name, parameters, options);
  if (kind === 'infoRequest') return capability.ask(name, parameters, options);
  await capability.refresh([], options);
  return {};
}

function responseText({ response: specs }: Callable, response: Loose): string {
  const types = new Map(fieldsOf(specs).map(({ name, type }) => [name, type]));
  const lines = Object.entries(response)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const type = types.get(name);
      return `${name}: ${printable(type === undefined ? JSON.stringify(value) : valueToText(type, value))}`;
    });
  return lines.length === 0 ? 'done' : lines.join('\n');
}
