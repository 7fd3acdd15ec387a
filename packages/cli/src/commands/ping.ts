import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { CliError } from '../errors.js';
import { awaitNews, describePath, formatMs, withNetwork } from '../network.js';
import { option } from '../option.js';
import { printable } from '../printable.js';

const DEFAULT_COUNT = 4;

/** `coconet ping` */
export const pingCommand: Command = defineCommand({
  name: 'ping',
  group: 'look',
  summary: 'measures the way to a node and back',
  arguments: { node: argument.one('NODE', "name of a node, or its id as in '#17'") },
  options: {
    count: option.count(`how many; default ${DEFAULT_COUNT}`),
    interval: option.duration('between two of them, as in 200ms; default 1s'),
    timeout: option.duration('how long to wait for each answer; default 2s'),
  },
  examples: [
    { line: 'coconet ping Desk', says: 'four times, once a second' },
    { line: 'coconet ping Desk --count 100 --interval 10ms', says: 'quickly, a hundred times' },
  ],
  run: ({ node, count = DEFAULT_COUNT, interval, timeout }, context) =>
    withNetwork(context, async network => {
      const { out, signal } = context;
      await awaitNews(network, context, 'asking who is there');
      const { name, nodeId } = network.node(node);
      const times: number[] = [];
      let sent = 0;
      for await (const reply of network.ping(nodeId, { count, interval, timeout, signal })) {
        sent++;
        if (reply.rtt !== null) times.push(reply.rtt);
        out.result({ node: name, nodeId, ...reply }, () =>
          reply.rtt === null
            ? `${printable(name)}: no answer to ping ${reply.sequence}`
            : `${printable(name)}: ${formatMs(reply.rtt)}, ${describePath(reply.path && { ...reply.path, rtt: null })}`,
        );
      }
      if (signal.aborted && sent === 0) return;
      if (times.length === 0)
        throw new CliError('NO_ANSWER', `${name} answered none of ${sent} pings`, {
          next: `coconet explain '${name}' says what was tried, coconet nodes whether it is there`,
        });
      if (!out.json)
        out.note(
          `${times.length} of ${sent} answered; fastest ${formatMs(Math.min(...times))}, slowest ${formatMs(Math.max(...times))}`,
        );
    }),
});
