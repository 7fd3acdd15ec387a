import { main } from '../../src/main.js';

/** How a run of the tool ended, and what it said. */
export interface ToolRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A text that is collected. */
export class Collector {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number | undefined;

  constructor(isTTY = false, columns?: number) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }
}

/** Runs the tool in this process, on a machine with nothing of Coconet on it. */
export async function runTool(
  words: readonly string[],
  options: { readonly variables?: Readonly<Record<string, string>>; readonly onTerminal?: boolean } = {},
): Promise<ToolRun> {
  const stdout = new Collector(options.onTerminal);
  const stderr = new Collector(options.onTerminal);
  const surroundings = {
    folder: '/nonexistent/folder',
    home: '/nonexistent/home',
    platform: 'linux' as const,
    variables: options.variables ?? {},
  };
  const status = await main(words, { stdout, stderr, surroundings });
  return { status, stdout: stdout.text, stderr: stderr.text };
}
