import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { withNetwork } from '../network.js';
import { askNmn, isNmnRunning, nearNmnFolder, NMN_NEAR } from '../nmn-admin.js';
import { holdsAnything } from '../store.js';

interface Entry {
  readonly networkId: string;
  readonly name: string | null;
  /** This node's membership in it. */
  readonly member: { readonly nodeId: number; readonly name: string; readonly role: string } | null;
  /** An NMN on this machine serves it. */
  readonly served: boolean;
}

/** `coconet network list` */
export const networkListCommand: Command = defineCommand({
  name: 'network list',
  group: 'network',
  summary: 'lists the network of this node, and those that the NMN on this machine serves',
  options: { data: NMN_NEAR },
  examples: [{ line: 'coconet network list', says: 'which networks there are here' }],
  run: async ({ data }, context) => {
    const { out, signal } = context;
    const folder = nearNmnFolder(data, context);
    // Who names an NMN wants to hear that it is not there.
    const asked = data !== undefined || (await isNmnRunning(folder, signal));
    const summaries = asked ? await askNmn(folder, signal, admin => admin.listNetworks()) : [];
    const served = summaries.map(({ network, name }) => ({ networkId: network, name }));
    const own = await ownNetwork(context);
    const entries: readonly Entry[] = [
      ...served.map(network => ({
        ...network,
        member: own?.networkId === network.networkId ? own.member : null,
        served: true,
      })),
      ...(own === undefined || served.some(({ networkId }) => networkId === own.networkId)
        ? []
        : [{ networkId: own.networkId, name: null, member: own.member, served: false }]),
    ];
    out.result(entries, () =>
      out.table(
        ['NETWORK', 'NAME', 'THIS NODE', 'ROLE', 'NMN'],
        entries.map(({ networkId, name, member, served: here }) => [
          networkId,
          name ?? '-',
          member === null ? '-' : `${member.name} (#${member.nodeId})`,
          member?.role ?? '-',
          here ? 'this machine' : 'elsewhere',
        ]),
      ),
    );
    if (entries.length === 0 && !out.json) out.note('no networks; `coconet network create NAME` makes one');
  },
});

async function ownNetwork(context: Context): Promise<Pick<Entry, 'networkId' | 'member'> | undefined> {
  if (!(await holdsAnything(context.store.path))) return undefined;
  return withNetwork(context, async ({ networkId, nodeId, name, role }) => ({
    networkId,
    member: { nodeId, name, role },
  }));
}
