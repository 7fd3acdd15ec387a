import type { ExecutionContext } from 'ava';
import { execute } from './execute.js';
import { SCENARIOS } from './scenarios.js';

/** More than these tell little that fewer did not. */
const MOST_SEEDS = 2_000;

/**
 * Runs seeds of a scenario for a test: those that once failed, then as many from 1 on as the time allows, or as the variable
 * `COCONET_SEEDS` asks for, however long they take. The same ones for everybody who changes nothing: new ones are drawn by
 * `npm run simulate`, on purpose.
 */
export async function sweep(t: ExecutionContext, name: string, budgetMs: number): Promise<void> {
  t.timeout(600_000);
  const scenario = SCENARIOS[name]!;
  const { onceFailed } = scenario;
  const asked = Number(process.env['COCONET_SEEDS'] ?? 0);
  const most = onceFailed.length + (asked > 0 ? asked : MOST_SEEDS);
  const deadline = asked > 0 ? Infinity : Date.now() + budgetMs;
  let tried = 0;
  let failed: readonly string[] = [];
  let seed = 0;
  for (
    ;
    failed.length === 0 && tried < most && (tried < onceFailed.length || Date.now() < deadline);
    tried++
  ) {
    seed = onceFailed[tried] ?? tried - onceFailed.length + 1;
    failed = (await execute(scenario, seed)).problems;
  }

  t.log(`${tried} seeds: ${onceFailed.length} that once failed, then from 1 on`);
  t.deepEqual(failed, [], `replay with npm run simulate -- --scenario ${name} --seed ${seed} --seeds 1`);
}
