import type { Resource, Network } from '@coconet/client-sdk';

import { ADDRESS_FORM, parseMember, parseResource, type Member } from '../address.js';
import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { attributeFor, capabilityOf } from '../definition.js';
import { CliError } from '../errors.js';
import { awaitNews, findResource, waiting, withNetwork } from '../network.js';
import { option } from '../option.js';
import type { Output } from '../output.js';
import { printable } from '../printable.js';
import { isEvent, readingJson, textOf, type ReadingJson } from '../reading.js';
import { valueLines } from '../value-lines.js';

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
      const found = await resourcesOf(network, resource, context, timeout);
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
  if (resource !== undefined) return [await findResource(network, text, context, timeout)];
  await awaitNews(network, context, `waiting for ${device}`);
  const { nodeId, online, kind } = network.node(device);
  if (kind === 'device' && !online)
    throw new CliError('NO_ANSWER', `${device} is away, and has not told what it has`, {
      next: 'is it on, and its program running? `coconet nodes` shows who is there',
    });
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
  out.result(values, () => describe(out, values));
}

/** Resource by resource and capability by capability, an attribute a line. */
function describe(out: Output, values: readonly ReadingJson[]): string {
  // An event is told when it happens, and never read.
  const shown = values.filter(({ capability, attribute }) => !isEvent(capability, attribute));
  const width = Math.max(0, ...shown.filter(isKnown).map(({ attribute }) => attribute.length));
  return [...grouped(shown, ({ address }) => address)]
    .map(([address, ofResource]) => [
      out.style('bold', printable(address)),
      ...[...grouped(ofResource, titleOf)].flatMap(([title, ofCapability]) => [
        `  ${printable(title)}  ${out.style('dim', ageOf(ofCapability))}`.trimEnd(),
        ...ofCapability.filter(isKnown).flatMap(value => attributeLines(out, value, width)),
        ...unknownLines(out, ofCapability),
      ]),
    ])
    .map(lines => lines.join('\n'))
    .join('\n\n');
}

function attributeLines(out: Output, { capability, attribute, value }: ReadingJson, width: number): string[] {
  const indent = 4 + width + 2;
  return valueLines(capability, attribute, value)
    .flatMap(line => out.wrap(printable(line), indent))
    .map((line, index) =>
      index === 0 ? `    ${printable(attribute).padEnd(width)}  ${line}` : ' '.repeat(indent) + line,
    );
}

/** What has no value needs no line of its own. */
function unknownLines(out: Output, values: readonly ReadingJson[]): string[] {
  const names = values.filter(value => !isKnown(value)).map(({ attribute }) => printable(attribute));
  if (names.length === 0) return [];
  return out
    .wrap(`not known: ${names.join(', ')}`, 6)
    .map((line, index) => out.style('dim', `${index === 0 ? '    ' : '      '}${line}`));
}

const isKnown = ({ value }: ReadingJson): boolean => value !== null;

/** When the device read the newest of them; they were asked for together. */
function ageOf(values: readonly ReadingJson[]): string {
  const [first] = values;
  if (first === undefined || first.at === null || !values.some(isKnown)) return '';
  return `${first.at}${first.fresh ? '' : ', older than the start of the device'}`;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

const titleOf = ({ capability, instance }: ReadingJson): string =>
  `${capability}${instance === undefined ? '' : `[${instance}]`}`;

/** JSON already; text is made of that, so that 64-bit numbers and times look alike in both. */
const valueOf = ({ value }: ReadingJson): unknown => value;
