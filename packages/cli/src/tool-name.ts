import type { Surroundings } from './context.js';

/** How this tool was called, for lines that a person is to type: `npx coconet` where it is in no path. */
export const toolName = ({ variables }: Surroundings): string =>
  variables.npm_command === 'exec' ? 'npx coconet' : 'coconet';

/** A line for the shell of this system that sets a variable for one command. */
export const withVariable = (
  { platform }: Surroundings,
  name: string,
  value: string,
  command: string,
): string => (platform === 'win32' ? `$env:${name}='${value}'; ${command}` : `${name}='${value}' ${command}`);
