import type { Decoded } from '@coconet/capabilities';
import { type Parsed, sameBytes } from '@coconet/cluster-protocol/core';
import type { SeededRandom } from '@coconet/cluster-protocol/testing';

import { mutate, pick, simplerBytes } from '../byte-mutator.js';
import type { Outcome, Subject, Target } from '../subject.js';

/** What a decoder made of some bytes. */
export interface Reading {
  /** Which way it went, in a few words. */
  readonly way: string;
  /** What must not be. */
  readonly flaws?: readonly string[];
}

/** A decoder to be fuzzed. */
export interface Decoder {
  readonly about: string;
  /** Good encodings; a case is longer than the longest by half at most, and by 64 bytes. */
  readonly seeds: readonly Uint8Array[];
  /** Reads any bytes; what it throws is a flaw. The bytes are its own. */
  readonly read: (bytes: Uint8Array) => Reading;
  /** Of all inputs; 1 unless given. */
  readonly weight?: number;
  /** Changes an encoding in the ways of its format; half of the cases are changed by it. */
  readonly vary?: (random: SeededRandom, bytes: Uint8Array) => Uint8Array;
}

/** One mutant in so many begins as noise. */
const NOISE = 64;
const MOST_NOISE = 96;

/** A target out of a decoder. */
export const decoderTarget = ({ about, weight = 1, ...decoder }: Decoder): Target => ({
  about,
  weight,
  open: () => Promise.resolve(subjectOf(decoder)),
});

function subjectOf({ seeds, read, vary }: Pick<Decoder, 'seeds' | 'read' | 'vary'>): Subject {
  const longest = Math.max(0, ...seeds.map(seed => seed.length));
  const limit = longest + (longest >> 1) + 64;
  return {
    seeds,
    generate: (random: SeededRandom, interesting: readonly Uint8Array[]): Uint8Array => {
      if (random.below(NOISE) === 0) return mutate(random, new Uint8Array(0), new Uint8Array(0), MOST_NOISE);
      // What was found is mostly short and wrong; what is right goes deeper.
      const pool = seeds.length > 0 && random.below(2) === 0 ? seeds : interesting;
      const bytes = pick(random, pool);
      if (vary && random.below(2) === 0) return vary(random, bytes);
      return mutate(random, bytes, pick(random, pool), limit);
    },
    run: (bytes: Uint8Array): Outcome => {
      const copy = bytes.slice();
      const start = performance.now();
      const { way, flaws = [] } = read(copy);
      const slowest = performance.now() - start;
      return { inputs: 1, features: [way], flaws, slowest };
    },
    simpler: simplerBytes,
  };
}

/** Reads with a parser of the core, and sees that what was read has one encoding only. */
export function readParsed<T>(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => Parsed<T>,
  nameOf: (value: T) => string = () => 'ok',
  encode?: (value: T) => Uint8Array,
): Reading {
  const decoded = decode(bytes);
  if (!decoded.ok) return { way: decoded.reason };
  const way = nameOf(decoded.value);
  if (encode === undefined || sameBytes(encode(decoded.value), bytes)) return { way };
  return { way, flaws: [`${way}: what was read has another encoding`] };
}

/** The way of a decoder of the capability package: numbers left out of the reason. */
export const wayOf = (what: string, decoded: Decoded<unknown>): string =>
  decoded.ok ? what : `${what}: ${decoded.reason.replace(/\d+/g, '#').slice(0, 60)}`;
