import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { askNmn, nearNmnFolder, NMN_NEAR } from '../nmn-admin.js';
import { describeDrops } from '../drops.js';
import { printable } from '../printable.js';

/** `coconet nmn status` */
export const nmnStatusCommand: Command = defineCommand({
  name: 'nmn status',
  group: 'nmn',
  summary: 'shows how the NMN on this machine is doing',
  options: { data: NMN_NEAR },
  examples: [{ line: 'coconet nmn status', says: 'where it listens, how it is, whom it serves' }],
  run: async ({ data }, context) => {
    const { out, signal } = context;
    const folder = nearNmnFolder(data, context);
    const [status, networks] = await askNmn(folder, signal, admin =>
      Promise.all([admin.status(), admin.listNetworks()]),
    );
    out.result({ ...status, data: folder, networks }, () => {
      const facts: readonly (readonly [string, string])[] = [
        ['health', status.health],
        ['UDP port', String(status.port)],
        [
          'HTTP',
          status.httpPort === undefined ? 'off' : `http://127.0.0.1:${status.httpPort}/health and /metrics`,
        ],
        ['sessions', String(status.sessions)],
        ['dropped', describeDrops(status.dropped)],
        ['process', String(status.pid)],
        ['data', folder],
      ];
      const lines = facts.map(([term, text]) => `${term.padEnd(10)}${printable(text)}`);
      if (networks.length === 0) return [...lines, 'no networks yet'].join('\n');
      const rows = networks.map(({ network, name, members, online }) => [
        network,
        name,
        `${online} of ${members}`,
      ]);
      return [...lines, '', out.table(['NETWORK', 'NAME', 'ONLINE'], rows)].join('\n');
    });
  },
});
