import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** What the command line and the environment say. */
export interface Options {
  readonly name: string;
  readonly join: string | undefined;
  readonly store: string;
  readonly json: boolean;
  readonly help: boolean;
}

/** How to use the program. */
export const USAGE = `usage: host-monitor [--name NAME] [--join URI] [--store FOLDER] [--json]

Makes this computer a device of a Coconet network: its load, memory, disk, temperature, network and battery.

  --name NAME     wanted name in the network (default: this computer's)
  --join URI      invitation, needed at the first start (default: $COCONET_JOIN)
  --store FOLDER  where its identity is kept (default: $COCONET_HOME/host-monitor, else .coconet/host-monitor)
  --json          one JSON object a line, as when standard output is no terminal

example: npx coconet dev -- node --import=./packages/cli/bin/source.js examples/host-monitor/src/main.ts
`;

/** Reads them. Throws a `TypeError` that names what is wrong. */
export function readOptions(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  hostname: string,
): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      name: { type: 'string' },
      join: { type: 'string' },
      store: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { COCONET_HOME: home, COCONET_JOIN: invitation } = environment;
  return {
    // A slash would cut the name in an address; a host's domain is of no use to anybody here.
    name: values.name ?? (hostname.split('.')[0]?.replaceAll('/', '-') || 'computer'),
    join: values.join ?? (invitation === '' ? undefined : invitation),
    store: values.store ?? join(home === undefined || home === '' ? '.coconet' : home, 'host-monitor'),
    json: values.json,
    help: values.help,
  };
}
