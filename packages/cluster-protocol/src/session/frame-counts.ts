import { FrameType } from '../wire/index.js';

const NAMES = Object.entries(FrameType) as readonly [keyof typeof FrameType, number][];

/** Frames by type. */
export type FrameTally = Readonly<Record<keyof typeof FrameType | 'unknown', number>>;

/** Counts frames by their type. */
export class FrameCounts {
  readonly #counts = new Float64Array(256);

  count(type: number): void {
    this.#counts[type]!++;
  }

  tally(): FrameTally {
    const known = Object.fromEntries(NAMES.map(([name, type]) => [name, this.#counts[type]!]));
    const all = this.#counts.reduce((sum, count) => sum + count, 0);
    const named = NAMES.reduce((sum, [, type]) => sum + this.#counts[type]!, 0);
    return { ...known, unknown: all - named } as FrameTally;
  }
}
