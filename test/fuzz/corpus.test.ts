import test from 'ava';

import { Campaign } from './campaign.js';
import { CORPUS, readCorpus } from './corpus.js';
import { TARGETS } from './targets.js';

for (const [name, target] of Object.entries(TARGETS))
  test(`the corpus of ${name} shows nothing that must not be`, async t => {
    // Behind a whole test command there may be other work to wait for.
    t.timeout(120_000);
    const subject = await target.open();
    const campaign = new Campaign(subject);

    const { findings } = campaign.learn([...subject.seeds, ...readCorpus(CORPUS, name)]);

    t.true(campaign.features.size > 0);
    t.deepEqual(
      findings.map(({ flaw }) => flaw),
      [],
    );
  });
