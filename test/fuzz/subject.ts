import type { SeededRandom } from '@coconet/cluster-protocol/testing';

/** What one case has shown. */
export interface Outcome {
  /** Inputs in the case: one for a decoder, every datagram for a machine. */
  readonly inputs: number;
  /** What happened, in words that say the same for the same. A case that shows a new one is interesting. */
  readonly features: readonly string[];
  /** What must not be, one sentence each. */
  readonly flaws: readonly string[];
  /** Ms that the slowest input took. */
  readonly slowest: number;
}

/** Something that reads bytes from strangers, made ready to be given any. */
export interface Subject {
  /** Good cases to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Makes another case out of those that were interesting so far, of which there is at least one. */
  generate(random: SeededRandom, interesting: readonly Uint8Array[]): Uint8Array;
  /** Runs any case; the same case always gives the same, but for the time. What it throws is a flaw. */
  run(bytes: Uint8Array): Outcome;
  /** Simpler cases that may show the same, the simplest first. */
  simpler(bytes: Uint8Array): Iterable<Uint8Array>;
}

/** A {@link Subject} by its name. */
export interface Target {
  readonly about: string;
  /** How much of all inputs it gets when all targets are fuzzed. */
  readonly weight: number;
  open(): Promise<Subject>;
}
