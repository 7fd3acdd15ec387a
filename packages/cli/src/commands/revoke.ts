import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { waiting, withNetwork } from '../network.js';
import { option } from '../option.js';
import { printable } from '../printable.js';

/** `coconet revoke` */
export const revokeCommand: Command = defineCommand({
  name: 'revoke',
  group: 'network',
  summary: 'cuts a node off, for good',
  details: [
    'Its sessions end, all members learn of it, and the secret of the network changes. It can come back by a new invitation alone.',
  ],
  arguments: { node: argument.one('NODE', "name of a node, or its id as in '#17'") },
  options: { reason: option.text('TEXT', 'why; members can read it') },
  examples: [{ line: "coconet revoke Desk --reason 'sold it'", says: 'a device that is not ours any more' }],
  run: ({ node, reason }, context) =>
    withNetwork(context, async network => {
      const { out } = context;
      await out.progress('asking who is there', network.ready(waiting(context)));
      const { name, nodeId, kind } = network.node(node);
      await out.progress('waiting for the NMN', network.admin.revoke(nodeId, reason, waiting(context)));
      out.result({ nodeId, name, kind, revoked: true }, () => printable(`${name} (#${nodeId}) is revoked`));
    }),
});
