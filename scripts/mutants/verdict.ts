import type { Mutant } from './mutant.js';
import type { FailedTest } from './tap.js';
import type { Trial } from './trial.js';

/** What came of a fault. */
export type Verdict =
  | { readonly kind: 'found'; readonly how: FailedTest['how']; readonly test: string; readonly title: string }
  | { readonly kind: 'survived' }
  /** It did not compile or did not run, or none of its tests reads its source: that is no find. */
  | { readonly kind: 'broken'; readonly why: string };

/** A fault and what came of it. */
export interface Outcome {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  readonly seconds: number;
}

/**
 * What a run with a fault shows. `titles` are the tests that passed without it: who has never passed finds nothing.
 * `undefined`: the tests passed.
 */
export function judge(test: string, trial: Trial, titles: ReadonlySet<string>): Verdict | undefined {
  if (!trial.planted) return { kind: 'broken', why: `${test} does not read its source` };
  const failed = trial.failed.find(({ title }) => titles.has(title));
  if (failed !== undefined) return { kind: 'found', how: failed.how, test, title: failed.title };
  if (trial.good) return undefined;
  // A process in an endless loop cannot tell which of its tests was under way.
  if (trial.stuck && trial.failed.length === 0)
    return { kind: 'found', how: 'timeOut', test, title: 'an endless loop' };
  const [crash] = trial.failed;
  return { kind: 'broken', why: `${test} did not run: ${crash?.title ?? 'it ended without a word'}` };
}

/** Of fifty faults so many have to be found. */
const ENOUGH = 48;

/** Whether enough was found. */
export function isEnough(outcomes: readonly Outcome[], all: boolean): boolean {
  const found = outcomes.filter(({ verdict }) => verdict.kind === 'found').length;
  return all ? found * 50 >= ENOUGH * outcomes.length : found === outcomes.length;
}

/** A line about an outcome. */
export function lineOf({ mutant, verdict, seconds }: Outcome): string {
  const time = `${seconds.toFixed(0).padStart(4)} s`;
  switch (verdict.kind) {
    case 'found':
      return `found     ${time}  ${mutant.name} (${verdict.how}: ${verdict.title})`;
    case 'survived':
      return `SURVIVED  ${time}  ${mutant.name}`;
    case 'broken':
      return `BROKEN    ${time}  ${mutant.name} (${verdict.why})`;
  }
}

/** The sums of a run, and what was not found. */
export function summaryOf(outcomes: readonly Outcome[]): string {
  const count = (of: (verdict: Verdict) => boolean): number =>
    outcomes.filter(({ verdict }) => of(verdict)).length;
  const how = (kind: FailedTest['how']): number =>
    count(verdict => verdict.kind === 'found' && verdict.how === kind);
  const found = count(({ kind }) => kind === 'found');
  const lines = [
    `${outcomes.length} planted, ${found} found: ${how('assertion')} by an assertion, ` +
      `${how('thrown')} by an error, ${how('timeOut')} by a time-out`,
    ...outcomes.filter(({ verdict }) => verdict.kind !== 'found').map(lineOf),
  ];
  return `${lines.join('\n')}\n`;
}
