import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface ThreatOptions {
  /** Rows of the threat model; empty: all. */
  readonly only: readonly string[];
  /** Which part of each full count. */
  readonly share: number;
  readonly json: boolean;
}

export const USAGE = `Attacks the product as the threat model says, with full counts, and says what held.

  npm run threats -- [--only T8,T5] [--share F] [--json]

  --only ROWS   rows of the threat model, separated by commas
  --share F     a part of each count, above 0 up to 1; 1 unless given
  --json        one JSON value on standard output instead of a table
  --help        this text

Progress goes to standard error. The exit status is 1 if anything happened that must not.
`;

/** The options; or a sentence that says what is wrong with them, or that help is wanted. */
export function parseOptions(
  args: readonly string[],
  known: ReadonlySet<string>,
): ThreatOptions | { readonly wrong: string } | 'help' {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', default: '' },
        share: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return 'help';
  const only = values.only.split(',').filter(row => row !== '');
  const stranger = only.find(row => !known.has(row));
  if (stranger !== undefined)
    return { wrong: `--only names ${stranger}; there are exercises for ${[...known].join(', ')}` };
  const share = Number(values.share);
  if (!(share > 0 && share <= 1))
    return { wrong: `--share is ${values.share}; give a number above 0, up to 1` };
  return { only, share, json: values.json };
}
