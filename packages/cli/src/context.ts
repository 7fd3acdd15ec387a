import type { Output } from './output.js';
import type { StoreChoice } from './places.js';

/** What a command knows of the process that runs it. */
export interface Surroundings {
  /** Absolute. */
  readonly folder: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's home folder. */
  readonly home: string;
}

/** What a command is given besides its values. */
export interface Context {
  readonly out: Output;
  /** Aborted by Ctrl-C, SIGTERM and a reader who goes away; the command then ends as soon as it can. */
  readonly signal: AbortSignal;
  readonly surroundings: Surroundings;
  /** Where this node's identity is, by option, environment or place. */
  readonly store: StoreChoice;
}
