import { parseArgs } from 'node:util';

import {
  COMMON_OPTIONS,
  flagOf,
  type Command,
  type CommandValues,
  type OptionSpecs,
  type ValuesOf,
} from './command.js';
import { UsageError } from './errors.js';
import { suggestionFor } from './suggestion.js';
import { usageOf } from './usage.js';

/** A command line that is right. */
export interface ParsedLine {
  readonly values: CommandValues;
  readonly common: ValuesOf<typeof COMMON_OPTIONS>;
}

/** A word that begins like a negative number is a value and no option: `coconet set Desk/heater level.level -5`. */
const NEGATIVE = /^-\.?\d/;

/**
 * Reads the words after the command's name. Throws {@link UsageError} with what is wrong and what would be right; nothing
 * is checked behind `--help`.
 */
export function parseLine(command: Command, words: readonly string[]): ParsedLine {
  const options: OptionSpecs = { ...command.options, ...COMMON_OPTIONS };
  const names = new Map(Object.keys(options).map(name => [flagOf(name), name]));
  const given = new Map<string, string[]>();
  const plain: string[] = [];
  let behind: string[] | undefined;

  for (const token of tokensOf(words, options)) {
    if (token.kind === 'option-terminator') behind = [];
    else if (token.kind === 'positional') (behind ?? plain).push(words[token.index] ?? '');
    else {
      const name = names.get(token.name);
      if (name === 'help') return helpLine(options);
      const spec = name === undefined ? undefined : options[name];
      if (name === undefined || spec === undefined)
        throw unknownOption(command, token.rawName, [...names.keys()]);
      const text = optionText(token, words, spec.placeholder);
      const texts = given.get(name) ?? [];
      if (texts.length > 0 && !spec.many) throw wrong(command, `--${token.name} is given twice`);
      given.set(name, [...texts, text]);
    }
  }
  const read = Object.fromEntries(
    Object.entries(options).map(([name, spec]) => [name, spec.read(flagOf(name), given.get(name) ?? [])]),
  );
  const { json, store, help, ...own } = read;
  return {
    values: { arguments: readArguments(command, plain, behind), options: own },
    common: {
      json: json === true,
      store: typeof store === 'string' ? store : undefined,
      help: help === true,
    },
  };
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

function tokensOf(words: readonly string[], options: OptionSpecs): readonly Token[] {
  const { tokens } = parseArgs({
    // The space hides a number from the parser; values are taken from `words`.
    args: words.map(word => (NEGATIVE.test(word) ? ` ${word}` : word)),
    options: Object.fromEntries(
      Object.entries(options).map(([name, { placeholder }]) => [
        flagOf(name),
        {
          type: placeholder === undefined ? ('boolean' as const) : ('string' as const),
          ...(name === 'help' && { short: 'h' }),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens;
}

function optionText(token: OptionToken, words: readonly string[], placeholder: string | undefined): string {
  const flag = `--${token.name}`;
  if (placeholder === undefined) {
    if (token.value !== undefined)
      throw new UsageError(`${flag} takes no value, but was given '${token.value}'`);
    return '';
  }
  if (token.value === undefined) throw new UsageError(`${flag} needs a value: ${flag} ${placeholder}`);
  if (token.inlineValue) return token.value;
  const text = words[token.index + 1] ?? '';
  if (text.startsWith('-') && text !== '-' && !NEGATIVE.test(text))
    throw new UsageError(
      `${flag} needs a value, but is followed by ${text}: ${flag} ${placeholder}`,
      `a value that begins with a dash is written ${flag}=${text}`,
    );
  return text;
}

function readArguments(
  command: Command,
  plain: readonly string[],
  behind: readonly string[] | undefined,
): Record<string, unknown> {
  const specs = Object.entries(command.arguments);
  const takesBehind = specs.some(([, { behindDashes }]) => behindDashes);
  const words = takesBehind ? [...plain] : [...plain, ...(behind ?? [])];
  const values: Record<string, unknown> = {};
  for (const [name, spec] of specs) {
    const taken = spec.behindDashes ? (behind ?? []) : words.splice(0, spec.many ? Infinity : 1);
    if (taken.length === 0 && spec.required) throw wrong(command, `${spec.placeholder} is missing`);
    const empty = !spec.behindDashes && taken.includes('');
    if (empty && spec.required && !spec.many && spec.placeholder !== 'VALUE')
      throw wrong(command, `${spec.placeholder} is empty`);
    values[name] = spec.read(taken);
  }
  const extra = words[0];
  if (extra === undefined) return values;
  throw takesBehind
    ? wrong(command, `'${extra}' stands where no argument belongs; a command to run comes after --`)
    : wrong(command, `'${extra}' is one argument too many`);
}

function helpLine(options: OptionSpecs): ParsedLine {
  const nothing = { json: false, store: undefined, help: true };
  return { values: { arguments: {}, options }, common: nothing };
}

const wrong = (command: Command, what: string): UsageError =>
  new UsageError(what, `usage: ${usageOf(command)}`);

function unknownOption(command: Command, written: string, known: readonly string[]): UsageError {
  const nearest = suggestionFor(written.replace(/^-+/, ''), known, '--');
  return new UsageError(
    `coconet ${command.name} has no option ${written}${nearest === undefined ? '' : `; ${nearest}`}`,
    `coconet ${command.name} --help lists its options`,
  );
}
