import { parseArgs } from 'node:util';

import { KINDS } from './kinds.js';

const DEFAULT_MINUTES = 5;
const MOST_MINUTES = 7 * 24 * 60;

/** What the command line asks for. */
export interface ChaosOptions {
  /** For all kinds together. */
  readonly minutes: number;
  readonly kinds: readonly string[];
  readonly json: boolean;
  /** Forgets what earlier runs have counted. */
  readonly fresh: boolean;
}

export const USAGE: string = `Does bad things to the real programs and looks whether what they promised holds. The tally is kept and goes on.

  npm run chaos -- [--minutes N] [--kind NAME] [--fresh] [--json]

  --minutes N   for all kinds together, above 0; ${DEFAULT_MINUTES} unless given
  --kind NAME   one of ${Object.keys(KINDS).join(', ')}; all of them unless given, one after the other
  --fresh       begins a new tally
  --json        one JSON value on standard output instead of a table
  --help        this text
`;

/** The options; or a sentence that says what is wrong with them, or that help is wanted. */
export function parseOptions(args: readonly string[]): ChaosOptions | { readonly wrong: string } | 'help' {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
        kind: { type: 'string' },
        fresh: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return 'help';
  const minutes = /^\d+(\.\d+)?$/.test(values.minutes) ? Number(values.minutes) : NaN;
  if (!(minutes > 0 && minutes <= MOST_MINUTES))
    return { wrong: `--minutes is ${values.minutes}; give a number above 0, at most ${MOST_MINUTES}` };
  const names = Object.keys(KINDS);
  if (values.kind !== undefined && !names.includes(values.kind))
    return { wrong: `--kind is ${values.kind}; there are ${names.join(', ')}` };
  return {
    minutes,
    kinds: values.kind === undefined ? names : [values.kind],
    json: values.json,
    fresh: values.fresh,
  };
}
