import type { CapabilityInfo, ResourceInfo } from '@coconet/client-sdk';

import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { awaitNews, withNetwork } from '../network.js';
import type { Output } from '../output.js';
import { printable } from '../printable.js';

/** `coconet ls` */
export const lsCommand: Command = defineCommand({
  name: 'ls',
  group: 'use',
  summary: 'lists resources and what they can do',
  arguments: {
    node: argument.optional('NODE', "name of a device, or its id as in '#17'; default: all devices"),
  },
  examples: [
    { line: 'coconet ls', says: 'all resources of all devices' },
    { line: 'coconet ls Desk', says: 'the resources of one device' },
  ],
  run: ({ node }, context) =>
    withNetwork(context, async network => {
      const { out } = context;
      await awaitNews(network, context, 'asking the devices');
      const wanted = node === undefined ? undefined : network.node(node).nodeId;
      const resources = network
        .resources()
        .map(({ info }) => info)
        .filter(({ nodeId }) => wanted === undefined || nodeId === wanted)
        .sort((a, b) => (a.address < b.address ? -1 : 1));
      if (resources.length > 0 || out.json)
        out.result(resources, () => resources.map(info => describe(out, info)).join('\n'));
      else
        out.note('no resources: no device has told any yet; `coconet nodes` shows which devices are there');
    }),
});

function describe(out: Output, info: ResourceInfo): string {
  const title = [info.name, info.manufacturer, info.model].filter(text => text !== undefined && text !== '');
  const state = info.online ? '' : out.style('yellow', ' (away)');
  const more =
    title.length === 0 ? '' : out.style('dim', `  ${title.map(text => printable(text ?? '')).join(', ')}`);
  const lines = info.capabilities.map(capability => describeCapability(out, capability));
  return [`${out.style('bold', printable(info.address))}${state}${more}`, ...lines].join('\n');
}

function describeCapability(out: Output, capability: CapabilityInfo): string {
  const { name, instance, attributes, writable, commands, infoRequests, known } = capability;
  const title = printable(instance === undefined ? name : `${name}[${instance}]`);
  const values = attributes.map(attribute =>
    writable.includes(attribute) ? `${attribute} (writable)` : attribute,
  );
  const parts = [
    ...(values.length === 0 ? [] : [values.join(', ')]),
    ...(commands.length === 0 ? [] : [`commands ${commands.join(', ')}`]),
    ...(infoRequests.length === 0 ? [] : [`requests ${infoRequests.join(', ')}`]),
    ...(known ? [] : ['not known to this program']),
  ];
  return `  ${title}  ${out.style('dim', printable(parts.join('; ')))}`;
}
