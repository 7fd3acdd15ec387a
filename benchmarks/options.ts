import { parseArgs } from 'node:util';

/** Fewer rounds than this give a median that one neighbour of the machine can move. */
const DEFAULT_ROUNDS = 5;
const MAX_ROUNDS = 1_000;

/** What the command line asks for. */
export interface BenchOptions {
  readonly json: boolean;
  readonly rounds: number;
  /** Shows that everything runs; the figures mean nothing. */
  readonly quick: boolean;
}

export const USAGE: string = `Compares commands over the cluster protocol with raw datagrams and with TLS 1.3, as ratios of the same round.

  npm run bench -- [--json] [--rounds N] [--quick]

  --json       one JSON value on standard output instead of a table
  --rounds N   rounds, 1 to ${MAX_ROUNDS}; ${DEFAULT_ROUNDS} unless given
  --quick      next to no work in each round: shows that everything runs, its figures mean nothing
  --help       this text
`;

/** The options; or a sentence that says what is wrong with them, or that help is wanted. */
export function parseOptions(args: readonly string[]): BenchOptions | { readonly wrong: string } | 'help' {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return 'help';
  const rounds = /^\d+$/.test(values.rounds) ? Number(values.rounds) : NaN;
  if (!(rounds >= 1 && rounds <= MAX_ROUNDS))
    return { wrong: `--rounds is ${values.rounds}; give a whole number from 1 to ${MAX_ROUNDS}` };
  return { json: values.json, quick: values.quick, rounds };
}
