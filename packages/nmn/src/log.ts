import { after, type Duration, type Instant, seconds, type WallTime } from '@coconet/cluster-protocol/core';

/** Levels, most urgent first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line may carry. Bytes are not among them, so no key gets in by accident; ids are texts. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where lines go and what time it is. */
export interface LogSurroundings {
  write(line: string): void;
  now(): Instant;
  wallTime(): WallTime;
}

/** Bytes of a line at most; longer texts in it are cut. */
export const MAX_LOG_LINE = 2_048;

/** Lines of one event in one {@link WINDOW}; more are counted and told in the next line of that event. */
const LINES_PER_WINDOW = 10;
const WINDOW: Duration = seconds(60);
/** Texts from outside are cut to this many characters: eight of them still fit a line. */
const MAX_TEXT = 200;
/** Different events: they are names in our code, so this is never reached unless a caller makes one from outside. */
const MAX_EVENTS = 256;

interface Allowance {
  windowEnds: Instant;
  written: number;
  suppressed: number;
}

/**
 * One JSON object a line: time, level, event, fields. A name that somebody chose cannot start a second line or move a
 * terminal's cursor (threat T36), and an event that happens a thousand times a second takes ten lines a minute.
 */
export class Log {
  readonly #surroundings: LogSurroundings;
  readonly #threshold: number;
  readonly #allowances = new Map<string, Allowance>();

  constructor(level: LogLevel, surroundings: LogSurroundings) {
    this.#threshold = LOG_LEVELS.indexOf(level);
    this.#surroundings = surroundings;
  }

  error(event: string, fields: LogFields = {}): void {
    this.#log('error', event, fields);
  }

  warn(event: string, fields: LogFields = {}): void {
    this.#log('warn', event, fields);
  }

  info(event: string, fields: LogFields = {}): void {
    this.#log('info', event, fields);
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#log('debug', event, fields);
  }

  #log(level: LogLevel, event: string, fields: LogFields): void {
    if (LOG_LEVELS.indexOf(level) > this.#threshold) return;
    const suppressed = this.#admit(event);
    if (suppressed === undefined) return;
    const time = new Date(this.#surroundings.wallTime()).toISOString();
    const line: Record<string, string | number | boolean> = { time, level, event };
    for (const [name, value] of Object.entries(fields))
      if (value !== undefined) line[name] = typeof value === 'string' ? cut(value) : value;
    if (suppressed > 0) line['suppressed'] = `${suppressed} suppressed`;
    this.#surroundings.write(formatLine(line));
  }

  /** How many lines of this event were left out since the last one; `undefined`: this one is left out too. */
  #admit(event: string): number | undefined {
    const now = this.#surroundings.now();
    let allowance = this.#allowances.get(event);
    if (allowance === undefined) {
      if (this.#allowances.size >= MAX_EVENTS) return undefined;
      allowance = { windowEnds: after(now, WINDOW), written: 0, suppressed: 0 };
      this.#allowances.set(event, allowance);
    }
    if (now >= allowance.windowEnds) {
      allowance.windowEnds = after(now, WINDOW);
      allowance.written = 0;
    }
    if (allowance.written >= LINES_PER_WINDOW) {
      allowance.suppressed++;
      return undefined;
    }
    allowance.written++;
    const { suppressed } = allowance;
    allowance.suppressed = 0;
    return suppressed;
  }
}

/** What an error says, for a log field: its code and message. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return code + error.message;
}

function formatLine(line: Readonly<Record<string, unknown>>): string {
  const text = escapeControls(JSON.stringify(line));
  if (text.length <= MAX_LOG_LINE) return text;
  const { time, level, event } = line;
  return escapeControls(JSON.stringify({ time, level, event, truncated: true })).slice(0, MAX_LOG_LINE);
}

const cut = (text: string): string => (text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`);

/** JSON escapes C0 alone; DEL, C1, line separators and direction overrides can deceive a reader as well. */
function escapeControls(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g,
    letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
