import type { NodeInfo } from '@coconet/client-sdk';

import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { awaitNews, describePath, withNetwork } from '../network.js';
import { spanText } from '../value-lines.js';

/** In which order people look for nodes. */
const KINDS: readonly NodeInfo['kind'][] = ['nmn', 'device', 'client', 'service'];

/** `coconet nodes` */
export const nodesCommand: Command = defineCommand({
  name: 'nodes',
  group: 'use',
  summary: 'lists the nodes of the network, with presence and path',
  examples: [{ line: 'coconet nodes', says: 'who is in the network, who is there, and how data gets there' }],
  run: (_, context) =>
    withNetwork(context, async network => {
      const { out } = context;
      await awaitNews(network, context, 'asking who is there');
      const nodes = network.nodes();
      const isNews = network.nmn === 'connected';
      out.result(nodes, () =>
        out.table(
          ['NAME', 'ID', 'KIND', 'ROLE', 'STATE', 'PATH'],
          [...nodes]
            .sort(inOrder)
            .map(node => [
              node.name,
              `#${node.nodeId}`,
              node.kind,
              node.role === 'none' ? '-' : node.role,
              stateOf(node, isNews),
              describePath(node.path),
            ]),
        ),
      );
    }),
});

/** This node first, then kind by kind, by name. */
const inOrder = (a: NodeInfo, b: NodeInfo): number =>
  Number(b.self) - Number(a.self) ||
  KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
  (a.name < b.name ? -1 : 1);

function stateOf({ self, online, kind, lastSeen }: NodeInfo, isNews: boolean): string {
  if (self) return 'this node';
  if (online) return 'online';
  // Only the NMN knows who is away; of itself it says nothing then.
  if (!isNews && kind !== 'nmn') return 'not known';
  if (lastSeen === null) return 'away';
  return `away, seen ${spanText((Date.now() - lastSeen.getTime()) / 1_000)} ago`;
}
