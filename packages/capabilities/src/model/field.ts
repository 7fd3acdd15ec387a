import type { DataType, InputOf, OptionalType, ValueOf } from './data-type.js';

/**
 * Parameters or response fields by name. Their order is their position on the wire: new ones go to the end and are
 * optional.
 */
export interface FieldSpecs {
  readonly [name: string]: DataType | OptionalType;
}

/** One parameter or response field, taken apart. */
export interface Field {
  readonly name: string;
  readonly type: DataType;
  readonly optional: boolean;
}

/** No parameters, or no response. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- exactly "an object with no known fields"
export type NoFields = {};

type OptionalNames<F> = { [K in keyof F]: F[K] extends OptionalType ? K : never }[keyof F];

/** What is given for fields; where their names are known at run time only, anything, to be checked then. */
export type FieldsInput<F> = string extends keyof F ? Loose : FixedInput<F>;

/** What is read of fields: as given, but an enum of a newer peer may be `'unknown'`. */
export type FieldsValue<F> = string extends keyof F ? Loose : FixedValue<F>;

type Loose = Readonly<Record<string, unknown>>;

type FixedInput<F> = {
  readonly [K in Exclude<keyof F, OptionalNames<F>>]: F[K] extends DataType ? InputOf<F[K]> : never;
} & {
  readonly [K in OptionalNames<F>]?: F[K] extends OptionalType<infer T> ? InputOf<T> : never;
};

type FixedValue<F> = {
  readonly [K in Exclude<keyof F, OptionalNames<F>>]: F[K] extends DataType ? ValueOf<F[K]> : never;
} & {
  readonly [K in OptionalNames<F>]?: F[K] extends OptionalType<infer T> ? ValueOf<T> : never;
};

/** The fields in the order of the wire. */
export function fieldsOf(specs: FieldSpecs): readonly Field[] {
  return Object.entries(specs).map(([name, spec]) =>
    'optional' in spec ? { name, type: spec.type, optional: true } : { name, type: spec, optional: false },
  );
}
