import { rm } from 'node:fs/promises';

import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { option } from '../option.js';
import { printable } from '../printable.js';
import { describeStore, holdsAnything } from '../store.js';

/** `coconet join` */
export const joinCommand: Command = defineCommand({
  name: 'join',
  group: 'network',
  summary: 'joins a network as an app, by an invitation',
  details: [
    'While the NMN does not answer, it goes on trying until it does. Devices join by themselves: give their program the URI as COCONET_JOIN.',
  ],
  arguments: {
    uri: argument.one('URI', "what `coconet invite client` has printed, in quotes: 'coconet://…'"),
  },
  options: { name: option.text('NAME', 'name of this node in the network; default: that of the invitation') },
  examples: [
    {
      line: "coconet join 'coconet://192.0.2.1:28620/#v=1&net=…&key=…&claim=…'",
      says: 'this user becomes a member',
    },
    { line: "coconet join 'coconet://…' --store ./phone", says: 'with an identity in a folder of its own' },
  ],
  run: async ({ uri, name }, context) => {
    const { out, signal, store } = context;
    const { parseJoinUri, ClusterError } = await import('@coconet/cluster-protocol');
    // Before anything is made: a wrong URI leaves no folder behind.
    const wanted = parseJoinUri(uri);
    const existed = await holdsAnything(store.path);
    const { connect } = await import('@coconet/client-sdk');
    try {
      const joining = connect({
        join: uri,
        store: store.path,
        signal,
        onNotice: text => out.note(text),
        ...(name !== undefined && { name }),
      });
      const network = await out.progress('joining', joining);
      const { networkId, nodeId, name: given, role } = network;
      await network.close();
      const title = wanted.name === undefined ? networkId : `${wanted.name} (${networkId})`;
      out.result({ networkId, nodeId, name: given, role, store: store.path }, () =>
        printable(`joined ${title} as ${given} (#${nodeId}), ${role}`),
      );
      if (!out.json)
        out.note(`the identity is in ${describeStore(store)}; \`coconet nodes\` shows who is there`);
    } catch (error) {
      // A claim that was refused is bound to nothing; any other failure may have used it, and needs the keys again.
      const refused = error instanceof ClusterError && error.code === 'JOIN_REFUSED';
      if (refused && !existed) await rm(store.path, { recursive: true, force: true });
      throw error;
    }
  },
});
