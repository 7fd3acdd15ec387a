/** Where random bytes come from: the operating system in production, a seed in tests. */
export interface RandomSource {
  /** Overwrites all of `into` with random bytes. */
  fill(into: Uint8Array): void;
}

/** `length` fresh random bytes. */
export function randomBytes(random: RandomSource, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

/** A uniformly random unsigned 32-bit integer. */
export function randomUint32(random: RandomSource): number {
  const bytes = randomBytes(random, 4);
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
}

/** A uniformly random number in [0, 1). */
export const randomFraction = (random: RandomSource): number => randomUint32(random) / 0x1_0000_0000;
