import { CapabilityError, valueFromText, valueToJson, valueToText } from '@coconet/capabilities';

import { parseExact } from '../address.js';
import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { attributeFor, capabilityOf } from '../definition.js';
import { findResource, waiting, withNetwork } from '../network.js';
import { option } from '../option.js';
import { printable } from '../printable.js';

/** `coconet set` */
export const setCommand: Command = defineCommand({
  name: 'set',
  group: 'use',
  summary: 'changes a writable value of a resource',
  details: [
    'What a device does, it does on a command: see coconet call. The value is read by its declared type and never guessed.',
  ],
  arguments: {
    resource: argument.one('DEVICE/RESOURCE', "a resource, as in Desk/lamp or '#17/lamp'"),
    member: argument.one('CAPABILITY.ATTRIBUTE', 'a writable value; coconet ls shows which are'),
    value: argument.one('VALUE', 'the new value: 40, true, idle, 2026-01-31T12:00:00Z, [1,2], null'),
  },
  options: { timeout: option.duration('how long to wait, as in 500ms or 10s; default 10s') },
  examples: [
    {
      line: 'coconet set Desk/lamp level.startupLevel 40',
      says: 'the lamp comes back at 40 % after a power cut',
    },
  ],
  run: async ({ resource, member, value, timeout }, context) => {
    const at = parseExact(resource, member);
    const capability = capabilityOf(at.capability);
    const attribute = attributeFor(capability, at.name);
    if (!attribute.writable)
      throw new CapabilityError('NOT_WRITABLE', `${at.capability}.${at.name} can only be read`, {
        capability: at.capability,
        member: at.name,
      });
    const typed = valueFromText(attribute.type, value, { capability: at.capability, member: at.name });
    await withNetwork(context, async network => {
      const { out } = context;
      const found = await findResource(network, resource, context, timeout);
      const writing = found.capability(at.capability).write({ [at.name]: typed }, waiting(context, timeout));
      await out.progress(`waiting for the answer of ${at.device}`, writing);
      const { address } = found.info;
      out.result(
        { address, capability: at.capability, attribute: at.name, value: valueToJson(typed) },
        () => `${printable(address)} ${at.capability}.${at.name} is ${valueToText(attribute.type, typed)}`,
      );
    });
  },
});
