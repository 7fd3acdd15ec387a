import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the repository begins. */
export const ROOT: string = join(import.meta.dirname, '../..');

const SOURCES = 'packages/cluster-protocol/src';
const TESTS = 'packages/cluster-protocol/test';

/** One fault that somebody could make in the core, and the tests that should notice it. */
export interface Mutant {
  /** A sentence that says what is wrong. */
  readonly name: string;
  /** From the sources of the cluster protocol on. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly original: string;
  /** Stands in its place. */
  readonly replacement: string;
  /** From the tests of the cluster protocol on, without `.test.ts`; a leading slash means from the root of the repository on. */
  readonly tests: readonly string[];
}

/** The path of a mutant's source, from the root of the repository on. */
export const sourceOf = ({ file }: Mutant): string => `${SOURCES}/${file}`;

/** The paths of a mutant's tests, from the root of the repository on: those that find it soonest first. */
export const testsOf = ({ tests }: Mutant): readonly string[] =>
  tests.map(test => (test.startsWith('/') ? `${test.slice(1)}.test.ts` : `${TESTS}/${test}.test.ts`));

/** The source with the fault in it; or a sentence that says why it cannot be planted. */
export function planted(mutant: Mutant): { readonly source: string } | { readonly wrong: string } {
  const { name, original, replacement } = mutant;
  const file = sourceOf(mutant);
  let source: string;
  try {
    source = readFileSync(join(ROOT, file), 'utf8');
  } catch {
    return { wrong: `"${name}": there is no ${file}` };
  }
  const places = source.split(original).length - 1;
  if (places !== 1)
    return {
      wrong:
        `"${name}": its original text occurs ${places} times in ${file}, not once. If the text has moved or changed, ` +
        `give the fault its new place in scripts/mutants/catalogue:\n${original}`,
    };
  if (original === replacement) return { wrong: `"${name}" changes nothing` };
  return { source: source.replace(original, () => replacement) };
}
