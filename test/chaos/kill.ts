import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { createNodeHost } from '@coconet/cluster-protocol/node';
import { SeededRandom } from '@coconet/cluster-protocol/testing';

import { KilledNmn } from '../../packages/nmn/test/support/kill/killed-nmn.js';
import { bundleNmn } from '../../packages/nmn/test/support/kill/nmn-process.js';
import type { Round } from './round.js';

/** Kills on one data folder: what it holds grows with every life, and a start shall stay what a start is. */
const LIVES = 30;

/** `kill -9` of the NMN's process while its clients write. */
export async function* killRounds(seed: number, folder: string): AsyncGenerator<Round, void> {
  const host = await createNodeHost();
  const random = new SeededRandom(seed);
  const program = await bundleNmn(folder);
  for (let life = 1; ; life++) {
    const own = join(folder, `nmn-${life}`);
    await mkdir(own);
    const nmn = new KilledNmn({ program, folder: own, host, random: random.fork(`life ${life}`) });
    let flawed = false;
    try {
      for (let kill = 0; kill < LIVES; kill++) {
        const { killedWhile, ready, served, acknowledged, flaws } = await nmn.round();
        flawed ||= flaws.length > 0;
        yield {
          counts: { kills: 1, [`kills while ${killedWhile}`]: 1, ...Object.fromEntries(acknowledged) },
          times: { ...(ready !== undefined && { ready }), ...(served !== undefined && { served }) },
          flaws: flaws.map(flaw => `${own}: ${flaw}`),
        };
      }
    } finally {
      await nmn.close();
      if (!flawed) await rm(own, { recursive: true, force: true });
    }
  }
}
