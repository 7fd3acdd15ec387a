import type { AttributeReport, Network } from '@coconet/client-sdk';

import { ADDRESS_FORM, parseAddresses, type Address } from '../address.js';
import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { attributeFor, capabilityOf } from '../definition.js';
import { awaitNews, findResource, withNetwork } from '../network.js';
import { option } from '../option.js';
import { printable } from '../printable.js';
import { readingJson } from '../reading.js';
import { valueLine } from '../value-lines.js';

/** Letters of a time as JSON has it: 2026-01-31T12:00:00.000Z. */
const TIME_WIDTH = 24;

/** `coconet watch` */
export const watchCommand: Command = defineCommand({
  name: 'watch',
  group: 'use',
  summary: 'shows values as they are now, then every change, until Ctrl-C',
  details: [
    `An address reads ${ADDRESS_FORM}; several may follow each other, and a resource may have several members or none, which means all.`,
  ],
  arguments: {
    addresses: argument.some(
      'ADDRESS',
      'Desk, Desk/lamp, Desk/lamp onOff, Desk/lamp onOff.on level.level Desk/fan …',
    ),
  },
  options: { count: option.count('ends after so many values; default: goes on') },
  examples: [
    { line: 'coconet watch Desk/lamp onOff.on', says: 'one value of a lamp' },
    {
      line: 'coconet watch Desk/lamp Desk/fan --json',
      says: 'everything of two resources, a line for each value',
    },
  ],
  run: async ({ addresses: words, count = Infinity }, context) => {
    const addresses = parseAddresses(words);
    for (const { member } of addresses) {
      const definition = member === undefined ? undefined : capabilityOf(member.capability);
      if (definition !== undefined && member?.name !== undefined) attributeFor(definition, member.name);
    }
    await withNetwork(context, async network => {
      const { out } = context;
      const enough = new AbortController();
      const signal = AbortSignal.any([context.signal, enough.signal]);
      let left = count;
      const show = (report: AttributeReport): void => {
        if (left <= 0) return;
        const value = { ...readingJson(report), snapshot: report.snapshot };
        out.result(value, () => {
          // What the device has never read has no time. In the first picture the times say how old things are.
          const time = out.style('dim', (report.at?.toISOString() ?? '').padEnd(TIME_WIDTH));
          const isOlder = !report.fresh && !report.snapshot && report.at !== null;
          const stale = isOlder ? out.style('yellow', ' (older)') : '';
          const member = `${report.capability}${report.instance === undefined ? '' : `[${report.instance}]`}.${report.attribute}`;
          const text = printable(valueLine(report.capability, report.attribute, value.value));
          return `${time}  ${printable(report.address)} ${printable(member)}  ${text}${stale}`;
        });
        if (--left <= 0) enough.abort();
      };
      try {
        const following = Promise.all(
          groupsOf(addresses).map(async group => {
            for await (const reports of await sourceOf(network, group, { ...context, signal }))
              for (const report of reports) if (isWanted(group, report)) show(report);
          }),
        );
        await following;
      } finally {
        enough.abort();
      }
    });
  },
});

/** Addresses of one resource: one subscription serves them all. */
type Group = readonly [Address, ...Address[]];

function groupsOf(addresses: readonly Address[]): readonly Group[] {
  const groups = new Map<string, [Address, ...Address[]]>();
  for (const address of addresses) {
    const key = `${address.device}/${address.resource ?? ''}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [address]);
    else group.push(address);
  }
  return [...groups.values()];
}

async function sourceOf(
  network: Network,
  group: Group,
  context: Context,
): Promise<AsyncIterable<readonly AttributeReport[]>> {
  const { device, resource } = group[0];
  const all = group.some(({ member }) => member === undefined);
  const capabilities = all ? undefined : [...new Set(group.map(({ member }) => member?.capability ?? ''))];
  const wish = { signal: context.signal, ...(capabilities !== undefined && { capabilities }) };
  if (resource === undefined) {
    await awaitNews(network, context, `waiting for ${device}`);
    return network.watch({ ...wish, node: network.node(device).nodeId });
  }
  const found = await findResource(network, `${device}/${resource}`, context, undefined);
  // Asking for one that is not there gives the error that lists what is.
  for (const name of capabilities ?? [])
    if (!found.info.capabilities.some(info => info.name === name)) found.capability(name);
  return found.watch(wish);
}

const isWanted = (group: Group, { capability, attribute }: AttributeReport): boolean =>
  group.some(
    ({ member }) =>
      member === undefined ||
      (member.capability === capability && (member.name === undefined || member.name === attribute)),
  );
