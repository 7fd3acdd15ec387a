/** One process of the simulator: it is told seeds one by one, and tells what came of them. */
import { join } from 'node:path';

import { chartOf, execute, qlogOf } from '../../test/simulation/execute.js';
import { SCENARIOS } from '../../test/simulation/scenarios.js';
import { serve } from '../crew.js';
import type { Order, Result } from './order.js';

serve(async ({ scenario: name, seed, record, chart, qlog }: Order): Promise<Result> => {
  const scenario = SCENARIOS[name]!;
  const start = process.cpuUsage();
  const run = await execute(scenario, seed);
  const { user, system } = process.cpuUsage(start);
  const real = (user + system) / 1_000;
  if (scenario.unseen === true || (record === 'failing' && run.problems.length === 0))
    return { ...run, seed, real };
  const folder = qlog === undefined ? undefined : join(qlog, `${name.replace('/', '-')}-${seed}`);
  return {
    ...run,
    seed,
    real,
    ...(chart && { chart: await chartOf(scenario, seed) }),
    ...(folder !== undefined && {
      traces: (await qlogOf(scenario, seed, folder)).map(file => join(folder, file)),
    }),
  };
});
