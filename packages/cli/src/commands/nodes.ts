import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { describePath, waiting, withNetwork } from '../network.js';

/** `coconet nodes` */
export const nodesCommand: Command = defineCommand({
  name: 'nodes',
  group: 'use',
  summary: 'lists the nodes of the network, with presence and path',
  examples: [{ line: 'coconet nodes', says: 'who is in the network, who is there, and how data gets there' }],
  run: (_, context) =>
    withNetwork(context, async network => {
      const { out } = context;
      await out.progress('asking who is there', network.ready(waiting(context)));
      const nodes = network.nodes();
      out.result(nodes, () =>
        out.table(
          ['NAME', 'ID', 'KIND', 'ROLE', 'STATE', 'PATH'],
          nodes.map(node => [
            node.name,
            `#${node.nodeId}`,
            node.kind,
            node.role === 'none' ? '-' : node.role,
            node.self ? 'this node' : node.online ? 'online' : 'away',
            describePath(node.path),
          ]),
        ),
      );
    }),
});
