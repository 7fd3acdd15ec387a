import { COMMON_OPTIONS, flagOf, type Command } from './command.js';
import { UsageError } from './errors.js';
import { groupHelp, overview } from './help.js';
import { suggestionFor } from './suggestion.js';

/** What a command line asks for. */
export type Request =
  | { readonly kind: 'run'; readonly command: Command; readonly words: readonly string[] }
  | { readonly kind: 'help'; readonly text: string; readonly command?: Command }
  | { readonly kind: 'version' };

const FLAGS = new Map(
  Object.entries(COMMON_OPTIONS).map(([name, spec]) => [`--${flagOf(name)}`, 'placeholder' in spec]),
);

/** Finds the command of a line; the options of every command may stand before it. Throws {@link UsageError}. */
export function dispatch(argv: readonly string[], commands: readonly Command[]): Request {
  const { before, words } = splitFront(argv);
  const first = words[0];
  if (before.includes('--version')) return { kind: 'version' };
  const asksHelp = before.includes('--help') || before.includes('-h');
  if (first === undefined) {
    if (asksHelp) return { kind: 'help', text: overview(commands) };
    throw new UsageError('no command is given', 'coconet --help lists the commands');
  }
  if (first === 'help') return helpFor(words.slice(1), commands);

  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  const [second] = words.slice(1);
  if (group.length > 0) {
    const command = group.find(({ name }) => name === `${first} ${second ?? ''}`);
    if (command !== undefined) return { kind: 'run', command, words: [...before, ...words.slice(2)] };
    if (asksHelp || second === '--help' || second === '-h')
      return { kind: 'help', text: groupHelp(first, commands) };
    const known = group.map(({ name }) => name);
    if (second === undefined || second.startsWith('-'))
      throw new UsageError(
        `coconet ${first} needs a further word: ${known.join(', ')}`,
        `coconet ${first} --help says more`,
      );
    throw unknownCommand(`${first} ${second}`, known);
  }
  const command = commands.find(({ name }) => name === first);
  if (command === undefined) throw unknownCommand(first, namesOf(commands));
  return { kind: 'run', command, words: [...before, ...words.slice(1)] };
}

/** Options of every command that stand before it, and the rest. */
function splitFront(argv: readonly string[]): {
  readonly before: readonly string[];
  readonly words: readonly string[];
} {
  const before: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (!word.startsWith('-')) return { before, words: argv.slice(at) };
    const flag = word.split('=')[0] ?? '';
    const takesValue = FLAGS.get(flag);
    if (takesValue === undefined && flag !== '-h' && flag !== '--version')
      throw new UsageError(
        `there is no option ${word} before the command`,
        suggestionFor(flag, [...FLAGS.keys(), '--version']) ??
          'coconet --help lists the commands and their options',
      );
    before.push(word);
    if (takesValue === true && !word.includes('=')) {
      const value = argv[++at];
      if (value !== undefined) before.push(value);
    }
  }
  return { before, words: [] };
}

function helpFor(words: readonly string[], commands: readonly Command[]): Request {
  const [first, second] = words.filter(word => !word.startsWith('-'));
  if (first === undefined) return { kind: 'help', text: overview(commands) };
  const command = commands.find(({ name }) => name === (second === undefined ? first : `${first} ${second}`));
  if (command !== undefined) return { kind: 'run', command, words: ['--help'] };
  if (second === undefined && commands.some(({ name }) => name.startsWith(`${first} `)))
    return { kind: 'help', text: groupHelp(first, commands) };
  throw unknownCommand(second === undefined ? first : `${first} ${second}`, namesOf(commands));
}

const namesOf = (commands: readonly Command[]): readonly string[] => commands.map(({ name }) => name);

function unknownCommand(written: string, known: readonly string[]): UsageError {
  return new UsageError(
    `there is no command '${written}'`,
    suggestionFor(written, known, 'coconet ') ?? 'coconet --help lists the commands',
  );
}
