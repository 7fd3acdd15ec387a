import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

import { MUTANTS } from './catalogue.js';
import type { Mutant } from './mutant.js';

/** What the command line asks for. */
export interface MutantsOptions {
  readonly mutants: readonly Mutant[];
  /** Whether these are all there are. */
  readonly all: boolean;
  readonly list: boolean;
  readonly json: boolean;
  /** Processes of tests at a time. */
  readonly jobs: number;
}

const MOST_JOBS = 64;

export const USAGE: string = `Plants faults in the core, one at a time, and says which of them the tests find.

  npm run mutants -- [--only NAME] [--jobs N] [--list] [--json]

  --only NAME  the faults whose name holds this text; all ${MUTANTS.length} of them unless given
  --jobs N     so many tests at a time; as many as there are processors unless given
  --list       prints the names and plants nothing
  --json       one JSON value on standard output instead of a table
  --help       this text

Progress goes to standard error. Ctrl-C ends it and prints what was found so far. The exit status is 1 if fewer than 48 of 50
faults are found (with --only: if one is not), or if the tests fail without any.
`;

/** The options; or a sentence that says what is wrong with them, or that help is wanted. */
export function parseOptions(args: readonly string[]): MutantsOptions | { readonly wrong: string } | 'help' {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        jobs: { type: 'string' },
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return 'help';
  const { only, jobs = String(availableParallelism()), list, json } = values;
  if (!/^\d{1,2}$/.test(jobs) || Number(jobs) < 1 || Number(jobs) > MOST_JOBS)
    return { wrong: `--jobs is ${jobs}; give an integer from 1 to ${MOST_JOBS}` };
  const mutants = MUTANTS.filter(({ name }) => only === undefined || name.includes(only));
  if (mutants.length === 0) return { wrong: `--only is ${only}; no fault has a name with it, see --list` };
  return { mutants, all: only === undefined, list, json, jobs: Number(jobs) };
}
