import { COMMON_OPTIONS, flagOf, GROUPS, type Command, type Group } from './command.js';
import type { OptionSpec } from './option.js';
import { usageParts } from './usage.js';

/** Columns of help: what a terminal has that nobody has touched. */
const WIDTH = 80;
const LONGEST_TERM = 26;

/** What the tool reads of its environment. */
const ENVIRONMENT = [
  ['COCONET_HOME', 'folder of this node where --store says none'],
  [
    'COCONET_QLOG',
    'folder into which every endpoint of a program writes what happens inside it, as qlog (.sqlog): packets, losses, paths; no keys, no contents',
  ],
] as const;

/** Help of one command. */
export function commandHelp(command: Command): string {
  const words = Object.values(command.arguments).map(({ placeholder, help }) => [placeholder, help] as const);
  const own = Object.entries(command.options).map(optionRow);
  const common = Object.entries<OptionSpec<unknown>>(COMMON_OPTIONS).map(optionRow);
  const sections = [
    filled(`${capitalised(command.summary)}.`),
    ...command.details.map(paragraph => filled(paragraph)),
    `usage: ${usageLines(command)}`,
    ...(words.length > 0 ? [`arguments:\n${rows(words)}`] : []),
    `options:\n${rows([...own, ...common])}`,
    `${command.examples.length === 1 ? 'example' : 'examples'}:\n${examplesOf(command)}`,
  ];
  return `${sections.join('\n\n')}\n`;
}

/** Help of the tool as a whole. */
export function overview(commands: readonly Command[]): string {
  const groups = (Object.keys(GROUPS) as Group[]).map(group => {
    const members = commands.filter(command => command.group === group);
    return `${GROUPS[group]}:\n${rows(members.map(({ name, summary }) => [name, summary] as const))}`;
  });
  const sections = [
    'coconet: a private network of your devices and apps, encrypted from end to end.',
    'usage: coconet COMMAND [options]',
    ...groups,
    `every command:\n${rows(Object.entries<OptionSpec<unknown>>(COMMON_OPTIONS).map(optionRow))}`,
    `environment:\n${rows(ENVIRONMENT)}`,
    'exit status: 0 done, 1 failed, 2 used wrongly, 130 after Ctrl-C',
    'examples:\n  # a network on this machine, with this device in it\n  $ coconet dev -- node lamp.js\n' +
      '  # what a command does and how it is typed\n  $ coconet call --help',
  ];
  return `${sections.join('\n\n')}\n`;
}

/** Help of the commands that share a first word. */
export function groupHelp(word: string, commands: readonly Command[]): string {
  const members = commands.filter(({ name }) => name.startsWith(`${word} `));
  const table = rows(members.map(({ name, summary }) => [name, summary] as const));
  return `usage: coconet ${word} COMMAND [options]\n\ncommands:\n${table}\n\ncoconet ${word} COMMAND --help says more.\n`;
}

const optionRow = ([name, { placeholder, help }]: readonly [string, OptionSpec<unknown>]): readonly [
  string,
  string,
] => [`--${flagOf(name)}${placeholder === undefined ? '' : ` ${placeholder}`}`, help];

const examplesOf = ({ examples }: Command): string =>
  examples.map(({ line, says }) => `  # ${says}\n  $ ${line}`).join('\n');

/** No space of a part may end a line. */
const usageLines = (command: Command): string =>
  filled(usageParts(command).map(glued).join(' '), '         ', 7).replaceAll(GLUE, ' ');

const GLUE = '\u00a0';
const glued = (part: string): string => part.replaceAll(' ', GLUE);

/** Two columns; a term that is too long for its column has a line of its own. */
function rows(entries: readonly (readonly [string, string])[]): string {
  const column = Math.min(LONGEST_TERM, Math.max(...entries.map(([term]) => term.length))) + 2;
  const indent = ' '.repeat(column + 2);
  return entries
    .map(([term, text]) => {
      const wrapped = filled(`${' '.repeat(column)}${text}`, indent, column + 2).slice(column);
      return term.length + 2 > column
        ? `  ${term}\n${indent}${wrapped}`
        : `  ${term.padEnd(column)}${wrapped}`;
    })
    .join('\n');
}

/** Breaks a paragraph between words; `indent` begins all lines but the first, which already holds `used` columns. */
function filled(text: string, indent = '', used = 0): string {
  const lead = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = lead;
  let room = WIDTH - (used - lead.length);
  for (const word of text.trim().split(' ')) {
    const longer = line.trim() === '' ? line + word : `${line} ${word}`;
    if (longer.length > room && line.trim() !== '') {
      lines.push(line);
      line = indent + word;
      room = WIDTH;
    } else line = longer;
  }
  return [...lines, line].join('\n');
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
