import type { Run } from '../../test/simulation/run.js';

/** A seed for a worker. */
export interface Order {
  readonly scenario: string;
  readonly seed: number;
  /** When to draw a chart and write traces, if they are wanted. */
  readonly record: 'failing' | 'always';
  readonly chart: boolean;
  /** Folder for traces; `undefined`: there are none. */
  readonly qlog: string | undefined;
}

/** What came of it. */
export interface Result extends Run {
  readonly seed: number;
  /** Ms of processor time that it took: what it would take where nothing else runs. */
  readonly real: number;
  /** In the language of Mermaid. */
  readonly chart?: string;
  /** Traces that were written. */
  readonly traces?: readonly string[];
}
