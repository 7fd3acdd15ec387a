import { printable, printableJson } from './printable.js';

/** Where text goes. A stream of Node, or what a test puts in its place. */
export interface Sink {
  write(text: string): unknown;
  /** A person reads it. */
  readonly isTTY?: boolean | undefined;
  /** Letters in a line of its terminal. */
  readonly columns?: number | undefined;
}

/** How much of what the terminal can do is used. */
export interface OutputOptions {
  readonly json: boolean;
  /** Colour was forbidden by the environment (NO_COLOR, or TERM=dumb). */
  readonly plain: boolean;
}

/** How a piece of text stands out. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** Letters in the narrowest column of wrapped text. */
const LEAST_ROOM = 16;

/** After this long a person begins to wonder: one second. */
const PROGRESS_AFTER = 1_000;

/**
 * The tool's two mouths: results on standard output, everything else on standard error. With `--json` a result is one
 * JSON value a line, and people's text is left out. Control characters in what others sent never reach the terminal.
 */
export class Output {
  readonly json: boolean;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #plain: boolean;

  constructor(stdout: Sink, stderr: Sink, options: OutputOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.json = options.json;
    this.#plain = options.plain;
  }

  /** Whether a person reads the results, as text, on a terminal. */
  get onTerminal(): boolean {
    return !this.json && this.#stdout.isTTY === true;
  }

  /** Letters in a line of the terminal; `undefined`: nobody looks at the results, or its width is not known. */
  get columns(): number | undefined {
    return this.onTerminal && this.#stdout.columns !== undefined && this.#stdout.columns > 0
      ? this.#stdout.columns
      : undefined;
  }

  /** Whether styles are shown on standard output. */
  get coloured(): boolean {
    return this.onTerminal && !this.#plain;
  }

  /** A result: `value` for programs, `text` (one or more lines, or a way to make them) for people. */
  result(value: unknown, text: string | (() => string)): void {
    if (this.json) this.#stdout.write(`${printableJson(value)}\n`);
    else this.#stdout.write(`${typeof text === 'string' ? text : text()}\n`);
  }

  /** Text that was asked for in so many words, whatever the form of results: help. It brings its own line ends. */
  text(text: string): void {
    this.#stdout.write(text);
  }

  /** Something for people that is no result: where a value is kept, what happens next. */
  note(text: string): void {
    this.#stderr.write(`${text}\n`);
  }

  /** Styled for standard output. */
  style(style: Style, text: string): string {
    return this.coloured ? styled(style, text) : text;
  }

  /** Styled for standard error. */
  noteStyle(style: Style, text: string): string {
    return this.#stderr.isTTY === true && !this.#plain ? styled(style, text) : text;
  }

  /**
   * Breaks text into lines that fit the terminal behind `used` letters: between words where that can be done. Without a
   * terminal it stays as it is.
   */
  wrap(text: string, used: number): readonly string[] {
    // Less room than this is no column any more: the terminal wraps by itself.
    const room = Math.max(LEAST_ROOM, (this.columns ?? Infinity) - used);
    const lines: string[] = [];
    let rest = Array.from(text);
    while (rest.length > room) {
      const space = rest.slice(0, room + 1).lastIndexOf(' ');
      const end = space > room / 2 ? space : room;
      lines.push(rest.slice(0, end).join(''));
      rest = rest.slice(end === space ? end + 1 : end);
    }
    return [...lines, rest.join('')];
  }

  /** Columns under headings; what others named is made harmless. */
  table(headings: readonly string[], lines: readonly (readonly string[])[]): string {
    const cells = lines.map(line => line.map(printable));
    const widths = headings.map((heading, column) =>
      Math.max(heading.length, ...cells.map(line => widthOf(line[column] ?? ''))),
    );
    const row = (line: readonly string[]): string =>
      line
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
        .join('  ')
        .trimEnd();
    return [this.style('dim', row(headings)), ...cells.map(row)].join('\n');
  }

  /** Waits for `work`, and says on standard error what for, once, when it takes more than a second. */
  async progress<T>(text: string, work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.note(this.noteStyle('dim', `${text} …`)), PROGRESS_AFTER);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }
}

const styled = (style: Style, text: string): string =>
  `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m`;

/** Letters, not code units: what most terminals give one column. */
const widthOf = (text: string): number => Array.from(text).length;
