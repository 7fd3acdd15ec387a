import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';

import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { askNmn, NMN_DATA, nmnFolder } from '../nmn-admin.js';
import { option } from '../option.js';
import { printable } from '../printable.js';
import { describeStore, holdsAnything } from '../store.js';

/** `coconet network create` */
export const networkCreateCommand: Command = defineCommand({
  name: 'network create',
  group: 'network',
  summary: 'creates a network, with this user as its owner',
  details: [
    'The root key of the network and the identity of its owner are made in this process. The root key goes to a file, mode 0600, and nowhere else: keep it offline. The identity goes to the store.',
    'When no answer came, the same command finishes what was begun.',
    'On the machine of the NMN this goes through its local socket; elsewhere with a one-time URI from coconet nmn operator.',
  ],
  arguments: { name: argument.one('NAME', 'name of the network, for people') },
  options: {
    rootFile: option.text('FILE', 'where the root key goes; default: coconet-root-NAME.key in this folder'),
    operator: option.text('URI', 'what `coconet nmn operator` has printed, for an NMN on another machine'),
    data: NMN_DATA,
    user: option.text('NAME', 'who owns it; default: the name of this user'),
    nodeName: option.text('NAME', 'name of this node in it; default: user@machine'),
  },
  examples: [
    {
      line: 'coconet network create home --root-file /media/stick/home.key',
      says: 'on the machine of the NMN',
    },
    { line: "coconet network create home --operator 'coconet-operator://…'", says: 'elsewhere' },
  ],
  run: async ({ name, rootFile, operator, data, user = userName(), nodeName }, context) => {
    const { out, signal, store, surroundings } = context;
    const file = resolve(
      surroundings.folder,
      rootFile ?? `coconet-root-${name.replace(/[^\w.-]+/g, '-')}.key`,
    );
    const uri =
      operator ?? (await askNmn(nmnFolder(data, surroundings), signal, admin => admin.operatorToken()));
    const { createNetwork } = await import('@coconet/client-sdk');
    const hadStore = await holdsAnything(store.path);
    const hadFile = existsSync(file);
    const creating = createNetwork({
      name,
      user,
      nodeName: nodeName ?? `${user}@${hostname()}`,
      store: store.path,
      rootFile: file,
      signal,
      operator: uri,
    });
    const created = await out.progress('waiting for the NMN', creating).catch(async (error: unknown) => {
      // With a root key of ours the network may be there, and the store finishes its creation.
      const isNothing = hadFile || !existsSync(file);
      if (isNothing && !hadStore) await rm(store.path, { recursive: true, force: true });
      throw error;
    });
    out.result({ ...created, rootFile: file, store: store.path }, () =>
      printable(`created ${created.name} (${created.networkId}); you are its owner, node #${created.nodeId}`),
    );
    if (out.json) return;
    out.note(`root key: ${file} — keep it offline; whoever has it owns the network`);
    out.note(`identity: ${describeStore(store)}`);
    out.note('next: `coconet invite device`, then `coconet nodes`');
  },
});

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'owner'; // A user without an entry in the system's list, as in some containers.
  }
}
