import type { FieldSpecs, NoFields } from './field.js';
import type { Role } from './role.js';

/** Commands that every capability has; their ids lie below those a definition may use. */
export const IMPLICIT_COMMANDS = {
  /** Reads the hardware again and reports. */
  refresh: 0,
  /** Changes writable attributes, all or none. */
  write: 1,
} as const;

/** Name of a command that every capability has. */
export type ImplicitCommandName = keyof typeof IMPLICIT_COMMANDS;

/** First command id a definition may use; the ids below are for implicit commands, today's and later ones. */
export const FIRST_COMMAND_ID = 8;

/** A command as it is written in a definition. */
export interface CommandSpec {
  /** Wire id, {@link FIRST_COMMAND_ID}–65535, never reused within the capability. */
  readonly id: number;
  readonly description?: string;
  readonly parameters?: FieldSpecs;
  /** At least one of these optional parameters has to be there. */
  readonly requireOneOf?: readonly string[];
  readonly response?: FieldSpecs;
  /** Running it twice has the same effect as once, so it may run again after a crash in the middle. Default: no. */
  readonly idempotent?: boolean;
  /** Default: `guest`. */
  readonly minimumRole?: Role;
}

/** A command of a checked definition: every field is there. */
export interface CommandDefinition<P extends FieldSpecs = FieldSpecs, R extends FieldSpecs = FieldSpecs> {
  readonly id: number;
  readonly name: string;
  readonly description: string | undefined;
  readonly parameters: P;
  readonly requireOneOf: readonly string[];
  readonly response: R;
  readonly idempotent: boolean;
  readonly minimumRole: Role;
}

/** The parameters of a spec, or none. */
export type ParametersOf<S> = S extends { readonly parameters: infer P extends FieldSpecs } ? P : NoFields;

/** The response fields of a spec, or none. */
export type ResponseOf<S> = S extends { readonly response: infer R extends FieldSpecs } ? R : NoFields;
