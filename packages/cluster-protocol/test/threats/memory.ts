import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in array buffers that something still holds. */
export function heldBytes(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}

/** Bytes of the JavaScript heap and of array buffers that something still holds. */
export function heldMemory(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
