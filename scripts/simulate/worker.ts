/** One process of the simulator: it is told seeds one by one, and tells what came of them. */
import { chartOf, execute } from '../../test/simulation/execute.js';
import { SCENARIOS } from '../../test/simulation/scenarios.js';
import { serve } from '../crew.js';
import type { Order, Result } from './order.js';

serve(async ({ scenario: name, seed, chart }: Order): Promise<Result> => {
  const scenario = SCENARIOS[name]!;
  const start = process.cpuUsage();
  const run = await execute(scenario, seed);
  const { user, system } = process.cpuUsage(start);
  const real = (user + system) / 1_000;
  const wanted = chart === 'always' || (chart === 'failing' && run.problems.length > 0);
  return { ...run, seed, real, ...(wanted && { chart: await chartOf(scenario, seed) }) };
});
