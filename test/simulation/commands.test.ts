import test from 'ava';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import { AuthenticatingProvider } from '@coconet/cluster-protocol/testing';
import { runCommands } from './commands.js';

/** Seeds that once failed: each found something that was mended. */
const ONCE_FAILED: readonly number[] = [];
/** How long new seeds are tried, unless a number of them is asked for. */
const BUDGET_MS = 15_000;
/** More than these tell little that fewer did not. */
const MOST_SEEDS = 400;

const real = await createCryptoProvider();

test('no command runs twice and no outcome lies, whatever becomes of the stores of a device and its app', async t => {
  t.timeout(600_000);
  const wanted =
    process.env['COCONET_SEEDS'] === undefined ? undefined : Number(process.env['COCONET_SEEDS']);
  const base = Number(process.env['COCONET_SEED'] ?? 1);
  const deadline = Date.now() + BUDGET_MS;
  const failed: string[] = [];
  let run = 0;
  for (; wanted === undefined ? Date.now() < deadline && run < MOST_SEEDS : run < wanted; run++) {
    const seed = ONCE_FAILED[run] ?? base + run;
    // Nine seeds in ten only authenticate, which is ten times as fast; the tenth has the real cryptography.
    const crypto = run % 10 === 9 ? real : new AuthenticatingProvider();
    const problems = await runCommands(seed, crypto);
    for (const problem of problems) failed.push(`seed ${seed}: ${problem}`);
    if (failed.length > 0) break;
  }

  t.log(`${run} seeds from ${base} on`);
  t.deepEqual(
    failed,
    [],
    `replay with COCONET_SEEDS=1 COCONET_SEED=<seed> npx ava test/simulation/commands.test.ts`,
  );
});
