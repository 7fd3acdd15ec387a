import { DEFAULT_MAX_STRING_BYTES, MAX_VALUE_BYTES } from './limits.js';
import type { JsonShape, ShapeOf } from './json-shape.js';

/** Any value that JSON can say. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The number types that fit a JavaScript `number`. */
export type NumberKind = 'uint8' | 'uint16' | 'uint32' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64';

/** The number types that need a `bigint`. */
export type BigintKind = 'uint64' | 'int64';

/** True or false. */
export interface BoolType {
  readonly kind: 'bool';
}

/** UTF-8 text without unpaired surrogates. */
export interface StringType {
  readonly kind: 'string';
  readonly maxBytes: number;
}

/** A finite number between `min` and `max`, both allowed. */
export interface NumberType<K extends NumberKind = NumberKind> {
  readonly kind: K;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
}

/** A 64-bit integer between `min` and `max`, both allowed. */
export interface BigintType<K extends BigintKind = BigintKind> {
  readonly kind: K;
  readonly min: bigint;
  readonly max: bigint;
  readonly unit?: string;
}

declare const shapeValue: unique symbol;

/** JSON checked against a shape. `S` is known to the compiler alone. */
export interface JsonType<S = JsonValue> {
  readonly kind: 'json';
  readonly shape: JsonShape;
  readonly [shapeValue]?: S;
}

/** At most `maxBytes` bytes. */
export interface BytesType {
  readonly kind: 'bytes';
  readonly maxBytes: number;
}

/** One of a list of names. The wire carries the index, so the list may only ever grow at its end. */
export interface EnumType<V extends string = string> {
  readonly kind: 'enum';
  readonly values: readonly V[];
}

/** A point in time with a resolution of 1 ms. */
export interface TimestampType {
  readonly kind: 'timestamp';
}

/** Any type but arrays. */
export type ScalarType =
  BoolType | StringType | NumberType | BigintType | JsonType<unknown> | BytesType | EnumType | TimestampType;

/** At most `arrayLength` values of one scalar type. */
export interface ArrayType<E extends ScalarType = ScalarType> {
  readonly kind: 'array';
  readonly element: E;
  readonly arrayLength: number;
}

/** The type of an attribute, a parameter or a response field. */
export type DataType = ScalarType | ArrayType;

/** What is given for a value of a type: `set`, `write` and command parameters. */
export type InputOf<T extends DataType> = T extends BoolType
  ? boolean
  : T extends StringType
    ? string
    : T extends NumberType
      ? number
      : T extends BigintType
        ? bigint
        : T extends JsonType<infer S>
          ? S
          : T extends BytesType
            ? Uint8Array
            : T extends EnumType<infer V>
              ? V
              : T extends TimestampType
                ? Date
                : T extends ArrayType<infer E>
                  ? readonly InputOf<E>[]
                  : never;

/** What is read of a type: as given, but an enum of a newer peer may be `'unknown'`. */
export type ValueOf<T extends DataType> =
  T extends EnumType<infer V>
    ? V | 'unknown'
    : T extends ArrayType<infer E>
      ? readonly ValueOf<E>[]
      : InputOf<T>;

/** Range of every integer and float type; the definition may narrow it. */
export const NUMBER_RANGES: Readonly<Record<NumberKind, readonly [min: number, max: number]>> = {
  uint8: [0, 0xff],
  uint16: [0, 0xffff],
  uint32: [0, 0xffff_ffff],
  int8: [-0x80, 0x7f],
  int16: [-0x8000, 0x7fff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  float32: [-3.4028234663852886e38, 3.4028234663852886e38],
  float64: [-Number.MAX_VALUE, Number.MAX_VALUE],
};

/** Range of every 64-bit integer type; the definition may narrow it. */
export const BIGINT_RANGES: Readonly<Record<BigintKind, readonly [min: bigint, max: bigint]>> = {
  uint64: [0n, 0xffff_ffff_ffff_ffffn],
  int64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
};

/** Bounds (both allowed) and unit of a number; a bound left out is that of the type. */
export interface NumberOptions {
  readonly min?: number;
  readonly max?: number;
  /** SI, or in use with SI and usual in the field: `°C`, `%`, `kWh`, `ms`. */
  readonly unit?: string;
}

/** As {@link NumberOptions}, for 64-bit integers. */
export interface BigintOptions {
  readonly min?: bigint;
  readonly max?: bigint;
  readonly unit?: string;
}

/** A parameter or response field that may be left out. */
export interface OptionalType<T extends DataType = DataType> {
  readonly optional: true;
  readonly type: T;
}

const number =
  <K extends NumberKind>(kind: K) =>
  (options: NumberOptions = {}): NumberType<K> => ({
    kind,
    min: options.min ?? NUMBER_RANGES[kind][0],
    max: options.max ?? NUMBER_RANGES[kind][1],
    ...(options.unit === undefined ? {} : { unit: options.unit }),
  });

const bigint =
  <K extends BigintKind>(kind: K) =>
  (options: BigintOptions = {}): BigintType<K> => ({
    kind,
    min: options.min ?? BIGINT_RANGES[kind][0],
    max: options.max ?? BIGINT_RANGES[kind][1],
    ...(options.unit === undefined ? {} : { unit: options.unit }),
  });

/**
 * Builders of data types for {@link defineCapability}. They only build: the definition they end up in is checked whole.
 *
 * @example
 * t.float32({ min: 0, max: 100, unit: '%' });
 * t.optional(t.enum(['up', 'down']));
 */
export const t = {
  bool: (): BoolType => ({ kind: 'bool' }),
  /** Text of at most `maxBytes` bytes of UTF-8; 4096 if left out. */
  string: (options: { readonly maxBytes?: number } = {}): StringType => ({
    kind: 'string',
    maxBytes: options.maxBytes ?? DEFAULT_MAX_STRING_BYTES,
  }),
  uint8: number('uint8'),
  uint16: number('uint16'),
  uint32: number('uint32'),
  int8: number('int8'),
  int16: number('int16'),
  int32: number('int32'),
  /** Kept with the precision of IEEE 754 binary32; read back as the shortest decimal that means the same. */
  float32: number('float32'),
  float64: number('float64'),
  uint64: bigint('uint64'),
  int64: bigint('int64'),
  /** JSON of the given shape: see {@link shape}. */
  json: <S extends JsonShape>(jsonShape: S): JsonType<ShapeOf<S>> => ({ kind: 'json', shape: jsonShape }),
  /** At most `maxBytes` bytes; 32 KiB if left out. */
  bytes: (options: { readonly maxBytes?: number } = {}): BytesType => ({
    kind: 'bytes',
    maxBytes: options.maxBytes ?? MAX_VALUE_BYTES,
  }),
  /** One of `values`, in the order of their wire numbers 0, 1, 2, …: new ones go to the end. */
  enum: <const V extends string>(values: readonly V[]): EnumType<V> => ({ kind: 'enum', values }),
  timestamp: (): TimestampType => ({ kind: 'timestamp' }),
  /** At most `arrayLength` elements. */
  array: <E extends ScalarType>(element: E, options: { readonly arrayLength: number }): ArrayType<E> => ({
    kind: 'array',
    element,
    arrayLength: options.arrayLength,
  }),
  /** Marks a parameter or response field that may be left out. */
  optional: <T extends DataType>(type: T): OptionalType<T> => ({ optional: true, type }),
} as const;
