import type { Network, NodeExplanation } from '@coconet/client-sdk';

import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { awaitNews, formatMs, withNetwork } from '../network.js';
import type { Output } from '../output.js';
import { printable } from '../printable.js';

/** How long a session with the node is waited for: 3 s. */
const SESSION_PATIENCE = 3_000;

/** `coconet explain` */
export const explainCommand: Command = defineCommand({
  name: 'explain',
  group: 'look',
  summary: 'says why the path to a node is what it is',
  arguments: { node: argument.one('NODE', "name of a node, or its id as in '#17'") },
  examples: [{ line: 'coconet explain Desk', says: 'direct or relayed, why, how fast, and what was tried' }],
  run: ({ node }, context) =>
    withNetwork(context, async network => {
      const { out } = context;
      await awaitNews(network, context, 'asking who is there');
      const { nodeId, self, name } = network.node(node);
      if (self)
        throw new CliError('NOTHING_TO_EXPLAIN', `${name} is this node itself: there is no path to it`, {
          next: '`coconet nodes` shows the others',
        });
      await out.progress('reaching the node', reach(network, nodeId, context));
      const explanation = await network.explain(nodeId);
      out.result(explanation, () => describe(out, explanation));
    }),
});

/** Sees to it that there is a session to explain, if it can be had. */
async function reach(network: Network, nodeId: number, { signal }: Context): Promise<void> {
  if (network.node(nodeId).self) return;
  for await (const reply of network.ping(nodeId, { count: 1, timeout: SESSION_PATIENCE, signal }))
    if (reply.rtt !== null) return;
}

function describe(out: Output, explanation: NodeExplanation): string {
  const { name, nodeId, sentence, path, scope, rtt, tried, nextTry } = explanation;
  const facts: readonly (readonly [string, string])[] = [
    ['path', path === null ? 'none' : `${path}${scope === null ? '' : ` (${scope})`}`],
    ['round trip', rtt === null ? 'not measured' : formatMs(rtt)],
    [
      'sent',
      `${explanation.sentBytes} bytes in ${explanation.sentPackets} packets, ${explanation.lostPackets} lost`,
    ],
    ...(explanation.shapedBytes > 0
      ? [['shaped', `${explanation.shapedBytes} bytes dropped by the relay, above its rate`] as const]
      : []),
    ['received', `${explanation.receivedBytes} bytes`],
    ['datagrams', path === null ? 'none' : `up to ${explanation.mtu} bytes`],
    ['waiting', `${explanation.waitingMessages} messages`],
    ['next try', nextTry === null ? 'not needed' : `in ${Math.round(nextTry / 1_000)} s`],
    ['NMN', explanation.nmn],
    ['seen as', explanation.seenAs.length === 0 ? 'not known' : explanation.seenAs.join(', ')],
  ];
  const lines = facts.map(([term, text]) => `  ${term.padEnd(12)}${text}`);
  const attempts =
    tried.length === 0
      ? []
      : [
          '',
          out.table(
            ['TRIED', 'KIND', 'STATE', 'RESULT', 'PROBES'],
            tried.map(({ address, kind, state, lastResult, probes }) => [
              address,
              kind,
              state,
              lastResult,
              String(probes),
            ]),
          ),
        ];
  return [
    `${out.style('bold', printable(`${name} (#${nodeId})`))}: ${printable(sentence)}`,
    ...lines,
    ...attempts,
  ].join('\n');
}
