import type { CryptoProvider } from '@coconet/cluster-protocol/core';
import type { Recorder } from '@coconet/cluster-protocol/testing';
import { lossyHandshake } from '../../packages/cluster-protocol/test/interop/lossy-handshake.js';
import type { Run } from './run.js';

/** One handshake at a loss of 30 %: even for even seeds, in bursts of three for odd ones. */
export function runHandshake(seed: number, crypto: CryptoProvider, recorder?: Recorder): Run {
  const options = { seed, crypto, ...(recorder && { recorder }) };
  const { duet, taken, problems } = lossyHandshake(options, seed % 2 === 1);
  return {
    problems,
    virtual: duet.world.now,
    hash: duet.world.recorder.hash,
    counts: { datagrams: duet.world.recorder.datagrams, handshakeMs: taken ?? 0 },
  };
}
