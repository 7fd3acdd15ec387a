import { FrameType } from '../wire/index.js';

const NAMES = Object.entries(FrameType) as readonly [keyof typeof FrameType, number][];

/** Frames by type. */
export type FrameTally = Readonly<Record<keyof typeof FrameType | 'unknown', number>>;

/** Types from here on have no name here. */
const LIMIT: number = 1 + Math.max(...NAMES.map(([, type]) => type));

/** Counts frames by their type. */
export class FrameCounts {
  readonly #counts: number[] = new Array<number>(LIMIT).fill(0);
  #above = 0;

  count(type: number): void {
    if (type < LIMIT) this.#counts[type]!++;
    else this.#above++;
  }

  tally(): FrameTally {
    const known = Object.fromEntries(NAMES.map(([name, type]) => [name, this.#counts[type]!]));
    const all = this.#counts.reduce((sum, count) => sum + count, this.#above);
    const named = NAMES.reduce((sum, [, type]) => sum + this.#counts[type]!, 0);
    return { ...known, unknown: all - named } as FrameTally;
  }
}
