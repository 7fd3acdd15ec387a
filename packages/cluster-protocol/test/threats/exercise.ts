/** What an exercise came to. */
export interface Outcome {
  /** What happened how often, in the order in which it is worth reading. */
  readonly counts: Readonly<Record<string, number | string>>;
  /** What must not have happened; empty: the defence holds. */
  readonly failures: readonly string[];
}

/** One attack of the threat model, as often as it is asked for: few times in the test command, many by a command of its own. */
export interface Exercise {
  /** Its row in the threat model. */
  readonly threat: string;
  /** What holds, as a sentence. */
  readonly title: string;
  /** What the size counts. */
  readonly unit: string;
  /** `test`: in the test command; absent where the attack needs real time. `full`: by the command for threats. */
  readonly sizes: { readonly test?: number; readonly full: number };
  readonly run: (size: number, progress: (done: number) => void) => Outcome | Promise<Outcome>;
}

/** Collects what must not have happened, the first few of each kind whole and the rest as a count. */
export class Failures {
  readonly #kinds = new Map<string, number>();

  /** Counts a failure of a kind unless `holds`. */
  unless(holds: boolean, kind: string): void {
    if (!holds) this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  get list(): readonly string[] {
    return [...this.#kinds].map(([kind, times]) => (times === 1 ? kind : `${kind} (${times} times)`));
  }
}
