import type { AttributeDefinition, AttributeSpec } from './attribute.js';
import type { CommandDefinition, CommandSpec, ParametersOf, ResponseOf } from './command.js';
import type { InputOf, ValueOf } from './data-type.js';
import type { FieldsInput, FieldsValue } from './field.js';
import type { InfoRequestDefinition, InfoRequestSpec } from './info-request.js';

/** A number of the standard registry, or `com.vendor.name` of anybody else. */
export type CapabilityId = number | string;

/** Whether it ships first, later, or only as an example of what vendors do. */
export type Tier = 'core' | 'extended' | 'vendor';

/** Attributes of a definition by name. */
export type AttributeSpecs = Readonly<Record<string, AttributeSpec>>;
/** Commands of a definition by name. */
export type CommandSpecs = Readonly<Record<string, CommandSpec>>;
/** Info requests of a definition by name. */
export type InfoRequestSpecs = Readonly<Record<string, InfoRequestSpec>>;

/** A capability as it is written down: the argument of {@link defineCapability}. */
export interface CapabilitySpec<N extends string, A, C, I> {
  readonly id: CapabilityId;
  /** camelCase; the name of the property that holds it on a resource. */
  readonly name: N;
  /** What it is, in a few words. */
  readonly title: string;
  /** Raised by one with each addition; anything but an addition is a new capability. */
  readonly revision: number;
  readonly tier: Tier;
  /** Whether a device is expected to read its hardware again when asked. Default: no. */
  readonly refresh?: boolean;
  readonly attributes?: A;
  readonly commands?: C;
  readonly infoRequests?: I;
}

type AttributesOf<A> = {
  readonly [K in keyof A]: A[K] extends AttributeSpec
    ? AttributeDefinition<A[K]['type'], A[K] extends { readonly writable: true } ? true : false>
    : never;
};
type CommandsOf<C> = {
  readonly [K in keyof C]: CommandDefinition<ParametersOf<C[K]>, ResponseOf<C[K]>>;
};
type InfoRequestsOf<I> = {
  readonly [K in keyof I]: InfoRequestDefinition<ParametersOf<I[K]>, ResponseOf<I[K]>>;
};

/** A checked capability: data for codecs, types for the compiler. Made by {@link defineCapability} alone. */
export interface CapabilityDefinition<
  N extends string = string,
  A = AttributeSpecs,
  C = CommandSpecs,
  I = InfoRequestSpecs,
> {
  readonly id: CapabilityId;
  readonly name: N;
  readonly title: string;
  readonly revision: number;
  readonly tier: Tier;
  readonly refresh: boolean;
  readonly attributes: AttributesOf<A>;
  readonly commands: CommandsOf<C>;
  readonly infoRequests: InfoRequestsOf<I>;
  readonly attributesById: ReadonlyMap<number, AttributeDefinition>;
  readonly commandsById: ReadonlyMap<number, CommandDefinition>;
  readonly infoRequestsById: ReadonlyMap<number, InfoRequestDefinition>;
}

/** Any capability, when its names are known at run time only. */
export interface AnyCapability {
  readonly id: CapabilityId;
  readonly name: string;
  readonly title: string;
  readonly revision: number;
  readonly tier: Tier;
  readonly refresh: boolean;
  readonly attributes: Readonly<Record<string, AttributeDefinition>>;
  readonly commands: Readonly<Record<string, CommandDefinition>>;
  readonly infoRequests: Readonly<Record<string, InfoRequestDefinition>>;
  readonly attributesById: ReadonlyMap<number, AttributeDefinition>;
  readonly commandsById: ReadonlyMap<number, CommandDefinition>;
  readonly infoRequestsById: ReadonlyMap<number, InfoRequestDefinition>;
}

/** Names of the attributes of a capability. */
export type AttributeName<D extends AnyCapability> = keyof D['attributes'] & string;

/** Names of the commands of a capability, without the implicit ones. */
export type CommandName<D extends AnyCapability> = keyof D['commands'] & string;

/** Names of the info requests of a capability. */
export type InfoRequestName<D extends AnyCapability> = keyof D['infoRequests'] & string;

/** Names of the attributes that other nodes may write. */
export type WritableName<D extends AnyCapability> = {
  [K in AttributeName<D>]: D['attributes'][K] extends AttributeDefinition<infer _T, true> ? K : never;
}[AttributeName<D>];

// Where the names are known at run time only, there is nothing the compiler could check.
type OrLoose<D extends AnyCapability, Fixed> =
  string extends AttributeName<D> ? Readonly<Record<string, unknown>> : Fixed;

/** All attributes as they are read: `null` is "not known". */
export type AttributeValues<D extends AnyCapability> = OrLoose<
  D,
  { readonly [K in AttributeName<D>]: ValueOf<D['attributes'][K]['type']> | null }
>;

/** Attributes as a device sets them: any of them, `null` is "not known". */
export type AttributeInputs<D extends AnyCapability> = OrLoose<
  D,
  { readonly [K in AttributeName<D>]?: InputOf<D['attributes'][K]['type']> | null }
>;

/** Attributes as another node may write them: the writable ones. */
export type WritableInputs<D extends AnyCapability> = OrLoose<
  D,
  { readonly [K in WritableName<D>]?: InputOf<D['attributes'][K]['type']> | null }
>;

/** Parameters of a command, as they are given and as the handler gets them. */
export type CommandParameters<D extends AnyCapability, N extends CommandName<D>> = FieldsInput<
  D['commands'][N]['parameters']
>;

/** Response of a command as the device gives it. */
export type CommandResponseInput<D extends AnyCapability, N extends CommandName<D>> = FieldsInput<
  D['commands'][N]['response']
>;

/** Response of a command as the sender reads it. */
export type CommandResponse<D extends AnyCapability, N extends CommandName<D>> = FieldsValue<
  D['commands'][N]['response']
>;

/** Parameters of an info request. */
export type InfoRequestParameters<D extends AnyCapability, N extends InfoRequestName<D>> = FieldsInput<
  D['infoRequests'][N]['parameters']
>;

/** Answer to an info request as the device gives it. */
export type InfoResponseInput<D extends AnyCapability, N extends InfoRequestName<D>> = FieldsInput<
  D['infoRequests'][N]['response']
>;

/** Answer to an info request as the asker reads it. */
export type InfoResponse<D extends AnyCapability, N extends InfoRequestName<D>> = FieldsValue<
  D['infoRequests'][N]['response']
>;
