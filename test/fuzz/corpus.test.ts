import test from 'ava';

import { Campaign } from './campaign.js';
import { CORPUS, readCorpus } from './corpus.js';
import { TARGETS } from './targets.js';

/** New inputs of each target, in the measure of its weight: enough to see that it is fuzzed at all. */
const FRESH = 300;

for (const [name, target] of Object.entries(TARGETS))
  test(`the corpus of ${name} shows nothing that must not be, and neither does a handful of new inputs`, async t => {
    const subject = await target.open();
    const campaign = new Campaign(subject);
    const corpus = readCorpus(CORPUS, name);

    const { findings } = campaign.learn([...subject.seeds, ...corpus]);
    const fresh = campaign.run(1, Math.ceil(FRESH * Math.min(1, target.weight)));

    t.true(corpus.length > 0);
    t.deepEqual(
      [...findings, ...fresh.findings].map(({ flaw }) => flaw),
      [],
    );
  });
