/** What a run of one file of tests told. */
export interface TestRun {
  /** Titles of tests that passed. */
  readonly passed: readonly string[];
  readonly failed: readonly FailedTest[];
}

/** A test that failed, or a crash outside of any test. */
export interface FailedTest {
  readonly title: string;
  /** How: an assertion did not hold, something was thrown, or nothing happened for too long. */
  readonly how: 'assertion' | 'thrown' | 'timeOut';
}

const TIME_OUTS = ['no new tests completed within', 'Test timeout exceeded'];

/** Reads ava's report in the Test Anything Protocol. */
export function readTap(report: string): TestRun {
  const passed: string[] = [];
  const failed: FailedTest[] = [];
  // A line of a result, and the indented block that tells of a failure.
  for (const [, bad, title, block] of report.matchAll(/^(not )?ok \d+ - (.*)\n((?:[ ]{2}.*\n)*)/gm)) {
    if (title === undefined || / # (SKIP|TODO)/.test(title)) continue;
    if (bad === undefined) passed.push(title);
    else failed.push({ title, how: howOf(block ?? '') });
  }
  return { passed, failed };
}

function howOf(block: string): FailedTest['how'] {
  if (TIME_OUTS.some(text => block.replace(/\s+/g, ' ').includes(text))) return 'timeOut';
  return /^ {4}name: AssertionError$/m.test(block) ? 'assertion' : 'thrown';
}
