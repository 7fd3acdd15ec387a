import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { awaitNews, describePath, withNetwork } from '../network.js';
import { printable } from '../printable.js';

/** `coconet up` */
export const upCommand: Command = defineCommand({
  name: 'up',
  group: 'use',
  summary: 'keeps this node connected until Ctrl-C and shows who comes and goes',
  details: [
    'Other commands on the same store then use this node through it, at once and without connecting again.',
  ],
  examples: [
    { line: 'coconet up', says: 'in a terminal of its own' },
    { line: 'coconet up --json', says: 'the same for a program: a line for each change' },
  ],
  run: (_, context) =>
    withNetwork(context, async network => {
      const { out, signal } = context;
      out.note(
        `up as ${printable(network.name)} (#${network.nodeId}) in network ${network.networkId}; Ctrl-C ends it`,
      );
      // Else everybody comes as away first, and as online a moment later.
      await awaitNews(network, context, 'asking who is there');
      for await (const { change, node } of network.watchNodes({ signal })) {
        out.result({ change, node }, () => {
          const state = node.self ? 'this node' : node.online ? out.style('green', 'online') : 'away';
          const path = node.path === null ? '' : `, ${describePath(node.path)}`;
          const word = change === 'removed' ? out.style('red', 'removed') : `${state}${path}`;
          return `${printable(node.name)} (#${node.nodeId}): ${word}`;
        });
      }
    }),
});
