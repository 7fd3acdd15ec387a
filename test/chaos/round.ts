/** What one round of something bad has shown. Plain data: rounds travel between processes and lie in files. */
export interface Round {
  /** Sums over all rounds, by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** Ms that something took, by name. */
  readonly times: Readonly<Record<string, number>>;
  /** What must not be, one sentence each. */
  readonly flaws: readonly string[];
}

/** Goes on for as long as somebody asks for more. `folder` is there, empty and its own. */
export type Rounds = (seed: number, folder: string) => AsyncGenerator<Round, void>;
