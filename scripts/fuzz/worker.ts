/** One process of the fuzzer: it is told a target and a number of inputs, and tells what came of them. */
import { toHex } from '@coconet/cluster-protocol/core';

import { Campaign } from '../../test/fuzz/campaign.js';
import { CORPUS, readCorpus } from '../../test/fuzz/corpus.js';
import { TARGETS } from '../../test/fuzz/targets.js';
import { serve } from '../crew.js';
import { BUILD, type Order, type Result } from './order.js';

/** Targets are fuzzed one after the other: one is ready at a time. */
let ready: { readonly target: string; readonly campaign: Campaign } | undefined;

async function campaignFor(target: string): Promise<Campaign> {
  if (ready?.target === target) return ready.campaign;
  const subject = await TARGETS[target]!.open();
  const campaign = new Campaign(subject);
  campaign.learn([...subject.seeds, ...readCorpus(CORPUS, target), ...readCorpus(BUILD, target)]);
  ready = { target, campaign };
  return campaign;
}

serve(async ({ target, seed, inputs: wanted }: Order): Promise<Result> => {
  const campaign = await campaignFor(target);
  const start = performance.now();
  const { inputs, findings, found, slowest } = campaign.run(seed, wanted);
  const real = performance.now() - start;
  globalThis.gc?.();
  return {
    target,
    seed,
    inputs,
    findings: findings.map(({ flaw, bytes }) => ({ flaw, hex: toHex(bytes) })),
    found: found.map(toHex),
    slowest,
    features: campaign.features.size,
    real,
    heap: process.memoryUsage().heapUsed,
  };
});
