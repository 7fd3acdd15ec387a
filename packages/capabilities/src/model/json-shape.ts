import type { JsonValue } from './data-type.js';

/** Any JSON. */
export interface AnyShape {
  readonly kind: 'any';
}
/** A string. */
export interface TextShape {
  readonly kind: 'text';
}
/** A finite number between `min` and `max`, both allowed; `integer`: without a fraction. */
export interface NumberShape {
  readonly kind: 'number';
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
}
/** True or false. */
export interface BooleanShape {
  readonly kind: 'boolean';
}
/** One of the names; whoever reads takes any text, since a newer peer may know more names. */
export interface OneOfShape<V extends string = string> {
  readonly kind: 'oneOf';
  readonly values: readonly V[];
}
/** A list of values of one shape. */
export interface ListShape<E = unknown> {
  readonly kind: 'list';
  readonly element: E;
}
/** An object. Keys it does not name are kept, since a newer peer may know more. */
export interface RecordShape<F = unknown> {
  readonly kind: 'record';
  readonly fields: F;
}
/** A field of a record that may be left out. */
export interface OptionalShape<S = unknown> {
  readonly kind: 'optional';
  readonly shape: S;
}

/** What a json value must look like: JSON Schema's everyday part, with static types. */
export type JsonShape =
  | AnyShape
  | TextShape
  | NumberShape
  | BooleanShape
  | OneOfShape
  | ListShape<JsonShape>
  | RecordShape<JsonShapeFields>;

/** The fields of a record, by key. */
export interface JsonShapeFields {
  readonly [key: string]: JsonShape | OptionalShape<JsonShape>;
}

type RequiredKeys<F> = { [K in keyof F]: F[K] extends OptionalShape ? never : K }[keyof F];
type OptionalKeys<F> = { [K in keyof F]: F[K] extends OptionalShape ? K : never }[keyof F];

/** The TypeScript type of a shape. */
export type ShapeOf<S> =
  S extends OptionalShape<infer Inner>
    ? ShapeOf<Inner>
    : S extends AnyShape
      ? JsonValue
      : S extends TextShape
        ? string
        : S extends NumberShape
          ? number
          : S extends BooleanShape
            ? boolean
            : S extends OneOfShape<infer V>
              ? V | (string & {})
              : S extends ListShape<infer E>
                ? readonly ShapeOf<E>[]
                : S extends RecordShape<infer F>
                  ? { readonly [K in RequiredKeys<F>]: ShapeOf<F[K]> } & {
                      readonly [K in OptionalKeys<F>]?: ShapeOf<F[K]>;
                    }
                  : never;

const numberShape =
  (integer: boolean) =>
  (options: { readonly min?: number; readonly max?: number } = {}): NumberShape => ({
    kind: 'number',
    min: options.min ?? -Number.MAX_VALUE,
    max: options.max ?? Number.MAX_VALUE,
    integer,
  });

/**
 * Builders of json shapes.
 *
 * @example
 * t.json(shape.list(shape.record({ key: shape.text(), value: shape.text() })));
 */
export const shape = {
  any: (): AnyShape => ({ kind: 'any' }),
  text: (): TextShape => ({ kind: 'text' }),
  number: numberShape(false),
  integer: numberShape(true),
  boolean: (): BooleanShape => ({ kind: 'boolean' }),
  oneOf: <const V extends string>(values: readonly V[]): OneOfShape<V> => ({ kind: 'oneOf', values }),
  list: <E extends JsonShape>(element: E): ListShape<E> => ({ kind: 'list', element }),
  record: <F extends JsonShapeFields>(fields: F): RecordShape<F> => ({ kind: 'record', fields }),
  optional: <S extends JsonShape>(inner: S): OptionalShape<S> => ({ kind: 'optional', shape: inner }),
} as const;

/** Whether names outside a `oneOf` are refused (what we write) or taken (what we read). */
export type Strictness = 'writing' | 'reading';

/** Where and how `value` does not fit `expected`, in words; `undefined` when it fits. */
export function shapeProblem(
  expected: JsonShape,
  value: JsonValue,
  strictness: Strictness,
  at = '',
): string | undefined {
  const here = at === '' ? 'it' : at;
  switch (expected.kind) {
    case 'any':
      return undefined;
    case 'text':
      return typeof value === 'string' ? undefined : `${here} must be a string`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `${here} must be true or false`;
    case 'number':
      if (typeof value !== 'number') return `${here} must be a number`;
      if (expected.integer && !Number.isInteger(value)) return `${here} must be an integer`;
      if (value < expected.min || value > expected.max)
        return `${here} must lie between ${String(expected.min)} and ${String(expected.max)}`;
      return undefined;
    case 'oneOf':
      if (typeof value !== 'string') return `${here} must be a string`;
      if (strictness === 'reading' || expected.values.includes(value)) return undefined;
      return `${here} must be one of ${expected.values.join(', ')}`;
    case 'list': {
      if (!Array.isArray(value)) return `${here} must be a list`;
      const items: readonly JsonValue[] = value;
      for (const [index, item] of items.entries()) {
        const problem = shapeProblem(expected.element, item, strictness, `${at}[${String(index)}]`);
        if (problem !== undefined) return problem;
      }
      return undefined;
    }
    case 'record':
      return recordProblem(expected.fields, value, strictness, at);
  }
}

function recordProblem(
  fields: JsonShapeFields,
  value: JsonValue,
  strictness: Strictness,
  at: string,
): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `${at === '' ? 'it' : at} must be an object`;
  const object = value as { readonly [key: string]: JsonValue };
  for (const [key, field] of Object.entries(fields)) {
    const path = at === '' ? key : `${at}.${key}`;
    const present = Object.hasOwn(object, key) && object[key] !== undefined;
    if (!present) {
      if (field.kind === 'optional') continue;
      return `${path} is missing`;
    }
    const inner = field.kind === 'optional' ? field.shape : field;
    const problem = shapeProblem(inner, object[key]!, strictness, path);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
