import { parseArgs } from 'node:util';

/** What the command line says. */
export interface Options {
  /** Ends by itself when everything has been shown to work. */
  readonly once: boolean;
  readonly json: boolean;
  /** Where everything is kept; `undefined`: in a temporary folder that goes away at the end. */
  readonly folder: string | undefined;
  readonly help: boolean;
}

/** How to use the program. */
export const USAGE = `usage: npm start -- [--once] [--json] [--keep [--folder FOLDER]]

Starts an NMN, this computer as a device, and an app, each a process, and shows what they do.

  --once           ends by itself, with status 0 when everything worked, else 1
  --json           one JSON object a line on standard output; the last one of --once tells how it went
  --keep           keeps network and identities in FOLDER, and goes on with them next time
  --folder FOLDER  for --keep (default: .coconet/main-job)

example: npm start -- --once --json
Ctrl-C ends it with status 130, SIGTERM with 0.
`;

/** Reads it. Throws a `TypeError` that names what is wrong. */
export function readOptions(words: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      folder: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.folder !== undefined && !values.keep)
    throw new TypeError('--folder is for --keep: without it everything is temporary');
  return {
    once: values.once,
    json: values.json,
    folder: values.keep ? (values.folder ?? '.coconet/main-job') : undefined,
    help: values.help,
  };
}
