import { flagOf, type Command } from './command.js';

/** The one line that shows how a command is typed. */
export function usageOf(command: Command): string {
  const options = Object.entries(command.options).map(([name, { placeholder, many }]) => {
    const text = placeholder === undefined ? `--${flagOf(name)}` : `--${flagOf(name)} ${placeholder}`;
    return `[${text}]${many ? '…' : ''}`;
  });
  const words = Object.values(command.arguments).map(({ placeholder, required, many, behindDashes }) => {
    if (behindDashes) return `[-- ${placeholder}]`;
    const text = many ? `${placeholder}…` : placeholder;
    return required ? text : `[${text}]`;
  });
  return ['coconet', command.name, ...words, ...options].join(' ');
}
