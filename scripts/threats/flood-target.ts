/* The process under attack: a member that echoes. Arguments: seed, time of the network. Answers each line on stdin. */
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { openFloodNetwork, SERVICE, startMember } from './flood-network.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const [seed, madeAt] = process.argv.slice(2).map(Number);
const { host, network } = await openFloodNetwork(seed!, madeAt!);
const { node, running } = await startMember(host, network, 'lamp', undefined, event => {
  if (event.kind !== 'message') return;
  node.send(host.now(), event.peer, SERVICE, event.bytes);
  running.turn();
});
process.stdout.write(`${JSON.stringify({ port: running.links[0]!.port })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'collect') collect();
  const { user, system } = process.cpuUsage();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.stdout.write(
    `${JSON.stringify({ cpuMs: (user + system) / 1_000, held: heapUsed + external, rss, drops: node.drops.snapshot() })}\n`,
  );
}
await running.close();
