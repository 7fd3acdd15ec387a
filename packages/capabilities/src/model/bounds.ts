import type { BigintType, DataType, NumberType } from './data-type.js';

/** Bounds that one device states for one attribute, inside those of the definition. */
export interface Bounds {
  readonly min?: number | bigint;
  readonly max?: number | bigint;
}

// BigInt() throws on a fraction, and these numbers come from a peer.
const whole = (bound: number | bigint | undefined): bigint | undefined =>
  bound === undefined || (typeof bound === 'number' && !Number.isSafeInteger(bound))
    ? undefined
    : BigInt(bound);

const larger = <T extends number | bigint>(a: T, b: T | undefined): T => (b !== undefined && b > a ? b : a);
const smaller = <T extends number | bigint>(a: T, b: T | undefined): T => (b !== undefined && b < a ? b : a);

const narrowBigint = (type: BigintType, bounds: Bounds): BigintType => ({
  ...type,
  min: larger(type.min, whole(bounds.min)),
  max: smaller(type.max, whole(bounds.max)),
});

const narrowNumber = (type: NumberType, bounds: Bounds): NumberType => ({
  ...type,
  min: larger(type.min, bounds.min === undefined ? undefined : Number(bounds.min)),
  max: smaller(type.max, bounds.max === undefined ? undefined : Number(bounds.max)),
});

const isBigint = (type: DataType): type is BigintType => type.kind === 'uint64' || type.kind === 'int64';

/** The type as one device has it: narrower, never wider. Bounds of a type that has none are passed over. */
export function narrowed(type: DataType, bounds: Bounds): DataType {
  if (isBigint(type)) return narrowBigint(type, bounds);
  return 'min' in type ? narrowNumber(type, bounds) : type;
}
