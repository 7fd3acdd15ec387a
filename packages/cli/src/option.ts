import { UsageError } from './errors.js';
import { suggestionFor } from './suggestion.js';

/** A `--word` of the command line. */
export interface OptionSpec<T> {
  /** What stands for the value in help; absent for a flag. */
  readonly placeholder?: string;
  readonly help: string;
  /** May be given several times. */
  readonly many: boolean;
  /** The typed value of what was given: no text when it was left out. `name` is for the error. */
  readonly read: (name: string, texts: readonly string[]) => T;
}

const LARGEST_PORT = 65_535;

/** `250ms`, `10s`, `2m`, or seconds without a unit. */
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Longest duration that a timer of Node can wait: 2^31 − 1 ms. */
const LONGEST = 2_147_483_647;

/** The kinds of options. */
export const option = {
  flag: (help: string): OptionSpec<boolean> => ({ help, many: false, read: (_, texts) => texts.length > 0 }),

  text: (placeholder: string, help: string): OptionSpec<string | undefined> => ({
    placeholder,
    help,
    many: false,
    read: (name, [text]) => {
      if (text === '')
        throw new UsageError(`--${name} is empty, but needs a value: --${name} ${placeholder}`);
      return text;
    },
  }),

  texts: (placeholder: string, help: string): OptionSpec<readonly string[]> => ({
    placeholder,
    help,
    many: true,
    read: (name, texts) => {
      if (texts.includes(''))
        throw new UsageError(`--${name} is empty, but needs a value: --${name} ${placeholder}`);
      return texts;
    },
  }),

  choice: <const Choice extends string>(
    choices: readonly Choice[],
    help: string,
  ): OptionSpec<Choice | undefined> => ({
    placeholder: choices.join('|'),
    help,
    many: false,
    read: (name, [text]) => {
      const chosen = choices.find(choice => choice === text);
      if (chosen === undefined && text !== undefined)
        throw new UsageError(
          `--${name} ${text} is not one of ${choices.join(', ')}`,
          suggestionFor(text, choices),
        );
      return chosen;
    },
  }),

  port: (help: string): OptionSpec<number | undefined> => ({
    placeholder: 'PORT',
    help,
    many: false,
    read: (name, [text]) => {
      if (text === undefined) return undefined;
      const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
      if (port > LARGEST_PORT)
        throw new UsageError(
          `--${name} ${text} is not a port: give a number from 1 to ${LARGEST_PORT}, or 0 for any free one`,
        );
      return port;
    },
  }),

  count: (help: string): OptionSpec<number | undefined> => ({
    placeholder: 'COUNT',
    help,
    many: false,
    read: (name, [text]) => {
      if (text === undefined) return undefined;
      const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
      if (count < 1) throw new UsageError(`--${name} ${text} is not a count: give a whole number from 1`);
      return count;
    },
  }),

  /** Milliseconds. */
  duration: (help: string): OptionSpec<number | undefined> => ({
    placeholder: 'TIME',
    help,
    many: false,
    read: (name, [text]) => {
      if (text === undefined) return undefined;
      const match = DURATION.exec(text);
      const duration = match === null ? Infinity : Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1);
      if (duration > LONGEST || duration < 1)
        throw new UsageError(
          `--${name} ${text} is not a duration: give it as 500ms, 10s or 2m, up to 24 days`,
        );
      return duration;
    },
  }),
};
