const SPAN = 2 ** 32;

/**
 * The packet number whose low 32 bits are `low` and that lies nearest to `expected`, the largest number received plus
 * one (RFC 9000, appendix A.3, with 32 bits). Numbers stay below 2^48, so a double holds them exactly.
 */
export function expandPacketNumber(low: number, expected: number): number {
  const candidate = expected - (expected % SPAN) + low;
  if (candidate <= expected - SPAN / 2) return candidate + SPAN;
  return candidate > expected + SPAN / 2 && candidate >= SPAN ? candidate - SPAN : candidate;
}
