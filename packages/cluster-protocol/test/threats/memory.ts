import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What a collected buffer held is given back by another thread, a little later. */
const ROUNDS = 3;

async function settle(): Promise<NodeJS.MemoryUsage> {
  for (let i = 0; i < ROUNDS; i++) {
    collect();
    await new Promise(setImmediate);
  }
  return process.memoryUsage();
}

/** Bytes in array buffers that something still holds. */
export async function heldBytes(): Promise<number> {
  return (await settle()).arrayBuffers;
}

/** Bytes of the JavaScript heap and of array buffers that something still holds. */
export async function heldMemory(): Promise<number> {
  const { heapUsed, arrayBuffers } = await settle();
  return heapUsed + arrayBuffers;
}
