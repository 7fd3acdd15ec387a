import { flagOf, type Command } from './command.js';

/** The one line that shows how a command is typed. */
export const usageOf = (command: Command): string => usageParts(command).join(' ');

/** The parts of that line; each stays in one piece when it is broken. */
export function usageParts(command: Command): readonly string[] {
  const options = Object.entries(command.options).map(([name, { placeholder, many }]) => {
    const text = placeholder === undefined ? `--${flagOf(name)}` : `--${flagOf(name)} ${placeholder}`;
    return `[${text}]${many ? '…' : ''}`;
  });
  const words = Object.values(command.arguments).map(({ placeholder, required, many, behindDashes }) => {
    if (behindDashes) return `[-- ${placeholder}]`;
    const text = many ? `${placeholder}…` : placeholder;
    return required ? text : `[${text}]`;
  });
  return ['coconet', command.name, ...words, ...options];
}
