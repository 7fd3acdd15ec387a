import { SeededRandom } from '@coconet/cluster-protocol/testing';
import type { Outcome, Subject } from './subject.js';

/** Longer than this an input may not take: a datagram must not hold up all others. */
export const MAX_INPUT_MS = 50;
/** An input is called slow only if it was slow each time: the processor has other things to do. */
const SLOW_TRIES = 20;
/** Interesting cases that are kept in memory. */
const MOST_INTERESTING = 1_024;
/** Cases that are tried on the way to a simpler one: for those who keep it, and for those who have to understand it. */
const MOST_SIMPLER = { found: 24, flaw: 3_000 } as const;

/** A case that shows what must not be. */
export interface Finding {
  readonly flaw: string;
  readonly bytes: Uint8Array;
}

/** What a stretch of a campaign has shown. */
export interface Stretch {
  readonly inputs: number;
  readonly findings: readonly Finding[];
  /** Cases that showed something new; those that were made up here are made simpler. */
  readonly found: readonly Uint8Array[];
  /** Ms of the slowest input that was slow each time it was tried. */
  readonly slowest: number;
}

/** Runs cases of one subject, and learns from them which others to try. */
export class Campaign {
  readonly #subject: Subject;
  readonly #interesting: Uint8Array[] = [];
  readonly #features = new Map<string, number>();
  readonly #flaws = new Set<string>();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** Everything that was seen to happen, and how often. */
  get features(): ReadonlyMap<string, number> {
    return this.#features;
  }

  /** Runs cases that are known, such as a corpus: what they show is not new afterwards. */
  learn(cases: readonly Uint8Array[]): Stretch {
    const stretch = new OpenStretch();
    for (const bytes of cases)
      if (this.#try(bytes, stretch)) {
        this.#keep(bytes);
        stretch.found.push(bytes);
      }
    return stretch;
  }

  /** Tries new cases until so many inputs were given. */
  run(seed: number, inputs: number): Stretch {
    const random = new SeededRandom(seed);
    const stretch = new OpenStretch();
    if (this.#interesting.length === 0) this.#interesting.push(...this.#subject.seeds, new Uint8Array(0));
    while (stretch.inputs < inputs) {
      const bytes = this.#subject.generate(random, this.#interesting);
      const news = this.#try(bytes, stretch);
      if (!news) continue;
      const simple = this.#simplify(bytes, 'found', ({ features }) =>
        news.every(feature => features.includes(feature)),
      );
      this.#keep(simple);
      stretch.found.push(simple);
    }
    return stretch;
  }

  /** Runs a case and counts it; the features that nothing showed before. */
  #try(bytes: Uint8Array, stretch: OpenStretch): readonly string[] | undefined {
    const outcome = attempt(this.#subject, bytes);
    const slow = outcome.slowest > MAX_INPUT_MS ? this.#slow(bytes, outcome) : outcome.slowest;
    stretch.inputs += Math.max(1, outcome.inputs);
    stretch.slowest = Math.max(stretch.slowest, slow);
    const flaws = [...outcome.flaws];
    if (slow > MAX_INPUT_MS) flaws.push(`an input takes longer than ${MAX_INPUT_MS} ms`);
    for (const flaw of flaws) this.#report(bytes, flaw, stretch);
    const news = outcome.features.filter(feature => !this.#features.has(feature));
    for (const feature of outcome.features)
      this.#features.set(feature, (this.#features.get(feature) ?? 0) + 1);
    return news.length > 0 && flaws.length === 0 ? news : undefined;
  }

  /** The shortest time that the slowest input of a case took in some tries. */
  #slow(bytes: Uint8Array, { slowest }: Outcome): number {
    let least = slowest;
    for (let i = 1; i < SLOW_TRIES && least > MAX_INPUT_MS; i++)
      least = Math.min(least, attempt(this.#subject, bytes).slowest);
    return least;
  }

  /** The same flaw is told once: by its first line, numbers left out. */
  #report(bytes: Uint8Array, flaw: string, stretch: OpenStretch): void {
    const kind = kindOf(flaw);
    if (this.#flaws.has(kind)) return;
    this.#flaws.add(kind);
    const simple = flaw.startsWith('an input takes')
      ? bytes
      : this.#simplify(bytes, 'flaw', ({ flaws }) => flaws.some(other => kindOf(other) === kind));
    stretch.findings.push({ flaw, bytes: simple });
  }

  #keep(bytes: Uint8Array): void {
    if (this.#interesting.length >= MOST_INTERESTING) this.#interesting.shift();
    this.#interesting.push(bytes);
  }

  #simplify(
    bytes: Uint8Array,
    why: keyof typeof MOST_SIMPLER,
    shows: (outcome: Outcome) => boolean,
  ): Uint8Array {
    let simple = bytes;
    let left: number = MOST_SIMPLER[why];
    for (let again = true; again;) {
      again = false;
      for (const candidate of this.#subject.simpler(simple)) {
        if (left-- <= 0) return simple;
        if (!shows(attempt(this.#subject, candidate))) continue;
        simple = candidate;
        again = true;
        break;
      }
    }
    return simple;
  }
}

class OpenStretch implements Stretch {
  inputs = 0;
  slowest = 0;
  readonly findings: Finding[] = [];
  readonly found: Uint8Array[] = [];
}

/** Runs a case; what it throws is a flaw like any other. */
function attempt(subject: Subject, bytes: Uint8Array): Outcome {
  try {
    return subject.run(bytes);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { inputs: 1, features: [], flaws: [`thrown: ${text}`], slowest: 0 };
  }
}

const kindOf = (flaw: string): string => flaw.split('\n').slice(0, 2).join(' ').replace(/\d+/g, '#');
