import { parseArgs } from 'node:util';

import { namesOf, SCENARIOS } from '../../test/simulation/scenarios.js';

/** What the command line asks for. */
export interface SimulateOptions {
  readonly scenarios: readonly string[];
  /** Of each scenario; `undefined`: as many as it usually has. */
  readonly seeds: number | undefined;
  /** The first seed; `undefined`: where the tally ended. */
  readonly base: number | undefined;
  readonly json: boolean;
  readonly chart: boolean;
  /** Folder for traces; `undefined`: there are none. */
  readonly qlog: string | undefined;
  /** Forgets what earlier runs have counted. */
  readonly fresh: boolean;
  readonly tally: string;
}

/** Seeds are unsigned numbers of 32 bits. */
const MOST_SEEDS = 2 ** 32;

const WIDTH = Math.max(...Object.keys(SCENARIOS).map(name => name.length));

const table = Object.entries(SCENARIOS)
  .map(([name, { about, usual }]) => `    ${name.padEnd(WIDTH)} ${about}; ${usual} seeds`)
  .join('\n');

export const USAGE: string = `Runs seeds of simulated worlds, with virtual time and bad luck, and says what must not be and was.

  npm run simulate -- [--scenario NAME] [--seeds N] [--seed BASE] [--chart] [--qlog FOLDER] [--resume FILE] [--fresh] [--json]

  --scenario NAME  one of those below, or the part before a slash for all that begin so; unless given, all but interop, one
                   after the other
${table}
  --seeds N        how many seeds of each scenario, in place of the number below
  --seed BASE      the first seed; unless given, those go on that the tally has not seen. Seeds of a given base are not
                   added to the tally
  --chart          draws a sequence chart (Mermaid) of each failing seed, or of the only one, into build/simulate/
  --qlog FOLDER    writes a qlog file of each endpoint of each failing seed, or of the only one, into FOLDER/NAME-SEED
  --resume FILE    the tally; build/simulate/tally.json unless given
  --fresh          begins a new tally
  --json           one JSON value on standard output instead of a table
  --help           this text

Progress goes to standard error. Ctrl-C ends it and prints the tally. The exit status is 1 if a seed failed.
`;

/** The options; or a sentence that says what is wrong with them, or that help is wanted. */
export function parseOptions(
  args: readonly string[],
  usualTally: string,
): SimulateOptions | { readonly wrong: string } | 'help' {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        scenario: { type: 'string' },
        seeds: { type: 'string' },
        seed: { type: 'string' },
        chart: { type: 'boolean', default: false },
        qlog: { type: 'string' },
        resume: { type: 'string', default: usualTally },
        fresh: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return 'help';
  const scenarios = namesOf(values.scenario);
  if (scenarios.length === 0)
    return { wrong: `--scenario is ${values.scenario}; there are ${Object.keys(SCENARIOS).join(', ')}` };
  for (const [option, text] of [
    ['--seeds', values.seeds],
    ['--seed', values.seed],
  ] as const)
    if (text !== undefined && !(/^\d{1,10}$/.test(text) && Number(text) < MOST_SEEDS))
      return { wrong: `${option} is ${text}; give an integer from 0 to 2^32 − 1` };
  return {
    scenarios,
    seeds: values.seeds === undefined ? undefined : Number(values.seeds),
    base: values.seed === undefined ? undefined : Number(values.seed),
    json: values.json,
    chart: values.chart,
    qlog: values.qlog,
    fresh: values.fresh,
    tally: values.resume,
  };
}
