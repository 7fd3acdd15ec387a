import { parseArgs } from 'node:util';

import { TARGETS } from '../../test/fuzz/targets.js';
import type { Parsed } from '../crew.js';

/** What the command line asks for. */
export interface FuzzOptions {
  readonly targets: readonly string[];
  /** Of all targets together. */
  readonly inputs: number;
  /** The first seed; `undefined`: where the tally ended. */
  readonly seed: number | undefined;
  /** A file with one case, to run nothing but it. */
  readonly replay: string | undefined;
  /** Makes the corpus anew. */
  readonly distil: boolean;
  readonly processes: number | undefined;
  readonly json: boolean;
  /** Forgets what earlier runs have counted. */
  readonly fresh: boolean;
}

const USUAL_INPUTS = 1_000_000;
const MOST_INPUTS = 1e12;
const MOST_SEEDS = 2 ** 32;
const MOST_PROCESSES = 1_024;

const table = Object.entries(TARGETS)
  .map(([name, { about }]) => `    ${name.padEnd(18)} ${about}`)
  .join('\n');

export const USAGE: string = `Gives everything that reads bytes from strangers bytes that are almost right, and says what must not be and was.

  npm run fuzz -- [--inputs N] [--seed S] [--target NAME] [--processes N] [--replay FILE] [--distil] [--fresh] [--json]

  --inputs N      how many inputs, of all targets together; ${USUAL_INPUTS} unless given
  --seed S        what the inputs follow from; unless given, the run goes on where the tally ended
  --target NAME   one of those below; all of them unless given, one after the other
${table}
  --processes N   at most so many; as many as there are processors unless given
  --replay FILE   runs the one case in the file, of the target named
  --distil        makes the corpus in test/fuzz/corpus anew, of what it has and of what runs have found
  --fresh         begins a new tally
  --json          one JSON value on standard output instead of a table
  --help          this text

Progress goes to standard error. Ctrl-C ends it and prints the tally. The exit status is 1 if something was found.
`;

/** The options; or a sentence that says what is wrong with them, or that help is wanted. */
export function parseOptions(args: readonly string[]): Parsed<FuzzOptions> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        inputs: { type: 'string', default: String(USUAL_INPUTS) },
        seed: { type: 'string' },
        target: { type: 'string' },
        processes: { type: 'string' },
        replay: { type: 'string' },
        distil: { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return 'help';
  const names = Object.keys(TARGETS);
  const { target, replay } = values;
  if (target !== undefined && !names.includes(target))
    return { wrong: `--target is ${target}; there are ${names.join(', ')}` };
  if (replay !== undefined && target === undefined)
    return { wrong: '--replay needs --target: whose case it is' };
  for (const [option, text, least, most] of [
    ['--inputs', values.inputs, 1, MOST_INPUTS],
    ['--seed', values.seed, 0, MOST_SEEDS - 1],
    ['--processes', values.processes, 1, MOST_PROCESSES],
  ] as const)
    if (text !== undefined && !(/^\d{1,13}$/.test(text) && Number(text) >= least && Number(text) <= most))
      return { wrong: `${option} is ${text}; give an integer from ${least} to ${most}` };
  return {
    targets: target === undefined ? names : [target],
    inputs: Number(values.inputs),
    seed: values.seed === undefined ? undefined : Number(values.seed),
    replay,
    distil: values.distil,
    processes: values.processes === undefined ? undefined : Number(values.processes),
    json: values.json,
    fresh: values.fresh,
  };
}
