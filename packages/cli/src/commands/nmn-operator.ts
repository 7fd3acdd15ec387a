import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { askNmn, NMN_DATA, nmnFolder } from '../nmn-admin.js';

/** `coconet nmn operator` */
export const nmnOperatorCommand: Command = defineCommand({
  name: 'nmn operator',
  group: 'nmn',
  summary: 'makes a one-time URI with which somebody elsewhere creates a network on this NMN',
  options: { data: NMN_DATA },
  examples: [
    { line: 'coconet nmn operator', says: 'then, elsewhere: coconet network create NAME --operator URI' },
  ],
  run: async ({ data }, { out, signal, surroundings }) => {
    const uri = await askNmn(nmnFolder(data, surroundings), signal, admin => admin.operatorToken());
    out.result({ uri }, uri);
    if (!out.json) out.note("works once, within the hour: coconet network create NAME --operator 'URI'");
  },
});
