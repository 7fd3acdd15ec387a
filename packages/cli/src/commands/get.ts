import type { Resource, Network } from '@coconet/client-sdk';

import { ADDRESS_FORM, parseMember, parseResource, type Member } from '../address.js';
import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { attributeFor, capabilityOf } from '../definition.js';
import { CliError } from '../errors.js';
import { waiting, withNetwork } from '../network.js';
import { option } from '../option.js';
import { readingJson, textOf, type ReadingJson } from '../reading.js';

/** `coconet get` */
export const getCommand: Command = defineCommand({
  name: 'get',
  group: 'use',
  summary: 'reads values of a resource from its device',
  details: [
    `An address reads ${ADDRESS_FORM}. Without a member all values are read, of a capability or of the whole resource.`,
  ],
  arguments: {
    resource: argument.one(
      'DEVICE/RESOURCE',
      "a resource, as in Desk/lamp or '#17/lamp'; a device alone: all its resources",
    ),
    member: argument.optional(
      'CAPABILITY.ATTRIBUTE',
      'a value, as in onOff.on, or a capability, as in onOff',
    ),
  },
  options: {
    fresh: option.flag('the device reads its hardware first, instead of answering with what it has'),
    timeout: option.duration('how long to wait, as in 500ms or 10s; default 10s'),
  },
  examples: [
    { line: 'coconet get Desk/lamp onOff.on', says: 'one value' },
    { line: 'coconet get Desk/lamp --json', says: 'everything that the lamp measures, for a program' },
  ],
  run: async ({ resource, member, fresh, timeout }, context) => {
    const address = parseResource(resource);
    const wanted = member === undefined ? undefined : parseMember(member);
    if (wanted !== undefined) checkMember(wanted);
    await withNetwork(context, async network => {
      const { out } = context;
      const options = { ...waiting(context, timeout), fresh };
      const found = await out.progress(
        `waiting for ${resource}`,
        resourcesOf(network, resource, context, timeout),
      );
      const reading = Promise.all(found.map(one => readAll(one, wanted, options)));
      const values = (await out.progress(`waiting for the answer of ${address.device}`, reading)).flat();
      show(context, values, resource, wanted);
    });
  },
});

function checkMember({ capability, name }: Member): void {
  const definition = capabilityOf(capability);
  if (name !== undefined) attributeFor(definition, name);
}

async function resourcesOf(
  network: Network,
  text: string,
  context: Context,
  timeout: number | undefined,
): Promise<readonly Resource[]> {
  const { device, resource } = parseResource(text);
  if (resource !== undefined) return [await network.resource(text, waiting(context, timeout))];
  await network.ready(waiting(context, timeout));
  const { nodeId } = network.node(device);
  return network.resources().filter(({ info }) => info.nodeId === nodeId);
}

async function readAll(
  resource: Resource,
  wanted: Member | undefined,
  options: { readonly signal: AbortSignal; readonly timeout: number; readonly fresh: boolean },
): Promise<readonly ReadingJson[]> {
  const { address, capabilities } = resource.info;
  // Asking for one that is not there gives the error that lists what is.
  if (wanted !== undefined && !capabilities.some(({ name }) => name === wanted.capability))
    resource.capability(wanted.capability);
  const readable = capabilities.filter(
    ({ name, known, attributes }) =>
      known && attributes.length > 0 && (wanted === undefined || name === wanted.capability),
  );
  const readings = await Promise.all(
    readable.map(async ({ name, instance, attributes }) => {
      const reading = await resource.capability(name, instance).read(options);
      const values: Readonly<Record<string, unknown>> = reading;
      return attributes
        .filter(attribute => wanted?.name === undefined || attribute === wanted.name)
        .map(attribute =>
          readingJson({
            address,
            capability: name,
            instance,
            attribute,
            value: values[attribute],
            fresh: reading.fresh,
            at: reading.at,
          }),
        );
    }),
  );
  return readings.flat();
}

function show(
  { out }: Context,
  values: readonly ReadingJson[],
  resource: string,
  wanted: Member | undefined,
): void {
  const only = values[0];
  if (only === undefined)
    throw new CliError(
      'NOTHING_TO_READ',
      `${resource} has no values${wanted === undefined ? '' : ' there'}`,
      {
        next: `coconet ls shows what ${parseResource(resource).device} has`,
      },
    );
  if (wanted?.name !== undefined && values.length === 1) {
    out.result(only, () => textOf(only.capability, only.attribute, valueOf(only)));
    if (!only.fresh && !out.json)
      out.note(
        `an older value${only.at === null ? '' : `, read ${only.at}`}: the device has not read it since its start`,
      );
    return;
  }
  out.result(values, () =>
    out.table(
      ['RESOURCE', 'MEMBER', 'VALUE', 'READ'],
      values.map(value => [
        value.address,
        memberText(value),
        textOf(value.capability, value.attribute, valueOf(value)),
        `${value.at ?? '-'}${value.fresh ? '' : ' (older)'}`,
      ]),
    ),
  );
}

const memberText = ({ capability, instance, attribute }: ReadingJson): string =>
  `${capability}${instance === undefined ? '' : `[${instance}]`}.${attribute}`;

/** JSON already; text is made of that, so that 64-bit numbers and times look alike in both. */
const valueOf = ({ value }: ReadingJson): unknown => value;
