import type { CryptoProvider } from '@coconet/cluster-protocol/core';
import type { Recorder } from '@coconet/cluster-protocol/testing';

/** What one run of a scenario has shown. */
export interface Run {
  /** What must not be, one sentence each. */
  readonly problems: readonly string[];
  /** Virtual time that passed, ms. */
  readonly virtual: number;
  /** The same for every run of the seed. */
  readonly hash: string;
  /** What happened, for the tally. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Runs a seed, and writes it down if asked to. */
export type Scenario = (seed: number, crypto: CryptoProvider, recorder?: Recorder) => Run | Promise<Run>;
