import test from 'ava';

import type { AeadKey } from '../../src/crypto/index.js';
import { nodeProvider } from './providers.js';

const CALLS = 100_000;
const SLICES = 50;

/** Bytes a call of `run` takes from the heap: the median of many slices, so that no collection in one of them counts. */
function bytesPerCall(run: () => void): number {
  for (let i = 0; i < CALLS / SLICES; i++) run(); // Lets the compiler finish first.
  const growths: number[] = [];
  for (let slice = 0; slice < SLICES; slice++) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS / SLICES; i++) run();
    growths.push(process.memoryUsage().heapUsed - before);
  }
  const kept = growths.filter(growth => growth >= 0).sort((a, b) => a - b);
  return kept[Math.floor(kept.length / 2)]! / (CALLS / SLICES);
}

function sealAndOpen(key: AeadKey, packet: Uint8Array, textLength: number): () => void {
  let counter = 0;
  return () => {
    counter++;
    const total = key.sealInPlace(0, counter, packet, 9, textLength);
    if (key.openInPlace(0, counter, packet, 9, total) !== textLength) throw new Error('did not open');
  };
}

for (const [size, packetLength] of [
  [64, 1_500],
  [1_200, 1_500],
  [1_200, 1_225],
] as const)
  test(`sealing and opening ${size} bytes in a buffer of ${packetLength} allocates next to nothing`, t => {
    const key = nodeProvider.aeadKey(new Uint8Array(32).fill(1));

    const bytes = bytesPerCall(sealAndOpen(key, new Uint8Array(packetLength), size));

    // One view of a buffer would be about 100.
    t.true(bytes < 16, `${bytes} bytes a call`);
  });
