import type { FieldSpecs } from './field.js';
import type { Role } from './role.js';

/** A request for data that is too large or too rare to be an attribute, as it is written in a definition. */
export interface InfoRequestSpec {
  /** Wire id, 1–65535, never reused within the capability. */
  readonly id: number;
  readonly description?: string;
  readonly parameters?: FieldSpecs;
  readonly response?: FieldSpecs;
  /** Default: `guest`. */
  readonly minimumRole?: Role;
}

/** An info request of a checked definition: every field is there. It changes nothing, so it is always idempotent. */
export interface InfoRequestDefinition<P extends FieldSpecs = FieldSpecs, R extends FieldSpecs = FieldSpecs> {
  readonly id: number;
  readonly name: string;
  readonly description: string | undefined;
  readonly parameters: P;
  readonly response: R;
  readonly minimumRole: Role;
}
