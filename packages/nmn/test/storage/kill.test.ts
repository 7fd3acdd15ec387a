import { createNodeHost } from '@coconet/cluster-protocol/node';
import { SeededRandom } from '@coconet/cluster-protocol/testing';
import test from 'ava';

import { KilledNmn } from '../support/kill/killed-nmn.js';
import { bundleNmn } from '../support/kill/nmn-process.js';
import { temporaryFolder } from '../support/surroundings.js';

const ROUNDS = 20;

test('kill -9 under a load of every kind of write loses nothing that was acknowledged and leaves nothing half done', async t => {
  t.timeout(300_000);
  const folder = await temporaryFolder(t);
  const program = await bundleNmn(folder);
  const killed = new KilledNmn({
    program,
    folder,
    host: await createNodeHost(),
    random: new SeededRandom(20),
  });
  t.teardown(() => killed.close());
  const acknowledged = new Map<string, number>();
  const flaws: string[] = [];

  for (let round = 1; round <= ROUNDS; round++) {
    const report = await killed.round();
    for (const [kind, count] of report.acknowledged)
      acknowledged.set(kind, (acknowledged.get(kind) ?? 0) + count);
    flaws.push(...report.flaws.map(flaw => `round ${round}: ${flaw}`));
  }

  t.log([...acknowledged].map(([kind, count]) => `${kind} ${count}`).join(', '));
  t.deepEqual(flaws, []);
  t.true(acknowledged.size >= 8, 'every kind of write is there');
});
