import type { ArgumentSpec } from './argument.js';
import type { Context } from './context.js';
import { option, type OptionSpec } from './option.js';

/** Under which heading the overview lists a command. */
export const GROUPS = {
  try: 'try it',
  nmn: 'run a Network Management Node (NMN)',
  network: 'create a network and invite to it',
  use: 'use the devices of a network',
  look: 'see what is going on',
} as const;

/** One of {@link GROUPS}. */
export type Group = keyof typeof GROUPS;

/** A line that a person can type, and what it does. */
export interface Example {
  readonly line: string;
  readonly says: string;
}

/** Arguments by the names of their values, in the order in which they are typed. */
export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec<unknown>>>;
/** Options by the names of their values; see {@link flagOf}. */
export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;

/** The values of arguments or options, by the names in their specification. */
export type ValuesOf<Specs extends ArgumentSpecs | OptionSpecs> = {
  readonly [Name in keyof Specs]: ReturnType<Specs[Name]['read']>;
};

// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- exactly "an object with no known names"
type NoSpecs = {};

/** The options of every command. */
export const COMMON_OPTIONS = {
  json: option.flag('one JSON value on standard output, or one a line; everything else on standard error'),
  store: option.text(
    'FOLDER',
    'folder of this node; default: $COCONET_HOME, else ./.coconet/client, else the data folder of the system',
  ),
  help: option.flag('shows this'),
} satisfies OptionSpecs;

/** A command with everything that parsing and help need to know about it. */
export interface Command {
  /** One or two words, as typed. */
  readonly name: string;
  readonly group: Group;
  /** One line, without a full stop at its end. */
  readonly summary: string;
  /** Further paragraphs of its help, each filled to one line. */
  readonly details: readonly string[];
  readonly arguments: ArgumentSpecs;
  readonly options: OptionSpecs;
  readonly examples: readonly Example[];
  /** Runs it with values that were read by the specifications; fails by throwing. */
  readonly run: (values: CommandValues, context: Context) => Promise<void>;
}

/** What was given, read and checked. */
export interface CommandValues {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A command as it is written down: the types of its values come from its specifications. */
export interface CommandDefinition<Arguments extends ArgumentSpecs, Options extends OptionSpecs> {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  readonly details?: readonly string[];
  readonly arguments?: Arguments;
  readonly options?: Options;
  readonly examples: readonly [Example, ...Example[]];
  run(given: ValuesOf<Arguments> & ValuesOf<Options>, context: Context): Promise<void>;
}

/**
 * Makes a command of its definition. Names of arguments and options share one space.
 *
 * @example
 * export const pingCommand: Command = defineCommand({
 *   name: 'ping',
 *   arguments: { node: argument.one('NODE', 'name of a node, or #17 for a node id') },
 *   options: { count: option.count('how many; default 4') },
 *   run: async ({ node, count }, context) => { … },
 * });
 */
export function defineCommand<
  const Arguments extends ArgumentSpecs = NoSpecs,
  const Options extends OptionSpecs = NoSpecs,
>(definition: CommandDefinition<Arguments, Options>): Command {
  const { name, group, summary, details = [], examples } = definition;
  return {
    name,
    group,
    summary,
    details,
    examples,
    arguments: definition.arguments ?? {},
    options: definition.options ?? {},
    run: ({ arguments: words, options }, context) =>
      // The values were made by the `read` of these very specifications.
      definition.run({ ...words, ...options } as ValuesOf<Arguments> & ValuesOf<Options>, context),
  };
}

/** The flag of an option: `rootFile` is written `--root-file`. */
export const flagOf = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
