import test from 'ava';

import type { Exercise } from './exercise.js';

/** Makes a test of each exercise that has a size for the test command. */
export function testAll(exercises: readonly Exercise[]): void {
  for (const { threat, title, sizes, run } of exercises) {
    const size = sizes.test;
    if (size === undefined) continue;
    test(`${threat}: ${title}`, async t => {
      const { failures, counts } = await run(size, () => undefined);

      t.log(
        Object.entries(counts)
          .map(([what, value]) => `${what} ${value}`)
          .join(', '),
      );
      t.deepEqual(failures, []);
    });
  }
}
