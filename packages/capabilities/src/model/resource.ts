import type {
  AnyCapability,
  AttributeInputs,
  AttributeName,
  AttributeValues,
  CommandName,
  CommandParameters,
  CommandResponse,
  CommandResponseInput,
  InfoRequestName,
  InfoRequestParameters,
  InfoResponse,
  InfoResponseInput,
  WritableInputs,
} from './capability.js';
import type { NoFields } from './field.js';

/** A list of capabilities, by their names: `ByName<[typeof onOff, typeof level]>['level']`. */
export type ByName<L extends readonly AnyCapability[]> = {
  readonly [D in L[number] as D['name']]: D;
};

type MaybePromise<T> = T | Promise<T>;

// A response with no mandatory field may be left out altogether.
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- `() => lamp.onOff.set(…)` is a handler
type Answer<R> = NoFields extends R ? R | undefined | void : R;

/** What a device may do with writable attributes that another node wants changed; throwing refuses the whole write. */
export type WriteHandler<D extends AnyCapability, Context> = (
  values: WritableInputs<D>,
  context: Context,
) => MaybePromise<void>;

/** Functions that run commands: a device supports exactly the commands it has handlers for. */
export type CommandHandlers<D extends AnyCapability, Context> = {
  readonly [N in CommandName<D>]?: (
    parameters: CommandParameters<D, N>,
    context: Context,
  ) => MaybePromise<Answer<CommandResponseInput<D, N>>>;
} & {
  /** Reads the hardware again and calls `set`; the names wanted are those asked for, or all. */
  readonly refresh?: (attributes: readonly AttributeName<D>[], context: Context) => MaybePromise<void>;
  /** Asked before writable attributes change; without it a valid write is simply set. */
  readonly write?: WriteHandler<D, Context>;
};

/** Functions that answer info requests. */
export type InfoRequestHandlers<D extends AnyCapability, Context> = {
  readonly [N in InfoRequestName<D>]?: (
    parameters: InfoRequestParameters<D, N>,
    context: Context,
  ) => MaybePromise<InfoResponseInput<D, N>>;
};

/** A capability in the hands of the device that has it. */
export interface DeviceCapability<D extends AnyCapability, Context> {
  /** The values last set. */
  readonly values: AttributeValues<D>;
  /** Takes new readings; all of one call travel together. */
  set(values: AttributeInputs<D>): void;
  /** Adds handlers; later ones replace earlier ones of the same name. */
  handle(handlers: CommandHandlers<D, Context>): void;
  /** Adds answers to info requests. */
  answer(handlers: InfoRequestHandlers<D, Context>): void;
}

/** The capabilities of a resource as the device sees them: `lamp.onOff.set({ on: true })`. */
export type DeviceView<L extends readonly AnyCapability[], Context> = {
  readonly [D in L[number] as D['name']]: DeviceCapability<D, Context>;
};

/** Arguments of a call: parameters first, options second; both may be left out where nothing is mandatory. */
export type CallArguments<P, Options> = NoFields extends P
  ? [parameters?: P, options?: Options]
  : [parameters: P, options?: Options];

/** The commands of a capability as an app calls them: `lamp.level.setLevel({ level: 40 })`. */
export type CommandCalls<D extends AnyCapability, Options> = {
  readonly [N in CommandName<D>]: (
    ...call: CallArguments<CommandParameters<D, N>, Options>
  ) => Promise<CommandResponse<D, N>>;
};

/** The info requests of a capability as an app asks them. */
export type InfoRequestCalls<D extends AnyCapability, Options> = {
  readonly [N in InfoRequestName<D>]: (
    ...call: CallArguments<InfoRequestParameters<D, N>, Options>
  ) => Promise<InfoResponse<D, N>>;
};

/** One picture of a capability's attributes as an app sees it. */
export type Reading<D extends AnyCapability> = AttributeValues<D> & {
  /** The device reported this just now; `false`: an older value is replayed. */
  readonly fresh: boolean;
  /** When the newest of the values was read on the device; `null`: never. */
  readonly at: Date | null;
};

/** A capability in the hands of an app, without its commands. */
export interface ClientCapability<D extends AnyCapability, Options> {
  /** The newest picture, asked from the device. */
  read(options?: Options): Promise<Reading<D>>;
  /** The picture now, then each change. */
  watch(options?: Options): AsyncIterable<Reading<D>>;
  /** Asks the device to change writable attributes, all or none. */
  write(values: WritableInputs<D>, options?: Options): Promise<void>;
  /** Asks the device to read its hardware again. */
  refresh(attributes?: readonly AttributeName<D>[], options?: Options): Promise<void>;
  /** Asks for data that is no attribute. */
  readonly ask: InfoRequestCalls<D, Options>;
}

/** The capabilities of a resource as an app sees them: `await lamp.onOff.turnOn({ duration: 5_000 })`. */
export type ClientView<L extends readonly AnyCapability[], Options> = {
  readonly [D in L[number] as D['name']]: ClientCapability<D, Options> & CommandCalls<D, Options>;
};

/** Names that the app's view of a capability keeps for itself; no command may have them. */
export const RESERVED_COMMAND_NAMES: readonly string[] = ['ask', 'read', 'refresh', 'then', 'watch', 'write'];

/** Names that a {@link Reading} keeps for itself; no attribute may have them. */
export const RESERVED_ATTRIBUTE_NAMES: readonly string[] = ['at', 'fresh'];
